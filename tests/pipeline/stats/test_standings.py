"""Where accents stand: shrinkage, places, equivalence verdicts, and what is said of those that are not compared."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.stats.counts import Group, Unit
from pipeline.stats.disparity import disparities
from pipeline.stats.equivalence import HARDLY, Verdict, equivalence
from pipeline.stats.multiplicity import holm
from pipeline.stats.settings import StatsSettings
from pipeline.stats.standings import standings

QUICK = StatsSettings(permutations=99)
PLAIN = {"a": [10, 12, 8, 11, 9], "b": [22, 18, 20, 25, 15], "c": [15, 13, 17, 14, 16]}


def table_of(scores, settings=QUICK):
    return standings(scores, settings, synthetic=False).set_index("accent")


def accents_of(make_speakers, by_accent, words=100):
    return make_speakers(
        [
            (accent, f"s{place}", "clean", words, errors)
            for accent, every in by_accent.items()
            for place, errors in enumerate(every)
        ]
    )


def summary(scores, statistic, settings=QUICK):
    table = disparities(scores, settings, synthetic=False)
    return table[table["statistic"] == statistic].iloc[0]


def drawn(rng, size, wer, *, utterances=20, accent="a"):
    """One accent of speakers as the method was calibrated on (statistics: 3.5)."""
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, (size, utterances))))
    mean = wer * np.exp(rng.normal(-(0.45**2) / 2, 0.45, size))[:, None] * words
    errors = rng.negative_binomial(2, 2 / (2 + mean)).sum(axis=1)
    units = tuple(Unit(accent, f"s{place}", True) for place in range(size))
    return Group(accent, units, errors, words.sum(axis=1).astype(np.int64))


def test_shrunken_wers_lie_between_the_raw_one_and_the_others(make_speakers):
    found = table_of(accents_of(make_speakers, PLAIN))
    assert found.loc["a", "wer"] == pytest.approx(0.10)
    assert 0.10 < found.loc["a", "shrunken_wer"] < 0.15
    assert 0.15 < found.loc["b", "shrunken_wer"] < 0.20
    assert found["p_worst"].idxmax() == "b"
    assert found["p_best"].idxmax() == "a"
    assert found["p_worst"].sum() == pytest.approx(1)
    assert (found["shrunken_low"] < found["shrunken_wer"]).all()


def test_the_table_and_the_summary_speak_of_one_model(make_speakers):
    scores = accents_of(make_speakers, PLAIN)
    found, gap = table_of(scores), summary(scores, "model_gap")
    assert gap["ci_low"] < found["shrunken_wer"].max() - found["shrunken_wer"].min() < gap["ci_high"]
    assert summary(scores, "model_gap_above")["value"] > 0.5
    assert summary(scores, "between_accent_sd")["ci_low"] > 0
    assert "no test" in gap["note"]


def test_the_ratio_interval_is_the_ninety_percent_jackknife_by_hand(make_speakers):
    found = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="a", permutations=99))
    parts = []
    for accent in ("a", "c"):
        whole = sum(PLAIN[accent])
        parts.append(4 / 5 * sum(math.log((whole - each) / 400 / (whole / 500)) ** 2 for each in PLAIN[accent]))
    degrees, error = sum(parts) ** 2 / sum(part**2 / 4 for part in parts), math.sqrt(sum(parts))
    width = stats.t.ppf(0.95, degrees) * error
    row = found.loc["c"]
    assert (row["ratio"], row["against"]) == (pytest.approx(1.5), "a")
    assert (row["ratio_low"], row["ratio_high"]) == pytest.approx((1.5 * math.exp(-width), 1.5 * math.exp(width)))
    tests = [stats.t.cdf((sign * math.log(1.5) - math.log(1.25)) / error, degrees) for sign in (1, -1)]
    assert row["p_equivalent"] == pytest.approx(max(tests))
    assert (found.loc["a", "verdict"], found.loc["a", "against"]) == ("", "")
    assert found.loc["a", "note"].endswith("the reference")


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([50, 51, 49, 50, 50], "equivalent"),
        ([90, 91, 89, 90, 90], "worse"),
        ([20, 21, 19, 20, 20], "better"),
        ([10, 90, 50, 20, 80], "inconclusive"),
    ],
)
def test_the_verdict_follows_from_where_the_interval_lies(make_speakers, errors, verdict):
    scores = accents_of(make_speakers, {"r": [50, 52, 48, 51, 49], "x": errors})
    assert table_of(scores, StatsSettings(reference_accent="r", permutations=99)).loc["x", "verdict"] == verdict


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.6), st.floats(1.05, 3.0))
def test_two_one_sided_tests_and_the_interval_never_disagree(seed, wer, margin):
    rng = np.random.default_rng(seed)
    one, other = drawn(rng, 8, wer), drawn(rng, 8, 0.2)
    found = equivalence(one, [other], margin=margin, level=0.05)
    if found.interval is None:
        assert found.verdict == Verdict.INCONCLUSIVE
        return
    assert (found.p_equivalent <= 0.05) == (found.verdict == Verdict.EQUIVALENT)
    assert (found.p_worse < 0.05) == (found.verdict == Verdict.WORSE)


@pytest.mark.parametrize("size", [30, 60, 100])
def test_a_true_ratio_at_the_margin_is_not_passed_more_often_than_promised(size):
    # 3.5, a true ratio of 1.25: declared equivalent in 1.4% / 5.8% / 5.8% with 30 / 60 / 100 speakers
    rng = np.random.default_rng(size)
    found = [
        equivalence(drawn(rng, size, 0.25), [drawn(rng, size, 0.2)], margin=1.25, level=0.05).verdict
        for _ in range(600)
    ]
    assert np.mean([verdict == Verdict.EQUIVALENT for verdict in found]) <= 0.07


def test_equality_is_shown_with_many_speakers_and_not_with_few():
    # 3.5: declared equivalent 0% with 10 speakers, 79% with 100
    rng = np.random.default_rng(10)
    shown = {}
    for size in (10, 100):
        found = [
            equivalence(drawn(rng, size, 0.2), [drawn(rng, size, 0.2)], margin=1.25, level=0.05).verdict
            for _ in range(100)
        ]
        shown[size] = np.mean([verdict == Verdict.EQUIVALENT for verdict in found])
    assert shown[10] <= 0.03
    assert shown[100] == pytest.approx(0.79, abs=0.14)


def test_without_disparity_an_accent_is_hardly_ever_called_worse():
    rng = np.random.default_rng(11)
    found = []
    for _ in range(60):
        groups = [drawn(rng, 10, 0.2) for _ in range(12)]
        each = [equivalence(one, [o for o in groups if o is not one], margin=1.25, level=0.05) for one in groups]
        found.append(min(holm([one.p_worse for one in each])) < 0.05)
    assert np.mean(found) <= 0.05


def test_few_speakers_are_said_to_show_no_equivalence(make_speakers):
    scores = accents_of(make_speakers, PLAIN)
    assert HARDLY in table_of(scores).loc["a", "note"]
    assert HARDLY not in table_of(scores, StatsSettings(equivalence_margin=2.0, permutations=99)).loc["a", "note"]


def test_all_must_pass_and_the_largest_p_is_that_of_all(make_speakers):
    near = {"r": [50, 52, 48, 51, 49], "x": [50, 51, 49, 50, 50], "y": [51, 52, 50, 51, 51]}
    chosen = StatsSettings(reference_accent="r", permutations=99)
    scores = accents_of(make_speakers, near)
    row, found = summary(scores, "all_within_margin", chosen), table_of(scores, chosen)
    assert row["p"] == pytest.approx(found["p_equivalent"].max())
    assert row["p"] < 0.05
    assert "2 of 2" in row["note"]
    spoilt = accents_of(make_speakers, near | {"z": [70, 72, 71, 69, 73]})
    assert summary(spoilt, "all_within_margin", chosen)["p"] > 0.05
    worse = summary(spoilt, "some_worse_than_margin", chosen)
    assert (worse["worst"], worse["p"] < 0.05) == ("z", True)


def test_holm_is_that_of_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []


def test_an_accent_below_the_floor_is_there_and_says_why(make_speakers):
    scores = accents_of(make_speakers, PLAIN | {"tiny": [99, 99], "gone": [0]})
    scores.loc[scores["accent"] == "gone", ["hits", "substitutions"]] = 0
    found = table_of(scores)
    assert found.loc["tiny", "wer"] == pytest.approx(0.99)
    assert "fewer than 5 named speakers" in found.loc["tiny", "note"]
    assert "no reference words" in found.loc["gone", "note"]
    assert math.isnan(found.loc["tiny", "p_worst"])
    assert found.loc["tiny", "verdict"] == ""


def test_one_accent_alone_stands_nowhere(make_speakers):
    row = table_of(accents_of(make_speakers, {"only": [1, 2, 3, 4, 5]})).loc["only"]
    assert math.isnan(row["shrunken_wer"])
    assert row["verdict"] == ""
    assert "no other accent" in row["note"]


def test_speakers_who_all_err_alike_are_not_certainly_equivalent(make_speakers):
    found = table_of(accents_of(make_speakers, {"a": [50] * 5, "b": [50] * 5}))
    assert found["verdict"].tolist() == ["inconclusive"] * 2
    assert found["note"].str.contains("all err alike").all()


def test_a_reference_that_cannot_be_used_is_named_and_the_rest_takes_its_place(make_speakers):
    found = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="r", permutations=99))
    assert found["against"].tolist() == ["rest"] * 3
    assert found["note"].str.contains("'r' has fewer than 5").all()


def test_an_accent_in_one_condition_only_stands_there_alone(make_speakers):
    rows = [(a, f"s{p}", c, 100, e) for a, every in PLAIN.items() for p, e in enumerate(every) for c in ("clean", "x")]
    rows += [("solo", f"s{place}", "x", 100, 30 + place) for place in range(5)]
    found = standings(make_speakers(rows), QUICK, synthetic=False)
    assert found[found["accent"] == "solo"]["condition"].tolist() == ["x"]
    assert (found[found["condition"] == "clean"]["accent"]).tolist() == ["a", "b", "c"]
