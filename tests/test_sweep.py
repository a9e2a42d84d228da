"""A sweep ends in one comparison: of what finished, on the same trials, with a word on what did not."""

import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from pipeline import app
from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.scripted import Scripted, ScriptedSettings
from pipeline.card.comparison import markdown
from pipeline.comparable import IncomparableError, Job
from pipeline.config import build
from pipeline.errors import ConfigError
from pipeline.records import Status
from pipeline.run import run
from pipeline.sweep import compare, conclude, write

Command = Callable[..., subprocess.CompletedProcess[str]]
Made = Callable[..., Job]
QUICK = ["conditions=[clean,babble_10]", "stats.permutations=99", "stats.bootstrap=99", "stats.hallucination=null",
         "render.workers=0", "card.figures=none"]  # fmt: skip
KEY = ["run_name", "condition"]


class Deaf(Scripted):
    """Fails on what its settings' label lists, says its script elsewhere."""

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        failed = Hypothesis("", Status.FAILED, detail="planned to fail")
        said = super().transcribe(batch)
        return [failed if one.utterance_id in self.name else text for one, text in zip(batch, said, strict=True)]


MADE: dict[tuple[object, ...], tuple[Job, Path]] = {}
"""Jobs already run, and their folders; every test has its own copy of a folder."""


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the comparison's figures out: nobody looks at them here."""
    monkeypatch.setattr("pipeline.card.comparison_page.figures", lambda _: [])


@pytest.fixture
def made(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Made:
    """Return a maker of finished scripted jobs of one corpus; ``deaf_to`` names utterances that fail."""
    manifest = make_corpus()
    fixed = [*manifest_overrides(manifest), *QUICK, "asr=scripted"]

    def make(number: int, *overrides: str, rate: float = 0.1, deaf_to: str = "", label: str = "") -> Job:
        key = (manifest.read_text(), number, overrides, rate, deaf_to, label)
        if key not in MADE:
            job = run_job(number, *overrides, rate=rate, label=label or f"r{number}{deaf_to}")
            kept = tmp_path_factory.mktemp("kept") / "run"
            shutil.copytree(job.folder, kept)
            MADE[key] = (job, kept)
        job, kept = MADE[key]
        folder = tmp_path / "results" / job.run_name
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        return replace(job, folder=folder)

    def run_job(number: int, *overrides: str, rate: float, label: str) -> Job:
        name = f"mine_{number}_scripted"
        study = build(composed(*fixed, f"run_name={name}", f"asr.label='{label}'", *overrides))
        rates = {"north": {"*": {"substitution": rate}}, "south": {"*": {"substitution": 3 * rate}}}
        settings = ScriptedSettings.model_validate({"label": label, "rates": rates, "seed": study.settings.seed})
        study = replace(study, backend=Deaf(settings))
        done = run(study, store_path=tmp_path / "store.sqlite", overrides=[])
        asked = [f"asr=r{number}", "corpus=manifest", *overrides]
        job = Job(3 if done.n_failed else 0, "mine", name, study.backend.name, asked)
        return replace(job, folder=done.folder, record=done.record, card=done.card, n_failed=done.n_failed)

    return make


def failed(number: int, message: str, *, exit_code: int = 2) -> Job:
    return Job(exit_code, "mine", f"mine_{number}_x", f"x:{number}", [f"asr=x{number}"], message)


def test_the_numbers_are_those_of_each_runs_own_tables(made: Made) -> None:
    jobs = [made(0), made(1, rate=0.2), failed(2, "asr.model: there are no weights here. Install them.")]
    found = compare(jobs)
    assert [job.label for job in found.jobs] == ["scripted:r0", "scripted:r1", "x:2"]
    assert [job.exit_code for job in found.jobs] == [0, 0, 2]
    assert found.jobs[2].not_compared == "not run: asr.model: there are no weights here. Install them."
    assert found.jobs[0].differs == ["asr=r0", "corpus=manifest"]  # the job that failed was not asked for a corpus
    assert found.same_trials
    assert found.n_common == 2 * 5 * 2 * 2
    assert [row.key.condition for row in found.rows] == ["clean", "clean", "babble_10", "babble_10"]
    for row in found.rows:
        job = next(job for job in jobs if job.run_name == row.run_name)
        cells = pd.read_parquet(job.folder / "cells.parquet").query("normalizer == 'whisper_english'")
        own = cells[cells["condition"] == row.key.condition].set_index("accent")
        assert row.pooled.wer == own.loc["ALL", "wer"] == row.common.wer
        assert row.pooled.ci_low == pytest.approx(own.loc["ALL", "ci_low"])
        ranked = own.drop("ALL")["wer"]
        assert (row.worst.key.accent, row.worst.wer) == (ranked.idxmax(), ranked.max())
        assert (row.best.key.accent, row.best.wer) == (ranked.idxmin(), ranked.min())
        disparities = pd.read_parquet(job.folder / "disparities.parquet").query("normalizer == 'whisper_english'")
        own = disparities[disparities["condition"] == row.key.condition].set_index("statistic")
        assert row.omnibus.p == own.loc["omnibus_q", "p"]
        assert row.gap.value == own.loc["gap_max_min", "value"]


def test_runs_that_failed_on_some_trials_are_counted_again_on_the_common_ones(made: Made) -> None:
    jobs = [made(0), made(1, deaf_to="a0_s001_00"), made(2, deaf_to="a1_s003_01")]
    found = compare(jobs)
    assert found.n_answered == {"mine_0_scripted": 40, "mine_1_scripted": 38, "mine_2_scripted": 38}
    assert found.n_common == 36
    assert not found.same_trials
    assert [job.n_failed for job in found.jobs] == [0, 2, 2]
    assert [job.exit_code for job in found.jobs] == [0, 3, 3]
    scores = pd.read_parquet(jobs[0].folder / "scores.parquet").query("normalizer == 'whisper_english'")
    for row in found.rows:
        assert row.common.n_trials == 18
        assert row.n_trials + row.n_unscored == 20
        if row.run_name == jobs[0].run_name:
            same = scores[(scores["condition"] == row.key.condition)]
            same = same[~same["utterance_id"].isin(["a0_s001_00", "a1_s003_01"])]
            assert row.common.errors == same[["substitutions", "deletions", "insertions"]].to_numpy().sum()
            assert row.common.n_ref_words == same[["hits", "substitutions", "deletions"]].to_numpy().sum()
            assert row.pooled.n_ref_words > row.common.n_ref_words


def test_a_run_of_which_nothing_was_scored_is_named_and_takes_nothing_from_the_others(made: Made) -> None:
    everything = "".join(f"a{a}_s{s:03d}_{i:02d}" for a in range(2) for s in range(5) for i in range(2))
    found = compare([made(0), made(1, deaf_to=everything)])
    assert "none of its trials was scored" in found.jobs[1].not_compared
    assert found.n_common == 40


def test_several_runs_of_one_recognizer_are_called_by_their_run_names(made: Made) -> None:
    found = compare([made(0, "seed=1", label="one"), made(1, "seed=2", label="one")])
    assert [job.label for job in found.jobs] == ["mine_0_scripted", "mine_1_scripted"]
    assert [job.differs[-1] for job in found.jobs] == ["seed=1", "seed=2"]
    assert found.also_differ["seed"] == ["1", "2"]
    assert not {"run_name", "results_dir", "asr.label"} & set(found.also_differ)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("conditions=[clean,street_5]", r"the conditions \(babble_10, street_5\)"),
        ("conditions.babble_10.steps.0.snr_db=3", r"the conditions \(babble_10\)"),
        ("normalizer=[whisper_english]", r"the normalizer \(verbatim\)"),
        ("card.main_normalizer=verbatim", r"the main normalizer \(whisper_english, verbatim\)"),
    ],
)
def test_runs_about_different_things_are_refused_with_what_differs(made: Made, override: str, said: str) -> None:
    jobs = [made(0), made(1, override)]
    with pytest.raises(IncomparableError, match=f"mine_0_scripted and mine_1_scripted differ in {said}"):
        compare(jobs)


def test_another_text_of_one_utterance_is_another_corpus(made: Made, tmp_path: Path) -> None:
    first = made(0)
    manifest = tmp_path / "corpus" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("a0_s000_00.wav,the boat", "a0_s000_00.wav,a boat"))
    with pytest.raises(IncomparableError, match=r"the corpus \(manifest\.csv; 1 utterance\(s\): a0_s000_00\)"):
        compare([first, made(1)])


def test_a_refusal_prints_no_table_and_writes_nothing(
    made: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = io.StringIO()
    conclude([made(0), made(1, "card.main_normalizer=verbatim")], Console(file=file))
    assert file.getvalue() == ""
    assert "no comparison: mine_0_scripted and" in caplog.text
    assert not (tmp_path / "results" / "mine_comparison").exists()


def test_where_no_job_finished_there_is_no_comparison_but_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    file = io.StringIO()
    conclude([failed(0, "no weights"), failed(1, "no network")], Console(file=file))
    assert file.getvalue() == ""
    assert "none of the 2 jobs finished" in caplog.text
    assert "no network" in caplog.text


def test_commands_that_make_no_run_are_not_compared(caplog: pytest.LogCaptureFixture) -> None:
    file = io.StringIO()
    conclude([Job(0, "mine", "mine_0_x"), Job(0, "mine", "mine_1_x")], Console(file=file))
    assert file.getvalue() == caplog.text == ""


def test_tables_that_another_process_has_changed_since_are_not_compared(made: Made) -> None:
    jobs = [made(0), made(1)]
    shutil.copy(jobs[0].folder / "scores.parquet", jobs[1].folder / "scores.parquet")
    assert "changed" in compare(jobs).jobs[1].not_compared
    (jobs[1].folder / "scores.parquet").unlink()
    assert "changed" in compare(jobs).jobs[1].not_compared


def test_no_folder_of_this_machine_reaches_what_is_written(made: Made, tmp_path: Path) -> None:
    message = f"asr.path: there is no file {tmp_path}/secret/theirs.csv. See '/home/me/x' or https://example.org/a/b."
    job = failed(1, message)
    job.overrides = [f"asr.path={tmp_path}/secret/theirs.csv"]
    jobs = [made(0), job]
    folder = write(compare(jobs), jobs)
    for name in ("comparison.csv", "comparison.md", "comparison.json"):
        text = (folder / name).read_text()
        assert "theirs.csv" in text
        assert "example.org/a/b" in text
        assert "secret" not in text
        assert "/home" not in text


def test_what_is_written_replaces_only_a_comparison(made: Made, tmp_path: Path) -> None:
    jobs = [made(0), made(1)]
    folder = write(compare(jobs), jobs)
    assert folder == tmp_path / "results" / "mine_comparison"
    assert {path.name for path in folder.iterdir()} == {
        "comparison.csv", "cells.csv", "gaps.csv", "comparison.md", "comparison.html", "comparison.json",
    }  # fmt: skip
    (folder / "notes.txt").write_text("mine")
    before = (folder / "comparison.csv").read_bytes()
    assert write(compare(jobs), jobs) == folder
    assert (folder / "comparison.csv").read_bytes() == before
    assert (folder / "notes.txt").read_text() == "mine"
    for other in ("{}", "no json", '["comparison of runs"]'):
        (folder / "comparison.json").write_text(other)
        with pytest.raises(ConfigError, match="choose another run_name"):
            write(compare(jobs), jobs)
        assert (folder / "comparison.json").read_text() == other
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(ConfigError, match="choose another run_name"):
        write(compare(jobs), jobs)


def test_a_formula_in_a_label_is_no_formula_in_the_csv(made: Made) -> None:
    job = failed(1, "=HYPERLINK(1)")
    job.recognizer = "=cmd"
    jobs = [made(0), job]
    table = pd.read_csv(write(compare(jobs), jobs) / "comparison.csv", keep_default_na=False)
    assert table["recognizer"].iloc[-1] == "'=cmd"
    assert table["not_compared"].iloc[-1] == "not run: =HYPERLINK(1)"


def test_jobs_under_several_names_are_compared_under_the_one_that_may_be_overwritten(made: Made) -> None:
    jobs = [made(0), made(1)]
    jobs[1].base_name = "theirs"
    assert write(compare(jobs), jobs).name == "scratch_comparison"


@pytest.fixture
def swept(make_corpus: Callable[..., Path], tmp_path: Path) -> list[str]:
    """Return the arguments of a sweep with two recognizers of the user's own, and one whose file is not there."""
    options = tmp_path / "my" / "asr"
    options.mkdir(parents=True)
    for name, rate in (("mild", 0.1), ("harsh", 0.4)):
        (options / f"{name}.yaml").write_text(
            f'defaults: [scripted, _self_]\nlabel: "{name}"\nrates: {{"*": {{"*": {{substitution: {rate}}}}}}}\n'
        )
    (options / "theirs.yaml").write_text('defaults: [transcripts, _self_]\npath: "nowhere/theirs.csv"\n')
    corpus = ["corpus=manifest", f"corpus.path={make_corpus()}", "corpus.accents=as_given", "corpus.public=true"]
    return ["--config-dir", "my", "-m", *corpus, *QUICK, "run_name=mine"]


@pytest.mark.slow
def test_a_sweep_over_recognizers_ends_in_one_comparison_and_names_the_job_that_failed(
    command: Command, swept: list[str], tmp_path: Path
) -> None:
    done = command(*swept, "asr=mild,theirs,harsh")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "error: mine_1_theirs: " in done.stderr
    results = tmp_path / "results"
    found = {path.name for path in results.iterdir() if not path.name.startswith(".")}
    assert found == {"mine_0_mild", "mine_2_harsh", "mine_comparison"}
    table = pd.read_csv(results / "mine_comparison" / "comparison.csv", keep_default_na=False, na_values=[""])
    assert list(table["run_name"]) == ["mine_0_mild"] * 2 + ["mine_1_theirs"] + ["mine_2_harsh"] * 2
    assert table["not_compared"].dropna().item().startswith("not run: asr.path: there is no file nowhere/theirs.csv")
    for run_name, rows in table[table["condition"].notna()].groupby("run_name"):
        cells = pd.read_csv(results / run_name / "cells.csv", keep_default_na=False, na_values=[""])
        pooled = cells.query("accent == 'ALL' and normalizer == 'whisper_english'").set_index("condition")
        assert rows.set_index("condition")["wer"].to_dict() == pooled["wer"].to_dict()
    printed = done.stdout.split("Comparison of 3 runs: mine")[1]
    for shown in ("scripted:mild", "scripted:harsh", "transcripts:theirs", "not run", "none is called better"):
        assert shown in printed
    assert done.stdout.rstrip().endswith("Comparison: results/mine_comparison/comparison.html")
    written = json.loads((results / "mine_comparison" / "comparison.json").read_text())
    assert [job["exit_code"] for job in written["jobs"]] == [0, 2, 0]
    again = command(*swept, "asr=mild,harsh")
    assert again.returncode == 0, again.stderr
    assert "nowhere" not in (results / "mine_comparison" / "comparison.md").read_text()


@pytest.mark.slow
def test_a_bug_in_one_job_ends_neither_the_others_nor_their_comparison(swept: list[str], tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "import pipeline.run\n"
        "score, calls = pipeline.run.score, []\n"
        "def broken(*arguments):\n"
        "    calls.append(1)\n"
        "    return 1 / 0 if len(calls) == 1 else score(*arguments)\n"
        "pipeline.run.score = broken\n"
    )
    arguments = ["pipeline", *swept, "asr=mild,harsh"]
    code = f"import sys, broken; sys.argv = {arguments!r}; from pipeline.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("Traceback") == 1
    text = (tmp_path / "results" / "mine_comparison" / "comparison.md").read_text()
    assert "not run: a bug, ZeroDivisionError: division by zero" in text
    assert "scripted:harsh" in text


@pytest.mark.slow
def test_ctrl_c_stops_the_whole_sweep_without_a_comparison(swept: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *swept, "asr=mild,harsh"], cwd=tmp_path, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONWARNINGS": "default"},
        # also where these tests run in the background, whose programs ignore Ctrl-C from the start
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "load_utterances" in line:
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert not (tmp_path / "results" / "mine_comparison").exists()
    assert not (tmp_path / "results" / "mine_1_harsh").exists()


@pytest.mark.parametrize(("codes", "compared"), [((0,), 0), ((0, 3), 1), ((4, 3), 1), ((3, 4, 2), 1), ((1, 2, 4), 1)])
def test_several_jobs_are_compared_once_one_alone_is_not_and_the_gravest_code_wins(
    monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], compared: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(app, "_task", lambda: app.entered.extend(map(Job, codes)))
    monkeypatch.setattr(app, "_compare", lambda: calls.append(0) or 0)
    monkeypatch.setattr(app.interruption, "listen", lambda: None)
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == next(code for code in (1, 2, 4, 3, 0) if code in codes)
    assert len(calls) == compared
    app.entered.clear()


def test_every_two_runs_are_tested_on_the_trials_that_both_answered(made: Made) -> None:
    jobs = [made(0), made(1, rate=0.2), made(2, deaf_to="a0_s001_00")]
    found = compare(jobs)
    assert [(pair.key.condition, pair.first[5], pair.second[5]) for pair in found.pairs] == [
        ("clean", "0", "1"), ("clean", "0", "2"), ("clean", "1", "2"),
        ("babble_10", "0", "1"), ("babble_10", "0", "2"), ("babble_10", "1", "2"),
    ]  # fmt: skip
    by_run = {job.run_name: pd.read_parquet(job.folder / "scores.parquet") for job in jobs}
    for pair in found.pairs:
        both = []
        for name in (pair.first, pair.second):
            scores = by_run[name].query("normalizer == 'whisper_english'")
            scores = scores[scores["condition"] == pair.key.condition].set_index("utterance_id")
            both.append(scores.assign(errors=scores["substitutions"] + scores["deletions"] + scores["insertions"]))
        same = both[0].index.intersection(both[1].index)
        assert pair.n_trials == len(same) == (20 if "2" not in (pair.first[5], pair.second[5]) else 19)
        by_speaker = [one.loc[same].groupby("speaker_id")["errors"].sum() for one in both]
        d = (by_speaker[1] - by_speaker[0]).to_numpy()
        signs = np.array(list(itertools.product([-1, 1], repeat=len(d))))
        assert pair.p == pytest.approx(np.mean(np.abs(signs @ d) >= abs(d.sum())))
        assert pair.difference == pytest.approx(d.sum() / pair.n_ref_words)
        assert pair.n_family == 6
        assert pair.p <= pair.p_adjusted <= min(1, 6 * pair.p)
    text = markdown(found)
    assert "Recognizers in pairs, on the trials that both answered" in text
    assert "Primary: interval and permutation test take the speaker as the unit" in text
    assert "MAPSSWE takes segments as independent" in text


def test_one_run_alone_has_no_pairs(made: Made) -> None:
    found = compare([made(0), failed(1, "no weights")])
    assert found.pairs == []
    assert "MAPSSWE" not in markdown(found)
