"""What leaves the machine rests on nothing that is suppressed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import tables
from pipeline.card.publication import Publication, rounded_table, rounded_values, rule
from pipeline.card.settings import PublishSettings
from pipeline.config import build
from pipeline.publishing import Published, published
from pipeline.run import Outcome, run
from pipeline.stages.summarize import Material, Words, summarize
from pipeline.stats.settings import StatsSettings

RULES = {
    "floor": Publication(floor=10, words=500, rounded=True),
    "exact": Publication(floor=10, words=500),
    "off": Publication(),
}
QUICK = StatsSettings(permutations=99, reference_accent="hidden", intersections=(("accent", "gender"),))


def material(errors_of_hidden: int, *, words: int = 100) -> Material:
    """Three accents of twelve speakers and one of four, under two conditions; ``errors_of_hidden`` is its secret."""
    rows, people = [], []
    for accent, speakers in {"a": 12, "b": 12, "c": 12, "hidden": 4}.items():
        for s in range(speakers):
            name = f"{accent}{s:02}"
            people.append({"utterance_id": name, "accent": accent, "speaker_id": f"s{s}", "attr_gender": "fm"[s % 2]})
            for condition, extra in (("clean", 0), ("noise", 6)):
                wrong = (errors_of_hidden if accent == "hidden" else 3 + s) + extra
                rows.append(
                    {"utterance_id": name, "condition": condition, "backend": "engine", "normalizer": "verbatim",
                     "speaker_id": f"s{s}", "accent": accent, "hits": words - wrong, "substitutions": wrong,
                     "deletions": 0, "insertions": 0, "normalized_reference": "", "normalized_hypothesis": ""}
                )  # fmt: skip
    scores = tables.build(rows, tables.Scores, where="test")
    words = Words(nonspeech=without_speech(errors_of_hidden))
    return Material(pd.DataFrame(people), scores, [], QUICK, synthetic=False, voices={}, words=words)


def without_speech(words_of_hidden: int) -> pd.DataFrame:
    """One rendering without speech of a shown trial, and one of a hidden one."""
    rows = [
        {"utterance_id": name, "condition": "noise", "slot": slot, "trial_key": str(slot) * 64, "backend": "engine",
         "duration_s": 1.0, "hypothesis": "oh " * words, "n_words": words, "audio_sha256": ""}
        for slot, (name, words) in enumerate({"a00": 2, "hidden00": words_of_hidden}.items())
    ]  # fmt: skip
    return tables.build(rows, tables.NonSpeech, where="test")


@cache
def shown(errors_of_hidden: int, *, by: str = "floor") -> Published:
    of = material(errors_of_hidden)
    keys = of.scores["utterance_id"] + of.scores["condition"]
    trials = of.scores[["utterance_id", "condition"]].assign(trial_key=keys)
    stored = {
        "utterances": of.utterances, "trials": trials, "scores": of.scores,
        "renderings": trials, "transcripts": trials, "acoustics": of.utterances,
        "exclusions": tables.build([], tables.Exclusions, where="test"),
    }  # fmt: skip
    return published(of, stored, dict(summarize(of)), RULES[by])


def test_nothing_published_depends_on_what_is_suppressed() -> None:
    one, other = shown(5), shown(60)
    for name in one.exports:
        pd.testing.assert_frame_equal(one.exports[name], other.exports[name])
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])
    # the test can fail: without a floor the same two differ in the pooled cells
    everything = [shown(errors, by="off").exports["cells"] for errors in (5, 60)]
    assert not everything[0].equals(everything[1])


def test_what_was_said_without_speech_is_of_shown_trials_alone() -> None:
    assert shown(5).tables["nonspeech"]["utterance_id"].tolist() == ["a00"]


def test_a_suppressed_cell_is_there_by_name_without_a_number_and_the_pool_is_of_what_is_shown() -> None:
    cells = shown(5, by="exact").exports["cells"]
    rows = cells[cells["accent"] == "hidden"]
    assert rows["support"].tolist() == ["suppressed", "suppressed"]
    numbers = ["n_speakers", "n_ref_words", "substitutions", "wer", "ci_low", "f1"]
    assert rows[numbers].isna().all(axis=None)
    clean = cells[(cells["condition"] == "clean") & (cells["support"] != "suppressed")].set_index("accent")
    pooled = clean.loc["ALL", ["n_speakers", "n_ref_words", "substitutions"]].astype(int)
    assert (clean.drop(index="ALL")[pooled.index].astype(int).sum() == pooled).all()


def test_no_other_table_names_the_suppressed_accent_beside_a_number() -> None:
    found = shown(5)
    assert found.publication.reference_hidden
    for name in ("disparities", "interactions", "intersections", "variability"):
        table = found.exports[name]
        assert "hidden" not in set(table.get("accent", [])) | set(table.get("worst", [])) | set(table.get("best", []))
    assert set(found.exports["disparities"]["statistic"]) >= {"gap_to_rest"}
    assert not (set(found.exports["disparities"]["statistic"]) & {"gap_to_reference"})


def test_the_tables_of_the_card_hold_no_row_of_the_suppressed_accent() -> None:
    found = shown(5).tables
    for name in ("utterances", "trials", "scores", "acoustics", "transcripts", "renderings"):
        assert not found[name]["utterance_id"].str.startswith("hidden").any()


def test_groups_within_an_accent_that_would_be_too_small_are_suppressed_by_name() -> None:
    found = shown(5)  # six women and six men in each accent
    table = found.exports["intersections"]
    assert set(table["support"]) == {"suppressed"}
    assert len(found.publication.groups) == len(table) == 6


def test_rates_are_rounded_to_a_tenth_of_a_point_and_words_to_ten() -> None:
    table = pd.DataFrame({"wer": [0.12345], "n_ref_words": [1234], "insertions": [16], "n_speakers": [13],
                          "p": [0.00049], "k_eff": [12.3456], "ranked": [True], "value": [0.98765]})  # fmt: skip
    found = rounded_table(table).iloc[0].to_dict()
    assert found == {"wer": 0.123, "n_ref_words": 1230, "insertions": 20, "n_speakers": 13, "p": 0.00049, "k_eff": 12.3,
                     "ranked": True, "value": 0.988}  # fmt: skip
    values = {"cells": [{"wer": 0.12345, "n_ref_words": 1234, "ranked": True, "note": "x", "ci_low": None}]}
    assert rounded_values(values) == {
        "cells": [{"wer": 0.123, "n_ref_words": 1230, "ranked": True, "note": "x", "ci_low": None}]
    }


@pytest.mark.parametrize(("floor", "speakers"), [(None, 10), (20, 20), ("off", None), (False, None)])
def test_the_floor_is_ten_unless_the_study_says_otherwise(floor: object, speakers: int | None) -> None:
    assert rule(PublishSettings.model_validate({"floor": floor}), None).floor == speakers


@pytest.mark.parametrize("floor", [0, 4, "none", True])
def test_a_floor_below_five_is_refused(floor: object) -> None:
    with pytest.raises(ValueError, match="floor"):
        PublishSettings.model_validate({"floor": floor})


def test_a_run_suppresses_by_default_and_a_declared_choice_shows_everything(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    fixed = [*manifest_overrides(make_corpus()), "asr=scripted", "conditions=[clean]", "stats.permutations=99"]

    def study(*overrides: str) -> Outcome:
        study = build(composed(*fixed, *overrides, "run_name=mine"))
        return run(study, store_path=tmp_path / "store.db", overrides=[])

    # five speakers an accent
    hidden = study("corpus.public=false")
    cells = pd.read_csv(hidden.folder / "cells.csv")
    assert set(cells["support"]) == {"suppressed"}
    assert pd.read_parquet(hidden.folder / "cells.parquet")["n_ref_words"].gt(0).all()
    page = (hidden.folder / "card.md").read_text()
    assert "Suppressed, because" in page
    assert "| north | suppressed |" in page
    shown = study("corpus.public=false", "stages=[write_card]", "card.publish.floor=off")
    assert "off: the publisher chose so" in (shown.folder / "card.md").read_text()
    assert pd.read_csv(shown.folder / "cells.csv")["wer"].notna().all()
    assert shown.record.analysis_changes[0].changed == ['card.publish.floor: null -> "off"']


def test_words_are_rounded_whatever_their_column_and_trials_and_small_p_values_are_not() -> None:
    signs = pd.DataFrame({"measure": ["insertion_rate", "candidates", "omnibus_p"], "count": [43, 43, 0],
                          "base": [1234, 123, 1], "value": [0.034846, 0.349593, 0.0004]})  # fmt: skip
    found = rounded_table(signs)
    assert found["count"].tolist() == [40, 43, 0]
    assert found["base"].tolist() == [1230, 123, 1]
    assert found["value"].tolist() == [0.035, 0.35, 0.0004]
    assert rounded_values(signs.to_dict("records")) == found.to_dict("records")
    rates = {"n_ref_characters": 6174, "character_errors": 611, "n_no_reference_words": 3, "false_rate": 0.00024309}
    assert rounded_values(rates) == {"n_ref_characters": 6170, "character_errors": 610, "n_no_reference_words": 3,
                                     "false_rate": 0.00024}  # fmt: skip
    assert rounded_table(pd.DataFrame([rates])).iloc[0].to_dict() == rounded_values(rates)
