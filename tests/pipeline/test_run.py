"""The life of a run's folder: nothing stale, nothing mixed, nothing finished lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from pipeline.config import build
from pipeline.errors import ConfigError
from pipeline.run import Outcome, run

Study = Callable[..., Outcome]
LATE = "stages=[score,summarize,write_card]"


@pytest.fixture
def study(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Study:
    """Return a runner of scripted studies of one corpus, of which one row has no words and one file is missing."""
    manifest = make_corpus(speakers=6)
    text = manifest.read_text().replace(
        "a0_s000_00,audio/a0_s000_00.wav,the boat left the harbor before sunrise", "a0_s000_00,audio/a0_s000_00.wav,--"
    )
    manifest.write_text(text.replace("audio/a0_s001_00.wav", "audio/nowhere.wav"))
    fixed = [*manifest_overrides(manifest), "asr=scripted", "conditions=[clean,babble_10]", "run_name=mine"]

    def run_it(*overrides: str) -> Outcome:
        return run(build(composed(*fixed, *overrides)), store_path=tmp_path / "store.db", overrides=[])

    return run_it


def ledger(outcome: Outcome) -> pd.DataFrame:
    return pd.read_parquet(outcome.folder / "exclusions.parquet")


def files(outcome: Outcome) -> set[str]:
    return {path.name for path in outcome.folder.rglob("*") if path.is_file()}


def test_every_row_that_left_is_in_the_ledger_after_every_partial_run(study: Study) -> None:
    whole = study()
    assert sorted(ledger(whole)["stage"].unique()) == ["load_utterances", "score"]
    assert ledger(whole)["reason"].value_counts().to_dict() == {"no_reference_words": 4, "missing_audio": 1}
    pd.testing.assert_frame_equal(ledger(study(LATE)), ledger(whole))
    pd.testing.assert_frame_equal(ledger(study("stages=[write_card]")), ledger(whole))


def test_a_run_that_stops_early_leaves_nothing_of_the_stages_after_it(study: Study) -> None:
    drawn = {f"wer_heat_map.{kind}" for kind in ("svg", "png", "csv")}
    assert drawn <= files(study("card.figures=[wer_heat_map]"))
    outcome = study("stages=[score]", "normalizer=[verbatim]", "card.main_normalizer=verbatim")
    assert outcome.record.status == "partial"
    assert not {"cells.csv", "cells.parquet", "card.html", *drawn} & files(outcome)
    assert "cells.csv" not in outcome.record.hashes
    with pytest.raises(ConfigError, match="summarize"):
        study("stages=[write_card]", "normalizer=[verbatim]", "card.main_normalizer=verbatim")


@pytest.mark.parametrize(
    ("overrides", "section"),
    [
        (["stages=[write_card]", "stats.confidence=0.5"], "stats"),
        (["stages=[summarize,write_card]", "normalizer=[verbatim]", "card.main_normalizer=verbatim"], "normalizer"),
        ([LATE, "seed=7"], "seed"),
        pytest.param([LATE, "conditions=[clean]"], "conditions", marks=pytest.mark.long),
    ],
)
def test_a_card_is_never_printed_under_rules_its_tables_were_not_made_with(
    study: Study, overrides: list[str], section: str
) -> None:
    before = files(study())
    with pytest.raises(ConfigError, match=f"another {section}.* section"):
        study(*overrides)
    assert files(study("stages=[write_card]")) == before


def test_changing_the_statistics_later_is_recorded(study: Study) -> None:
    first = study()
    second = study("stages=[summarize,write_card]", "stats.min_speakers=3")
    assert second.record.history == [first.record.config_sha256]
    assert "after results had been seen" in (second.folder / "card.json").read_text()
    assert second.record.device == first.record.device


def test_a_finished_run_stays_protected_while_it_is_run_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study()
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.run.score", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            study()
    with pytest.raises(ConfigError, match="another configuration"):
        study("seed=7")
    assert study().record.status == "finished"


def test_a_run_that_was_killed_is_no_ground_to_recompute_from(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study()
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.run.transcribe", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            study()
    with pytest.raises(ConfigError, match=r"transcribe.*not complete"):
        study(LATE)


def test_two_processes_never_share_a_name(study: Study, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with FileLock(tmp_path / "results" / ".mine.lock"), pytest.raises(ConfigError, match="another process"):
        study()


def test_one_voice_under_several_accents_is_one_cluster_in_the_pooled_rows(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("hibari", reason="the probes need the quickstart extra")
    raw = composed("asr=scripted", "conditions=[clean]", f"results_dir={tmp_path}", "corpus.voices=6")
    outcome = run(build(raw), store_path=tmp_path / "store.db", overrides=[])
    cells = pd.read_parquet(outcome.folder / "cells.parquet").query("accent == 'ALL'")
    assert (cells["n_speakers"] == 30).all()
    assert (cells["k_eff"] <= 6).all()


def test_a_reference_accent_that_nobody_has_is_a_mistake(study: Study) -> None:
    with pytest.raises(ConfigError, match=r"'nort'.* Did you mean 'north'"):
        study("stats.reference_accent=nort")


def test_a_stratum_that_the_corpus_does_not_have_is_a_mistake(study: Study) -> None:
    with pytest.raises(ConfigError, match=r"stats\.strata: the corpus has no attribute domain\. Name its columns"):
        study("stats.strata=[domain,length_band]")


def test_a_finished_run_is_not_overwritten_when_its_manifest_has_changed(study: Study, tmp_path: Path) -> None:
    study()
    manifest = tmp_path / "corpus" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("blue folder", "green folder"))
    with pytest.raises(ConfigError, match=r"manifest\.csv has changed"):
        study()
    assert study("run_name=other").record.status == "finished"


def test_missing_files_of_recognizer_and_corpus_are_reported_together(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    overrides = ["corpus=manifest", "corpus.path=no_manifest.csv", "asr=transcripts", "asr.path=no_hypotheses.csv"]
    study = build(composed(*overrides, "conditions=[clean]", f"results_dir={tmp_path}"))
    with pytest.raises(ConfigError, match=r"2 mistakes: .*no_hypotheses\.csv.*no_manifest\.csv"):
        run(study, store_path=tmp_path / "store.db", overrides=[])


def test_a_rerun_stopped_before_it_read_anything_still_knows_its_inputs(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study()
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.run.load_utterances", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            study()
    manifest = tmp_path / "corpus" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("blue folder", "green folder"))
    with pytest.raises(ConfigError, match=r"manifest\.csv has changed"):
        study()


def test_where_nobody_stated_the_labels_every_exported_table_of_results_says_so(study: Study) -> None:
    stated = study("conditions=[clean]")
    assert "group_labels" not in pd.read_csv(stated.folder / "cells.csv")
    made = study(
        "conditions=[clean]",
        "corpus.label_provenance=imputed",
        "corpus.allow_inferred_labels=true",
        "run_name=unstated",
    )
    tables = [pd.read_csv(made.folder / f"{name}.csv") for name in ("cells", "disparities", "rates", "standings")]
    assert all(set(table["group_labels"]) == {"imputed"} for table in tables if not table.empty)
    assert not tables[0].empty
    card = (made.folder / "card.md").read_text()
    assert "Group labels were imputed: neither the speakers nor anybody who heard them stated them." in card
    assert "group labels imputed, stated by nobody" in card
