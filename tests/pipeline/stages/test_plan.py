"""The stage that plans: what a corpus can show, without any audio, and with what an earlier run says."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from pipeline.config import build
from pipeline.errors import ConfigError, StudyError
from pipeline.run import run
from pipeline.single import run_single

Plan = Callable[..., tuple[pd.DataFrame, str]]
WORDS = "the boat left the harbor before sunrise and nobody noticed"


def manifest(folder: Path, speakers: dict[str, int], *, utterances: int = 3) -> Path:
    """A manifest whose audio files do not exist."""
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["utterance_id", "audio_path", "reference", "speaker_id", "accent"])
        for a, (accent, n) in enumerate(speakers.items()):
            for s in range(n):
                rows.writerows([f"{a}-{s}-{u}", f"{a}-{s}-{u}.wav", WORDS, f"s{s}", accent] for u in range(utterances))
    return folder / "manifest.csv"


@pytest.fixture
def planned(
    composed: Callable[..., dict[str, Any]],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Plan:
    def tell(path: Path | None, *overrides: str) -> tuple[pd.DataFrame, str]:
        places = manifest_overrides(path) if path else [f"results_dir={tmp_path / 'results'}"]
        report = run_single(build(composed("stages=[plan]", *places, *overrides)))
        assert report.n_failed == 0
        output = io.StringIO()
        report.show(Console(file=output, width=100))
        written = tmp_path / "results" / "scratch_plan" / "plan.csv"
        return pd.read_csv(written, keep_default_na=False, na_values={"detectable_ratio": ""}), output.getvalue()

    return tell


def test_a_manifest_is_planned_without_its_audio(planned: Plan, tmp_path: Path) -> None:
    path = manifest(tmp_path / "m", {"north": 12, "south": 8})
    table, text = planned(path, "conditions=[clean,babble_10]")
    assert len(table) == 6
    north = table[(table["accent"] == "north") & (table["condition"] == "clean")].iloc[0]
    assert (north["n_speakers"], north["n_ref_words"], north["words_per_speaker"]) == (12, 360, 30)
    assert north["basis"] == "assumed"
    assert north["alpha"] == pytest.approx(0.05 / 4)
    assert "sigma 0.45, phi 4.0, WER 0.2 (assumed)" in text
    assert "under clean, babble_10" in text
    assert "No audio was opened" in text


def test_the_probes_are_planned_without_synthesizing_anything(planned: Plan) -> None:
    table, text = planned(None)
    assert set(table["n_speakers"]) == {10}
    assert "kit_fleece_merger" in text


def test_words_are_those_of_the_main_normalizer_and_rows_without_any_are_not_planned_with(
    planned: Plan, tmp_path: Path
) -> None:
    path = manifest(tmp_path / "m", {"north": 6, "south": 6})
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(WORDS, "don't stop!", 1).replace(WORDS, "...", 1), encoding="utf-8")
    table, _ = planned(path, "card.main_normalizer=verbatim", "conditions=[clean]")
    north = table[table["accent"] == "north"].iloc[0]
    assert north["n_ref_words"] == 18 * 10 - 20 + 2
    assert north["n_utterances"] == 18


def test_rows_that_cannot_be_used_are_counted(planned: Plan, tmp_path: Path) -> None:
    path = manifest(tmp_path / "m", {"north": 6, "south": 6})
    with path.open("a", encoding="utf-8") as file:
        file.write("x,x.wav,,s1,north\n")
    _, text = planned(path, "conditions=[clean]")
    assert "1 row of the corpus cannot be used" in text


@pytest.fixture
def scored(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Path:
    """A finished run, ``heard``, whose recognizer errs at planted rates; its manifest."""
    path = make_corpus(accents=("north", "south"), speakers=8, sentences=[WORDS, WORDS + " more"])
    raw = composed(
        *manifest_overrides(path), "asr=scripted", "asr.speaker_log_sd=0.3", "conditions=[clean,babble_10]",
        "run_name=heard", "stages=[load_utterances,plan_trials,transcribe,score]",
    )  # fmt: skip
    raw["asr"]["rates"] = {"north": {"*": {"substitution": 0.4}}, "*": {"*": {"substitution": 0.1}}}
    study = build(raw)
    run(study, store_path=tmp_path / "store.sqlite", overrides=[])
    return path


def test_an_earlier_run_says_how_errors_scatter_and_what_the_wers_are(planned: Plan, scored: Path) -> None:
    table, text = planned(scored, "conditions=[clean,babble_10,babble_5]", "plan.run_name=heard")
    heard = table[(table["condition"] == "clean") & (table["question"] == "disparity")].set_index("accent")
    assert heard["basis"].str.startswith("run heard").all()
    assert heard.loc["north", "wer"] > 2 * heard.loc["south", "wer"]
    assert (heard["phi"] != 4).all()
    new = table[table["condition"] == "babble_5"]
    assert new["basis"].str.contains("did not hear this condition").all()
    assert set(new["wer"]) == {0.2}
    assert "run heard" in text


def test_a_run_that_is_not_there_or_was_scored_otherwise_is_the_users_mistake(planned: Plan, scored: Path) -> None:
    with pytest.raises(ConfigError, match=r"plan\.run_name: there is no run"):
        planned(scored, "plan.run_name=nowhere")
    with pytest.raises(StudyError, match=r"plan\.run_name: heard was not scored with"):
        planned(scored, "plan.run_name=heard", "+normalizer.mine={kind: verbatim}", "card.main_normalizer=mine")


def test_mistakes_in_the_plan_are_told_with_the_others(composed: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ConfigError) as caught:
        build(composed("stages=[plan]", "plan.ratio=0.9", "plan.power=1", "plan.multiplicity=bonferroni"))
    for key in ("plan.ratio", "plan.power", "plan.multiplicity"):
        assert key in str(caught.value)


def test_an_unknown_reference_accent_is_told_with_what_is_meant(planned: Plan, tmp_path: Path) -> None:
    path = manifest(tmp_path / "m", {"north": 6, "south": 6})
    with pytest.raises(ConfigError, match="Did you mean 'north'"):
        planned(path, "stats.reference_accent=nort")


def test_labels_that_look_like_missing_values_or_break_lines_are_planned(planned: Plan, tmp_path: Path) -> None:
    labels = {"null": 6, "None": 6, "NA": 1, "a, b": 6, "two\nlines": 6, "\U0001f442": 6}
    table, text = planned(manifest(tmp_path / "m", labels), "conditions=[clean]")
    assert sorted(table["accent"]) == sorted(labels)
    assert "two lines" in text
    assert "NA: not compared: below the floor of 5 speakers" in text
