"""``stages=[compare]``: who got worse while the mean got better, said first; what is not comparable, refused."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from pipeline import app
from pipeline.artifacts import RunFolder, file_sha256
from pipeline.config import build, over_stored
from pipeline.errors import ConfigError, StudyError
from pipeline.run import run
from pipeline.single import run_single
from pipeline.stored_runs import compare_runs

SOUTH = "=so<b>uth"
ACCENTS = ("east", "north", SOUTH, "west")
CONDITIONS = ("clean", "babble_10")
TEXT = "the red boat left at noon"
SPEAKERS, UTTERANCES, WORDS = 10, 4, 6
KEPT: dict[str, Path] = {}
"""Runs already made; every test has its own copies."""


def lost(run_name: str, accent: str, speaker: int, at: int, condition: str) -> int:
    """Return how many words are missing: the later run mends everybody but one group under noise."""
    wobble = int(at == 0 and speaker % 2 == 0)
    if run_name == "before" or condition == "clean":
        return 1 + wobble
    return 3 + wobble if accent == SOUTH else wobble


def make(run_name: str, folder: Path, composed: Callable[..., dict[str, Any]], *overrides: str) -> Path:
    manifest, heard = folder / "study.csv", folder / f"{run_name}.jsonl"
    with manifest.open("w", newline="", encoding="utf-8") as out, heard.open("w", encoding="utf-8") as said:
        table = csv.writer(out)
        table.writerow(["utterance_id", "accent", "speaker_id", "reference"])
        for accent in ACCENTS:
            for speaker in range(SPEAKERS):
                for at in range(UTTERANCES):
                    key = f"{accent[:3]}{speaker}-{at}"
                    table.writerow([key, accent, f"s{speaker}", TEXT])
                    for condition in CONDITIONS:
                        text = " ".join(TEXT.split()[lost(run_name, accent, speaker, at, condition) :])
                        line = {"utterance_id": key, "condition": condition, "hypothesis": text}
                        said.write(json.dumps(line) + "\n")
    fixed = [
        "corpus=transcripts_only", f"corpus.path={manifest}", "corpus.public=true", "corpus.accents=as_given",
        "asr=transcripts", f"asr.path={heard}", f"conditions=[{','.join(CONDITIONS)}]", "normalizer=[whisper_english]",
        f"results_dir={folder / 'results'}", f"run_name={run_name}", "stats.permutations=99", "stats.bootstrap=200",
        "stats.hallucination=null", "render.workers=0", "stats.reference_condition=clean", "card.figures=none",
    ]  # fmt: skip
    return run(build(composed(*fixed, *overrides)), store_path=folder / "store.db", overrides=[]).folder


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out where nobody looks at the page."""
    if "page" not in request.node.name:
        monkeypatch.setattr("pipeline.card.comparison_page.figures", lambda _: [])


@pytest.fixture
def results(composed: Callable[..., dict[str, Any]], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a results folder with the runs ``before`` and ``after``."""
    for name in ("before", "after"):
        if name not in KEPT:
            KEPT[name] = make(name, tmp_path_factory.mktemp("made"), composed)
        shutil.copytree(KEPT[name], tmp_path / "results" / name)
    return tmp_path / "results"


def compared(results: Path, *names: str) -> tuple[dict[str, Any], Path]:
    folder = compare_runs(names, results).folder
    return json.loads((folder / "comparison.json").read_text()), folder


def resign(folder: Path, name: str) -> None:
    """Write a changed file's hash into the record, as a run that made it would."""
    record = RunFolder(folder).record()
    assert record is not None
    hashes = record.hashes | {name: file_sha256(folder / name)}
    RunFolder(folder).write_record(record.model_copy(update={"hashes": hashes}))


def test_the_group_that_got_worse_while_the_mean_got_better_is_said_first(
    composed: Callable[..., dict[str, Any]], results: Path
) -> None:
    study = build(composed("stages=[compare]", "runs=[before,after]", f"results_dir={results}"))
    out = io.StringIO()
    run_single(study).show(Console(file=out, width=110))
    printed = " ".join(out.getvalue().split())
    first = "Comparison of runs: before, after Note: From before to after, =so<b>uth got worse under babble_10 while"
    assert printed.startswith(f"{first} the mean got better: WER 18.8% to 52.1%, +33.3 points")
    assert "All groups pooled: 18.8% to 14.6%, -4.2 points" in printed
    assert "10 speakers, 240 words" in printed
    folder = results / "before_vs_after"
    assert printed.endswith("comparison.html")
    assert {file.name for file in folder.iterdir()} == {
        "cells.csv", "comparison.csv", "comparison.html", "comparison.json", "comparison.md", "gaps.csv",
    }  # fmt: skip
    assert (folder / "comparison.md").read_text().split("\n\n")[1].startswith("> **Note:** From before to after, =so")


def test_every_cell_is_counted_on_the_trials_of_both(results: Path) -> None:
    found, folder = compared(results, "before", "after")
    assert len(found["cells"]) == len(ACCENTS) * len(CONDITIONS)
    for cell in found["cells"]:
        accent, condition = cell["key"]["accent"], cell["key"]["condition"]
        errors = [
            sum(lost(name, accent, speaker, at, condition) for speaker in range(SPEAKERS) for at in range(UTTERANCES))
            for name in ("before", "after")
        ]
        words = SPEAKERS * UTTERANCES * WORDS
        assert (cell["n_trials"], cell["n_speakers"], cell["n_ref_words"]) == (40, SPEAKERS, words)
        assert cell["difference"] == pytest.approx((errors[1] - errors[0]) / words)
        # all ten speakers moved alike: two of 2^10 patterns of signs are as extreme
        assert cell["p"] == pytest.approx(1.0 if condition == "clean" else 2 / 2**SPEAKERS)
        assert cell["n_family"] == 8
    table = pd.read_csv(folder / "cells.csv", keep_default_na=False)
    assert set(table["accent"]) == {"ALL", "east", "north", "west", f"'{SOUTH}"}
    assert table["p_adjusted"].min() == pytest.approx(8 * 2 / 2**SPEAKERS)


def test_the_gap_of_each_run_and_how_it_changed_are_told_with_an_interval(results: Path) -> None:
    found, folder = compared(results, "before", "after")
    gaps = {gap["key"]["condition"]: gap for gap in found["gaps"]}
    noisy = gaps["babble_10"]
    assert (noisy["gap_first"], noisy["gap_second"]) == (0.0, pytest.approx(0.5))
    assert noisy["worst_second"] == SOUTH
    assert noisy["change"] == pytest.approx(0.5)
    assert noisy["ci_low"] > 0
    assert noisy["p_adjusted"] < 0.05
    assert (gaps["clean"]["change"], gaps["clean"]["p"]) == (0.0, None)  # the same answers: nothing to test
    each = {(one["key"]["accent"], one["key"]["condition"]): one for one in found["group_gaps"]}
    assert each[SOUTH, "babble_10"]["gap_second"] == pytest.approx(0.5)
    assert each["north", "babble_10"]["change"] == pytest.approx(-0.5 / 3)
    assert set(pd.read_csv(folder / "gaps.csv")["gap"]) == {"naive", "to_others"}


def test_a_run_and_its_copy_do_not_differ_and_nothing_is_shown(results: Path) -> None:
    shutil.copytree(results / "before", results / "again")
    found, folder = compared(results, "before", "again")
    for one in (*found["pairs"], *found["cells"]):
        assert one["difference"] == 0
        assert one["p_adjusted"] == 1
    assert {one["change"] for one in (*found["gaps"], *found["group_gaps"])} == {0}
    text = (folder / "comparison.md").read_text()
    assert text.split("\n\n")[1] == "No group is shown to have got worse while the mean got better."
    assert "is shown to make more errors" not in text
    assert "gap is shown" not in text
    assert "a change is shown" not in text


def test_the_other_way_round_every_difference_has_the_other_sign_and_the_same_p(results: Path) -> None:
    there, back = (compared(results, *names)[0] for names in (("before", "after"), ("after", "before")))
    for name, value in (("pairs", "difference"), ("cells", "difference"), ("gaps", "change"), ("group_gaps", "change")):
        assert len(there[name]) == len(back[name]) > 0
        for one, other in zip(there[name], back[name], strict=True):
            assert one["key"] == other["key"]
            assert one[value] == pytest.approx(-other[value])
            assert one["p_adjusted"] == pytest.approx(other["p_adjusted"])
            if one["ci_low"] is not None:
                assert one["ci_low"] == pytest.approx(-other["ci_high"])


def test_the_order_of_the_rows_changes_no_byte(results: Path) -> None:
    _, folder = compared(results, "before", "after")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    scores = pd.read_parquet(results / "after" / "scores.parquet").sample(frac=1, random_state=1)
    RunFolder(results / "after").write_table("scores", scores.reset_index(drop=True))
    resign(results / "after", "scores.parquet")
    compared(results, "before", "after")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_page_runs_nothing_and_links_only_to_the_runs_beside_it(results: Path, tmp_path: Path) -> None:
    _, folder = compared(results, "before", "after")
    page = (folder / "comparison.html").read_text()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<b>uth" not in page
    assert "&lt;b&gt;uth" in page
    assert '<a href="../before/card.html">' in page
    assert str(tmp_path) not in "".join(file.read_text() for file in folder.iterdir())
    shutil.move(results / "before", tmp_path / "elsewhere" / "after")
    found, folder = compared(results, str(tmp_path / "elsewhere" / "after"), "after")
    assert [job["run_name"] for job in found["jobs"]] == ["after_1", "after_2"]
    assert list(found["cards"]) == ["after_2"]


def test_three_runs_are_compared_two_by_two(results: Path) -> None:
    shutil.copytree(results / "before", results / "first")
    found, folder = compared(results, "first", "before", "after")
    assert folder.name == "first_vs_before_vs_after"
    assert [(one["first"], one["second"]) for one in found["gaps"][:3]] == [
        ("first", "before"), ("first", "after"), ("before", "after"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "two runs or more, not 0"),
        (["before"], "two runs or more, not 1"),
        (["before", "./results/../results/before"], "one run named twice"),
        (["before", "aftr"], "no run 'aftr'.*Did you mean 'after'"),
        (["before", ""], "no run ''"),
    ],
)
def test_what_names_no_two_runs_is_refused(
    results: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], said: str
) -> None:
    monkeypatch.chdir(results.parent)
    with pytest.raises(ConfigError, match=said):
        compare_runs(names, Path("results"))


def test_a_run_that_is_not_finished_or_was_changed_since_is_refused(results: Path) -> None:
    after = RunFolder(results / "after")
    record = after.record()
    assert record is not None
    after.write_record(record.model_copy(update={"status": "partial"}))
    with pytest.raises(ConfigError, match=r"after is not finished .it is 'partial'"):
        compare_runs(["before", "after"], results)
    after.write_record(record)
    for name in ("card.json", "trials.parquet", "scores.parquet"):
        file = after.path / name
        kept = file.read_bytes()
        file.write_bytes(kept + (results / "before" / name).read_bytes()[:1])
        with pytest.raises(StudyError, match=r"changed after|not a readable Parquet"):
            compare_runs(["before", "after"], results)
        file.write_bytes(kept)


def test_runs_that_met_other_realizations_of_a_condition_are_refused(results: Path) -> None:
    trials = pd.read_parquet(results / "after" / "trials.parquet")
    noisy = trials["condition"] == "babble_10"
    trials.loc[noisy, "trial_key"] = trials.loc[noisy, "trial_key"].str[::-1]
    RunFolder(results / "after").write_table("trials", trials)
    resign(results / "after", "trials.parquet")
    with pytest.raises(StudyError, match=r"before and after differ in 160 trial\(s\): .* under babble_10"):
        compare_runs(["before", "after"], results)


def test_a_folder_that_holds_something_else_is_left_alone(results: Path) -> None:
    folder = results / "before_vs_after"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="what is here is not one"):
        compare_runs(["before", "after"], results)
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]


def lose(folder: Path, *, accent: str, condition: str, left: int) -> None:
    """Take all but a few answers of one group out of a stored run, as if its recognizer had failed on them."""
    scores = pd.read_parquet(folder / "scores.parquet")
    chosen = scores[(scores["accent"] == accent) & (scores["condition"] == condition)]
    kept = scores.drop(chosen.sort_values("utterance_id").index[left:])
    RunFolder(folder).write_table("scores", kept.reset_index(drop=True))
    resign(folder, "scores.parquet")


def test_a_group_of_which_one_run_lost_trials_is_named_also_where_nothing_of_it_is_left(results: Path) -> None:
    lose(results / "after", accent="west", condition="clean", left=0)
    lose(results / "after", accent="north", condition="clean", left=30)
    found, folder = compared(results, "before", "after")
    assert [(one["key"]["accent"], one["n_first"], one["n_second"], one["n_both"]) for one in found["unpaired"]] == [
        ("west", 40, 0, 0), ("north", 40, 30, 30),
    ]  # fmt: skip
    assert ("west", "clean") not in {(one["key"]["accent"], one["key"]["condition"]) for one in found["cells"]}
    text = (folder / "comparison.md").read_text().replace("\\", "")
    assert "no trial of theirs was answered by both runs: west under clean (40 trials in before, 0 in after)." in text
    assert "north under clean (40 trials in before, 30 in after, 30 in both)." in text


def test_groups_that_got_worse_are_named_whatever_the_mean_did(results: Path) -> None:
    _, folder = compared(results, "before", "after")
    assert "and more in 1 (=so<b>uth under babble_10 (+33.3 points; 10 speakers));" in (
        (folder / "comparison.md").read_text().replace("\\", "").replace("&lt;", "<").replace("&gt;", ">")
    )


def test_a_run_that_broke_its_gate_says_so_and_its_exit_code_and_a_gate_is_no_difference_of_the_runs(
    composed: Callable[..., dict[str, Any]], results: Path
) -> None:
    record = RunFolder(results / "after").record()
    assert record is not None
    raw = over_stored(composed("stages=[write_card]", "gate.max_wer=0.01"), record.config, {"stages", "gate.max_wer"})
    run(build(raw | {"results_dir": str(results), "run_name": "after"}), store_path=results / "store.db", overrides=[])
    found, folder = compared(results, "before", "after")
    assert [(job["exit_code"], job["gate"]) for job in found["jobs"]] == [(app.DONE, ""), (app.GATE, "broken")]
    assert "exit code 4<br>gates broken" in (folder / "comparison.md").read_text()
    assert set(pd.read_csv(folder / "comparison.csv", keep_default_na=False)["run_gate"]) == {"", "broken"}
    assert not [key for key in found["also_differ"] if key.startswith("gate")]


def test_runs_are_named_only_with_the_stage_that_compares_them(composed: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match=r"runs: only stages=.compare. compares runs"):
        build(composed("runs=[before,after]"))


@pytest.mark.slow
def test_two_recognizers_of_recorded_transcripts_are_compared(
    composed: Callable[..., dict[str, Any]], optional_corpus: Callable[[str], Path], tmp_path: Path
) -> None:
    data = optional_corpus("afrispeech_hypotheses").parent
    for system in ("azure_speech", "whisper_large"):
        fixed = [
            "corpus=transcripts_only", f"corpus.path={data}", "asr=transcripts", f"asr.system={system}",
            "corpus.public=true", "subset.accents=[hausa,igbo,swahili,yoruba,zulu]", f"run_name={system}",
            f"results_dir={tmp_path}", "stats.permutations=99", "stats.bootstrap=200", "card.figures=none",
        ]  # fmt: skip
        run(build(composed(*fixed)), store_path=tmp_path / "store.db", overrides=[])
    found, _ = compared(tmp_path, "azure_speech", "whisper_large")
    assert found["pairs"][0]["difference"] < 0
    assert found["pairs"][0]["p_adjusted"] < 0.05
    assert {cell["key"]["accent"] for cell in found["cells"]} == {"hausa", "igbo", "swahili", "yoruba", "zulu"}
