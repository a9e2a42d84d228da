"""The table of a plan: what each cell detects, and what more it would take."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from pipeline.stats.plan import Assumed, Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import Spread
from pipeline.stats.settings import StatsSettings

SPREAD = Spread(sigma=0.45, phi=2.96, slope_sd=0.2, paired_phi=2.96)
ALONE = PlanSettings(multiplicity="none")
CONDITIONS = ("clean", "noise")


def speakers(*words, unnamed=0):
    return Speakers(np.array(words, dtype=np.int64), len(words) + unnamed, unnamed)


def table_of(accents, *, plan=ALONE, conditions=CONDITIONS, wer=0.2, **settings):
    assumed = Assumed(
        dict.fromkeys(conditions, SPREAD),
        {(accent, condition): wer for accent in accents for condition in conditions},
        dict.fromkeys(conditions, "assumed"),
    )
    return plan_table(accents, conditions, assumed, settings=StatsSettings(**settings), plan=plan)


def row(table, accent, question="disparity", condition=None):
    chosen = table[(table["accent"] == accent) & (table["question"] == question)]
    return chosen[chosen["condition"] == condition].iloc[0] if condition else chosen.iloc[0]


TWO = {"a": speakers(*[310] * 20), "b": speakers(*[310] * 20)}


def test_each_of_two_accents_is_told_the_published_number_of_speakers():
    assert row(table_of(TWO), "a")["speakers_each"] == pytest.approx(88, rel=0.04)


def test_two_accents_with_that_many_speakers_detect_the_ratio():
    accents = {name: speakers(*[310] * 87) for name in "ab"}
    assert row(table_of(accents), "a")["detectable_ratio"] == pytest.approx(1.25, abs=0.002)
    assert row(table_of(accents, plan=PlanSettings(multiplicity="none", ratio=1.251)), "a")["extra_speakers"] == 0


@pytest.mark.parametrize("question", ["disparity", "interaction"])
def test_the_extra_speakers_make_the_ratio_detectable_and_one_fewer_does_not(question):
    accents = {"few": speakers(*[200] * 8), "b": speakers(*[310] * 300), "c": speakers(*[310] * 300)}
    extra = int(row(table_of(accents), "few", question)["extra_speakers"])
    assert extra > 0

    def detectable(more):
        grown = accents | {"few": speakers(*[200] * (8 + more))}
        return row(table_of(grown), "few", question)["detectable_ratio"]

    assert detectable(extra) <= 1.25 < detectable(extra - 1)


def test_where_the_others_are_too_few_no_number_of_speakers_is_told():
    accents = {"many": speakers(*[310] * 200), "few": speakers(*[310] * 6)}
    found = row(table_of(accents), "many")
    assert math.isnan(found["extra_speakers"])
    assert "the others need more" in found["note"]


def test_holm_divides_alpha_by_the_cells_that_are_compared():
    accents = TWO | {"thin": speakers(100, 100)}
    table = table_of(accents, plan=PlanSettings())
    assert row(table, "a")["alpha"] == pytest.approx(0.05 / 4)
    assert row(table, "a", "interaction")["alpha"] == pytest.approx(0.05 / 2)
    assert row(table, "a")["detectable_ratio"] > row(table_of(accents), "a")["detectable_ratio"]


def test_an_accent_below_the_floor_is_told_how_many_more_it_needs_to_be_compared():
    accents = {"thin": speakers(310, 310), "b": speakers(*[310] * 50), "c": speakers(*[310] * 50)}
    found = row(table_of(accents, plan=PlanSettings(ratio=90.0, multiplicity="none")), "thin")
    assert math.isnan(found["detectable_ratio"])
    assert "below the floor of 5" in found["note"]
    assert found["extra_speakers"] == 3


def test_a_speaker_who_says_nearly_everything_is_no_group():
    accents = TWO | {"lopsided": speakers(10_000, *[10] * 9)}
    found = row(table_of(accents), "lopsided")
    assert math.isnan(found["detectable_ratio"])
    assert "effective speakers" in found["note"]


def test_an_accent_without_names_and_one_without_words_are_said_not_to_be_compared():
    table = table_of(TWO | {"nameless": speakers(unnamed=9), "mute": speakers()})
    assert "without a named speaker" in row(table, "nameless")["note"]
    assert row(table, "mute")["n_ref_words"] == 0
    assert table.loc[table["accent"].isin(["nameless", "mute"]), "detectable_ratio"].isna().all()


def test_one_accent_alone_has_nobody_to_be_compared_with():
    table = table_of({"a": speakers(*[310] * 20)})
    assert table["note"].str.contains("nobody to compare with").all()
    assert (table["speakers_each"] > 50).any()


def test_with_a_reference_accent_each_is_compared_with_it_alone_and_it_with_nobody():
    accents = TWO | {"c": speakers(*[310] * 20)}
    table = table_of(accents, reference_accent="a")
    asked = table[table["question"] == "disparity"]
    assert set(asked["accent"]) == {"b", "c"}
    assert set(asked["against"]) == {"a"}
    assert row(table, "b")["detectable_ratio"] == pytest.approx(row(table_of(TWO), "b")["detectable_ratio"])


def test_without_the_reference_condition_only_disparities_are_planned():
    assert set(table_of(TWO, conditions=("noise",))["question"]) == {"disparity"}


def test_the_reference_condition_itself_does_nothing_beyond_itself():
    table = table_of(TWO)
    assert set(table.loc[table["question"] == "interaction", "condition"]) == {"noise"}


@given(st.dictionaries(st.text(max_size=8), st.lists(st.integers(1, 2000), max_size=12), min_size=1, max_size=4))
@budget(max_examples=25, deadline=None)
def test_any_corpus_has_a_row_for_every_question_and_nothing_is_dropped(words):
    accents = {name: speakers(*each) for name, each in words.items()}
    table = table_of(accents)
    assert len(table) == 3 * len(accents)
    known = table["detectable_ratio"].dropna()
    assert (known >= 1).all()
    assert np.isfinite(known).all()
