"""The table of the mixed model: what it estimates, what it refuses, and that it stays a confirmation."""

import importlib.util
import math

import numpy as np
import pandas as pd
import pytest

from pipeline import tables
from pipeline.errors import MissingPrerequisite
from pipeline.regression_table import Regressions
from pipeline.stats.interaction import interactions
from pipeline.stats.regression import CONFIRMATION, NO_REACTION, regressions
from pipeline.stats.settings import StatsSettings

ASKED = StatsSettings(regression=True, permutations=99)
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("glmm") is None, reason="the extra 'regression' is not installed"
)


HARM = math.log(1.6)


def planted(draw, seed=3):
    return draw(
        np.random.default_rng(seed),
        sizes=[20, 20, 20],
        conditions={"clean": 0.0, "babble": 0.5, "codec": 0.2},
        slope_sd=0.15,
        harm={(1, "babble"): HARM},
        utterances=40,
    )


def row_of(table, accent, condition):
    return table[(table["accent"] == accent) & (table["condition"] == condition)].iloc[0]


def test_nothing_is_fitted_unless_asked(draw):
    assert regressions(planted(draw), StatsSettings(), synthetic=False).empty


def test_asked_for_without_the_engine_it_stops_instead_of_leaving_the_table_empty(draw, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPrerequisite, match="regression"):
        regressions(planted(draw), ASKED, synthetic=False)


@needs_engine
def test_a_planted_harm_is_found_with_its_size_and_its_place(draw):
    table = regressions(planted(draw), ASKED, synthetic=False)
    # against the mean of two accents that are not harmed the whole factor is extra
    harmed = row_of(table, "accent0001", "babble")
    assert harmed["ci_low"] < 1.6 < harmed["ci_high"]
    assert harmed["ci_low"] > 1
    assert row_of(table, "accent0001", "codec")["ci_low"] < 1 < row_of(table, "accent0001", "codec")["ci_high"]
    # the mean factor of babble over the accents holds a third of the harm
    assert row_of(table, "", "babble")["log_ratio"] == pytest.approx(0.5 + math.log(1.6) / 3, abs=0.15)
    assert harmed["speaker_sd"] == pytest.approx(0.45, abs=0.12)
    assert table["converged"].all()


@needs_engine
def test_the_model_and_the_paired_log_ratios_agree_on_sizes(draw):
    scores = planted(draw, seed=4)
    model = regressions(scores, ASKED, synthetic=False).set_index(["accent", "condition"])
    paired = interactions(scores, ASKED, synthetic=False).set_index(["accent", "condition"])
    for key in [(f"accent000{accent}", condition) for accent in range(3) for condition in ("babble", "codec")]:
        assert abs(model.loc[key, "log_ratio"] - paired.loc[key, "log_ratio"]) < model.loc[key, "standard_error"]


@needs_engine
def test_every_estimate_says_that_it_is_a_confirmation_and_carries_no_p(draw):
    table = regressions(planted(draw), ASKED, synthetic=True)
    assert table["note"].str.startswith(CONFIRMATION).all()
    assert not [name for name in table.columns if name.startswith("p")]
    assert table["synthetic"].all()
    assert (table["engine"] == "glmm 0.6.2").all()


@needs_engine
def test_the_order_of_the_rows_changes_nothing(draw):
    scores = planted(draw)
    shuffled = regressions(scores.sample(frac=1, random_state=1), ASKED, synthetic=False)
    pd.testing.assert_frame_equal(shuffled, regressions(scores, ASKED, synthetic=False))


@needs_engine
def test_extra_log_ratios_of_two_accents_are_opposite_and_none_is_lost(make_speakers):
    rows = [
        (accent, f"s{speaker}", condition, 100, base + speaker + 4 * (condition == "noise") * (1 + (accent == "b")))
        for accent, base in (("a", 5), ("b", 9))
        for speaker in range(6)
        for condition in ("clean", "noise")
    ]
    table = regressions(make_speakers(rows), ASKED, synthetic=False)
    assert row_of(table, "a", "noise")["log_ratio"] == pytest.approx(-row_of(table, "b", "noise")["log_ratio"])
    assert sorted(table["accent"]) == ["", "a", "b"]


@needs_engine
def test_accents_that_cannot_be_compared_have_a_row_that_says_why(make_speakers):
    rows = [
        (accent, f"s{speaker}", condition, 100, errors + (speaker if errors else 0))
        for accent, errors, heard in (
            ("few", 5, 2), ("one, condition", 5, 6), ("silent\nerrors", 0, 6), ("x", 5, 6), ("\U0001f442", 9, 6)
        )
        for speaker in range(heard)
        for condition in (("clean",) if accent == "one, condition" else ("clean", "noise"))
    ]  # fmt: skip
    table = regressions(make_speakers(rows), ASKED, synthetic=False)
    assert "fewer than 5 named speakers" in row_of(table, "few", "noise")["note"]
    assert "not heard in both conditions" in row_of(table, "one, condition", "noise")["note"]
    assert "no errors" in row_of(table, "silent\nerrors", "noise")["note"]
    assert row_of(table, "x", "noise")["converged"]
    assert row_of(table, "\U0001f442", "noise")["n_speakers"] == 12


@needs_engine
@pytest.mark.parametrize("case", ["one accent", "one condition", "no errors", "one speaker", "no names", "wer 28"])
def test_a_poor_study_gives_a_valid_table_that_says_what_is_missing(make_speakers, case):
    accents = ["a"] if case == "one accent" else ["a", "b"]
    conditions = ["clean"] if case == "one condition" else ["clean", "noise"]
    errors = {"no errors": 0, "wer 28": 1400}.get(case, 7)
    speakers = 1 if case == "one speaker" else 6
    rows = [
        (accent, None if case == "no names" else f"s{speaker}", condition, 50, errors * (1 + speaker % 3))
        for accent in accents
        for speaker in range(speakers)
        for condition in conditions
    ]
    table = tables.check(regressions(make_speakers(rows), ASKED, synthetic=False), Regressions, where="test")
    assert (table["note"] != "").all()
    assert table["ratio"].notna().any() == (case == "wer 28")


@needs_engine
def test_where_speakers_seem_to_react_alike_the_note_says_that_intervals_are_narrow(make_speakers):
    rows = [
        (accent, f"s{speaker}", condition, 100, factor * (10 + 2 * speaker))
        for accent in ("a", "b")
        for speaker in range(6)
        for condition, factor in (("clean", 1), ("noise", 2))
    ]
    table = regressions(make_speakers(rows), ASKED, synthetic=False)
    assert (table["speaker_condition_sd"] == 0).all()
    assert table["note"].str.contains(NO_REACTION, regex=False).all()
    assert row_of(table, "", "noise")["ratio"] == pytest.approx(2.0, rel=0.02)
