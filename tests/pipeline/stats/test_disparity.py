"""Gaps, ratios and the omnibus test across accents."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.stats.disparity import disparities
from pipeline.stats.settings import StatsSettings

QUICK = StatsSettings(permutations=199)


def table_of(scores, settings=QUICK):
    return disparities(scores, settings, synthetic=False)


def row(table, statistic, accent=""):
    return table[(table["statistic"] == statistic) & (table["accent"] == accent)].iloc[0]


def accents_of(make_speakers, by_accent, words=100):
    return make_speakers(
        [
            (accent, f"s{place}", "clean", words, errors)
            for accent, every in by_accent.items()
            for place, errors in enumerate(every)
        ]
    )


PLAIN = {"a": [10, 12, 8, 11, 9], "b": [22, 18, 20, 25, 15], "c": [15, 13, 17, 14, 16]}


def test_gap_and_ratio_of_worst_and_best(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN))
    gap, ratio = row(table, "gap_max_min"), row(table, "ratio_max_min")
    assert (gap["worst"], gap["best"], gap["n_groups"]) == ("b", "a", 3)
    assert gap["value"] == pytest.approx(0.20 - 0.10)
    assert ratio["value"] == pytest.approx(2.0)
    assert math.isnan(gap["ci_low"])
    assert "biased upward" in gap["note"]


def test_the_permutation_null_agrees_with_every_arrangement_counted(make_speakers):
    scores = accents_of(make_speakers, {"a": [1, 2, 30], "b": [4, 50, 6]})
    errors = [1, 2, 30, 4, 50, 6]
    gaps = [abs(2 * sum(chosen) - sum(errors)) / 300 for chosen in itertools.combinations(errors, 3)]
    found = row(table_of(scores, StatsSettings(min_speakers=3, permutations=20_000)), "gap_max_min")
    assert found["null_mean"] == pytest.approx(np.mean(gaps), rel=0.02)
    assert found["null_p95"] == pytest.approx(np.quantile(gaps, 0.95, method="higher"))


def test_the_gap_to_the_reference_by_hand(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="a", permutations=99))
    found = row(table, "gap_to_reference", "b")
    # equal words: the jackknife variance of a WER is the variance of the mean of the speakers' WERs
    parts = [np.var(np.array(PLAIN[accent]) / 100, ddof=1) / 5 for accent in ("a", "b")]
    degrees = sum(parts) ** 2 / sum(part**2 / 4 for part in parts)
    width = stats.t.ppf(0.975, degrees) * math.sqrt(sum(parts))
    assert found["value"] == pytest.approx(0.10)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((0.10 - width, 0.10 + width), rel=1e-9)


def test_the_ratio_to_the_reference_by_hand(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="a", permutations=99))
    found = row(table, "ratio_to_reference", "c")
    parts = []
    for accent in ("a", "c"):
        whole = sum(PLAIN[accent])
        parts.append(4 / 5 * sum(math.log((whole - each) / 400 / (whole / 500)) ** 2 for each in PLAIN[accent]))
    degrees = sum(parts) ** 2 / sum(part**2 / 4 for part in parts)
    width = stats.t.ppf(0.975, degrees) * math.sqrt(sum(parts))
    assert found["value"] == pytest.approx(1.5)
    assert found["ci_low"] == pytest.approx(1.5 * math.exp(-width), rel=1e-9)
    assert found["ci_high"] == pytest.approx(1.5 * math.exp(width), rel=1e-9)


def test_the_reference_is_not_compared_with_itself(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="a", permutations=99))
    assert table[table["statistic"] == "gap_to_reference"]["accent"].tolist() == ["b", "c"]
    assert not table["statistic"].str.endswith("_to_rest").any()


def test_without_a_reference_each_accent_meets_the_rest_with_equal_weights(make_speakers):
    scores = accents_of(make_speakers, PLAIN | {"c": PLAIN["c"] * 4})
    table = table_of(scores)
    assert row(table, "gap_to_rest", "a")["value"] == pytest.approx(0.10 - (0.20 + 0.15) / 2)
    assert row(table, "ratio_to_rest", "a")["value"] == pytest.approx(0.10 / 0.175)
    found = row(table, "gap_to_rest", "a")
    variances = {name: np.var(np.array(PLAIN[name]) / 100, ddof=1) / 5 for name in ("a", "b")}
    # accent c has each speaker four times: (k - 1) of the sample variance and k both grow
    variances["c"] = np.var(np.array(PLAIN["c"] * 4) / 100, ddof=1) / 20
    parts, counts = [variances["a"], variances["b"] / 4, variances["c"] / 4], [4, 4, 19]
    degrees = sum(parts) ** 2 / sum(part**2 / d for part, d in zip(parts, counts, strict=True))
    width = stats.t.ppf(0.975, degrees) * math.sqrt(sum(parts))
    assert found["ci_high"] - found["value"] == pytest.approx(width, rel=1e-9)


def test_a_reference_with_too_few_speakers_is_replaced_by_the_rest_and_named(make_speakers):
    scores = accents_of(make_speakers, PLAIN | {"r": [10, 11]})
    table = table_of(scores, StatsSettings(reference_accent="r", permutations=99))
    found = row(table, "gap_to_rest", "a")
    assert "'r'" in found["note"]
    assert found["n_groups"] == 3


def test_a_reference_that_nobody_speaks_is_named_too(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN), StatsSettings(reference_accent="no such", permutations=99))
    assert "'no such'" in row(table, "ratio_to_rest", "a")["note"]


def test_the_worst_accent_is_never_one_below_the_floor(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN | {"tiny": [99, 99, 99, 99], "perfect": [0]}))
    found = row(table, "gap_max_min")
    assert (found["worst"], found["best"], found["n_groups"]) == ("b", "a", 3)
    assert not table["accent"].isin(["tiny", "perfect"]).any()


def test_unnamed_speakers_are_never_ranked(make_speakers):
    rows = [("x", None, "clean", 100, 90)] * 9
    rows += [(accent, f"s{place}", "clean", 100, e) for accent, every in PLAIN.items() for place, e in enumerate(every)]
    assert row(table_of(make_speakers(rows)), "gap_max_min")["worst"] == "b"


def test_a_tie_goes_to_the_first_label_and_is_said(make_speakers):
    tied = {"b": [20] * 5, "a": [18, 22, 20, 20, 20], "c": [10, 11, 9, 10, 10]}
    found = row(table_of(accents_of(make_speakers, tied)), "gap_max_min")
    assert found["worst"] == "a"
    assert "2 tie for worst" in found["note"]


def test_when_all_accents_are_equal_nobody_is_worst(make_speakers):
    found = row(table_of(accents_of(make_speakers, {"a": PLAIN["a"], "b": PLAIN["a"]})), "gap_max_min")
    assert (found["worst"], found["best"], found["value"]) == ("", "", 0)
    assert "same WER" in found["note"]


def test_a_best_wer_of_zero_leaves_the_ratio_undefined(make_speakers):
    table = table_of(accents_of(make_speakers, PLAIN | {"z": [0] * 5}))
    assert math.isnan(row(table, "ratio_max_min")["value"])
    assert row(table, "gap_max_min")["value"] == pytest.approx(0.20)
    gap = row(table, "gap_to_rest", "z")
    assert math.isnan(gap["ci_low"])
    assert "no interval" in gap["note"]


def test_the_omnibus_statistic_by_hand(make_speakers):
    found = row(table_of(accents_of(make_speakers, PLAIN)), "omnibus_q")
    logs, variances = [], []
    for every in PLAIN.values():
        whole = sum(every)
        logs.append(math.log(whole / 500))
        variances.append(4 / 5 * sum(math.log((whole - each) / 400 / (whole / 500)) ** 2 for each in every))
    weights = [1 / each for each in variances]
    mean = sum(w * y for w, y in zip(weights, logs, strict=True)) / sum(weights)
    assert found["value"] == pytest.approx(sum(w * (y - mean) ** 2 for w, y in zip(weights, logs, strict=True)))
    assert found["p"] == pytest.approx(1 / 200)
    assert "own variances" in found["note"]


def test_small_groups_take_moderated_variances_and_the_note_says_so(make_speakers):
    scores = accents_of(make_speakers, PLAIN | {"d": [10, 12, 8]})
    found = row(table_of(scores, StatsSettings(min_speakers=3, permutations=199)), "omnibus_q")
    assert "moderated variances" in found["note"]
    assert found["p"] < 0.05


def test_many_speakers_without_errors_still_give_a_test(make_speakers):
    quiet = {"a": [0, 1, 0, 1, 1], "b": [1, 0, 1, 0, 1], "c": [30, 35, 28, 40, 31]}
    found = row(table_of(accents_of(make_speakers, quiet)), "omnibus_q")
    assert "half an error" in found["note"]
    assert found["p"] < 0.05


def test_a_planted_disparity_is_found(draw):
    scores = draw(np.random.default_rng(5), sizes=[10] * 6, harm={(2, "clean"): 1.1})
    table = table_of(scores, StatsSettings(permutations=999))
    assert row(table, "omnibus_q")["p"] < 0.01
    assert row(table, "gap_max_min")["worst"] == "accent0002"
    assert row(table, "ratio_to_rest", "accent0002")["ci_low"] > 1


def test_conditions_do_not_move_one_another(draw):
    both = draw(np.random.default_rng(7), sizes=[6] * 4, conditions={"clean": 0.0, "noise": 0.5})
    alone = table_of(both[both["condition"] == "noise"])
    among = table_of(both)
    among = among[among["condition"] == "noise"].reset_index(drop=True)
    assert alone.equals(among)


def test_without_any_disparity_the_naive_gap_is_still_eleven_points(draw):
    # statistics 3.1: 12 accents x 10 speakers, WER .2: 11.3 points on average, and the null mean says so
    rng = np.random.default_rng(11)
    found = [
        row(table_of(draw(rng, sizes=[10] * 12), StatsSettings(permutations=99)), "gap_max_min") for _ in range(30)
    ]
    assert np.mean([each["value"] for each in found]) == pytest.approx(0.113, abs=0.02)
    assert np.mean([each["null_mean"] for each in found]) == pytest.approx(0.113, abs=0.02)


@pytest.mark.long  # tests/validity has this of other accents
def test_without_any_disparity_the_omnibus_p_is_uniform(draw):
    rng = np.random.default_rng(12)
    found = [row(table_of(draw(rng, sizes=[10] * 12), QUICK), "omnibus_q")["p"] for _ in range(150)]
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.09
