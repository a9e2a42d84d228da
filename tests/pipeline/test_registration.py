"""What was fixed before looking has a hash, and a change after results existed is on record."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet

from pipeline.config import build
from pipeline.registration import analysis_sha256, change
from pipeline.result_tables import RESULTS
from pipeline.run import Outcome, run

BEFORE = {
    "seed": 0, "corpus": {"kind": "probes"}, "asr": {"kind": "scripted"}, "conditions": {"clean": {}, "noise": {}},
    "normalizer": {"verbatim": {"kind": "verbatim"}}, "stats": {"min_speakers": 5, "reference_accent": None},
    "card": {"title": "One", "main_normalizer": "verbatim", "publish": {"floor": None}},
}  # fmt: skip


def test_the_hash_is_of_the_analysis_and_of_nothing_else() -> None:
    first = analysis_sha256(BEFORE)
    for same in ({"card": BEFORE["card"] | {"title": "Two"}}, {"run_name": "x"}, {"render": {"workers": 8}}):
        assert analysis_sha256(BEFORE | same) == first
    others = [
        {"stats": {"min_speakers": 3, "reference_accent": None}},
        {"card": BEFORE["card"] | {"main_normalizer": "whisper_english"}},
        {"card": BEFORE["card"] | {"publish": {"floor": 20}}},
        {"conditions": {"clean": {}}},
        {"normalizer": {"verbatim": {"kind": "verbatim", "case": "keep"}}},
    ]
    assert len({first, *(analysis_sha256(BEFORE | other) for other in others)}) == 6


def test_a_change_names_every_setting_with_the_value_before_and_after() -> None:
    after = BEFORE | {"stats": {"min_speakers": 3, "reference_accent": "a", "margin": 1.25}}
    found = change(BEFORE, after, at="then")
    assert found is not None
    assert found.changed == [
        "stats.margin: not set -> 1.25", "stats.min_speakers: 5 -> 3", 'stats.reference_accent: null -> "a"'
    ]  # fmt: skip
    assert found.sha256_before == analysis_sha256(BEFORE)
    assert change(BEFORE, dict(BEFORE), at="then") is None


def test_other_speech_is_another_study_and_no_change() -> None:
    assert change(BEFORE, BEFORE | {"corpus": {"kind": "manifest"}, "stats": {"min_speakers": 3}}, at="then") is None


def test_the_hash_is_in_every_table_and_changes_after_results_are_on_the_card(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    fixed = [*manifest_overrides(make_corpus()), "asr=scripted", "conditions=[clean]", "stats.permutations=99"]

    def study(*overrides: str) -> Outcome:
        study = build(composed(*fixed, *overrides, "run_name=mine"))
        return run(study, store_path=tmp_path / "store.db", overrides=[])

    # a run that stops before the card is not protected; its results were there to be seen all the same
    first = study("stages=[load_utterances,plan_trials,transcribe,score,summarize]")
    sha = first.record.analysis_sha256
    assert sha == analysis_sha256(first.record.config)
    for name in RESULTS:
        assert parquet.read_schema(first.folder / f"{name}.parquet").metadata[b"analysis_sha256"].decode() == sha
        assert pd.read_csv(first.folder / f"{name}.csv", keep_default_na=False).columns[-1] == "analysis_sha256"
    assert set(pd.read_csv(first.folder / "cells.csv")["analysis_sha256"]) == {sha}

    again = study("stages=[load_utterances,plan_trials,transcribe,score,summarize]", "stats.min_speakers=3")
    assert [one.changed for one in again.record.analysis_changes] == [["stats.min_speakers: 5 -> 3"]]
    assert again.record.analysis_changes[0].sha256_before == sha
    third = study("stages=[summarize,write_card]", "stats.min_speakers=2")
    assert [one.changed[0][-6:] for one in third.record.analysis_changes] == ["5 -> 3", "3 -> 2"]
    card = json.loads((third.folder / "card.json").read_text())
    assert card["numbers"]["analysis"]["sha256"] == third.record.analysis_sha256
    page = (third.folder / "card.md").read_text()
    assert page.count("The analysis was changed 2 times after results existed") == 2  # in the summary and at the end
