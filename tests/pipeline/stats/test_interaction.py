"""The paired accent x condition test."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.stats.counts import Group, Unit
from pipeline.stats.interaction import interactions
from pipeline.stats.maxt import contrasts, family
from pipeline.stats.paired import Changes, PairedAccent, changes, null_weights, paired_accents
from pipeline.stats.settings import StatsSettings

QUICK = StatsSettings(permutations=199)
TWO = {"clean": 0.0, "noise": 0.5}


def table_of(scores, settings=QUICK):
    return interactions(scores, settings, synthetic=False)


def row(table, accent, condition="noise"):
    return table[(table["accent"] == accent) & (table["condition"] == condition)].iloc[0]


def paired(make_speakers, by_accent, words=100):
    rows = []
    for accent, every in by_accent.items():
        for place, (before, after) in enumerate(every):
            rows += [(accent, f"s{place}", "clean", words, before), (accent, f"s{place}", "noise", words, after)]
    return make_speakers(rows)


PLAIN = {
    "a": [(10, 20), (12, 19), (8, 20), (11, 18), (9, 23)],
    "b": [(20, 30), (18, 33), (22, 30), (25, 44), (15, 20)],
    "c": [(10, 55), (12, 70), (8, 50), (11, 48), (9, 60)],
}


def test_the_log_change_of_a_speaker_by_hand():
    units = (Unit("a", "s0", True), Unit("a", "s1", True))
    before = Group("a", units, np.array([0, 10]), np.array([100, 100]))
    after = Group("a", units, np.array([4, 10]), np.array([100, 100]))
    found = changes([PairedAccent(before, after, ranked=True)], "noise")
    assert found.log_change.tolist() == pytest.approx([math.log(4.5 / 0.5), 0.0])


def test_the_null_weights_recover_a_known_variance():
    rng = np.random.default_rng(1)
    sampling = rng.uniform(0.05, 0.5, 20_000)
    weights = null_weights(rng.normal(0.3, np.sqrt(0.04 + 2 * sampling)), sampling)
    np.testing.assert_allclose(1 / weights, 0.04 + 2 * sampling, rtol=0.1)


def test_weights_are_equal_where_nothing_varies():
    assert null_weights(np.full(4, 0.7), np.array([0.1, 0.2, 0.3, 0.4])).tolist() == [1, 1, 1, 1]


def test_t_and_f_with_equal_weights_are_those_of_the_textbook():
    values = {"a": [0.1, 0.5, 0.3], "b": [0.9, 0.7, 1.1, 0.6], "c": [0.2, 0.4, 0.1]}
    speakers = tuple(Unit(accent, str(place), True) for accent, every in values.items() for place in range(len(every)))
    flat = np.array([value for every in values.values() for value in every])
    given = family([Changes("noise", speakers, flat, np.ones(10))])
    found = contrasts(given, given.labels[None, :])
    assert found.f[0, 0] == pytest.approx(stats.f_oneway(*values.values()).statistic)
    within = sum(np.var(every) * len(every) for every in values.values()) / 7
    rest = np.array(values["a"] + values["c"])
    t = (np.mean(values["b"]) - rest.mean()) / math.sqrt(within * (1 / 4 + 1 / 6))
    assert found.t[0, 1, 0] == pytest.approx(t)
    assert found.degrees[0, 0] == 7


def test_the_ratio_is_the_extra_degradation_and_its_interval_is_that_of_t(make_speakers):
    found = row(table_of(paired(make_speakers, PLAIN)), "c")
    assert found["ratio"] == pytest.approx(math.exp(found["log_ratio"]))
    error = found["log_ratio"] / found["statistic"]
    width = stats.t.ppf(0.975, 15 - 3) * error
    assert found["ci_low"] == pytest.approx(math.exp(found["log_ratio"] - width), rel=1e-9)
    assert found["ci_high"] == pytest.approx(math.exp(found["log_ratio"] + width), rel=1e-9)
    assert found["ratio"] > 2
    assert found["p_adjusted"] == pytest.approx(1 / 200)


def test_extra_points_are_a_difference_of_differences_by_hand(make_speakers):
    found = row(table_of(paired(make_speakers, PLAIN)), "c")
    own = [(after - before) / 100 for before, after in PLAIN["c"]]
    rest = [(after - before) / 100 for accent in ("a", "b") for before, after in PLAIN[accent]]
    # equal words: the jackknife of a pooled difference is the variance of a mean
    parts = [(np.var(own, ddof=1) / 5, 4), (np.var(rest, ddof=1) / 10, 9)]
    total = sum(part for part, _ in parts)
    width = stats.t.ppf(0.975, total**2 / sum(part**2 / d for part, d in parts)) * math.sqrt(total)
    value = np.mean(own) - np.mean(rest)
    assert found["extra_points"] == pytest.approx(value)
    assert (found["points_ci_low"], found["points_ci_high"]) == pytest.approx((value - width, value + width), rel=1e-9)


def test_omnibus_rows_stand_per_condition_and_over_all(make_speakers):
    table = table_of(paired(make_speakers, PLAIN))
    assert row(table, "")["p_adjusted"] < 0.05
    assert row(table, "", "")["statistic"] == pytest.approx(row(table, "")["statistic"])
    assert row(table, "", "")["n_speakers"] == 15


def test_only_utterances_heard_in_both_conditions_count(make_speakers, make_scores):
    scores = paired(make_speakers, PLAIN)
    extra = [
        {"utterance_id": f"only-{name}-{accent}-{place}", "accent": accent, "speaker_id": f"s{place}",
         "condition": name, "deletions": 500}
        for name, accent in (("clean", "a"), ("noise", "b")) for place in range(5)
    ]  # fmt: skip
    both = type(scores)({name: [*scores[name], *make_scores(extra)[name]] for name in scores})
    assert table_of(both.astype(scores.dtypes.to_dict())).equals(table_of(scores))


def test_a_different_utterance_order_pairs_the_same(make_speakers):
    scores = paired(make_speakers, PLAIN)
    found = paired_accents(scores.iloc[::-1], "clean", "noise", min_speakers=5)
    assert found["a"].before.errors.tolist() == [10, 12, 8, 11, 9]
    assert found["a"].after.errors.tolist() == [20, 19, 20, 18, 23]


def test_an_accent_below_the_floor_has_a_row_without_values_and_changes_nothing(make_speakers):
    with_few = table_of(paired(make_speakers, PLAIN | {"few": [(1, 90)] * 4}))
    found = row(with_few, "few")
    assert found["n_speakers"] == 4
    assert math.isnan(found["ratio"])
    assert "4 speakers" in found["note"]
    others = with_few[with_few["accent"] != "few"].reset_index(drop=True)
    assert others.equals(table_of(paired(make_speakers, PLAIN)))


def test_an_accent_heard_in_one_condition_only_has_a_row_that_says_so(make_speakers):
    scores = paired(make_speakers, PLAIN)
    table = table_of(scores[(scores["accent"] != "c") | (scores["condition"] == "clean")])
    assert row(table, "c")["n_speakers"] == 0
    assert math.isnan(row(table, "c")["statistic"])
    assert not math.isnan(row(table, "a")["statistic"])


def test_an_accent_that_misses_one_of_two_conditions_is_tested_in_the_other(draw):
    conditions = {"clean": 0.0, "noise": 0.5, "codec": 0.2}
    scores = draw(np.random.default_rng(2), sizes=[6] * 4, conditions=conditions, slope_sd=0.2)
    lost = (scores["accent"] == "accent0001") & (scores["condition"] == "codec")
    table = table_of(scores[~lost])
    assert math.isnan(row(table, "accent0001", "codec")["p_adjusted"])
    assert 0 < row(table, "accent0001", "noise")["p_adjusted"] <= 1
    assert row(table, "", "codec")["n_speakers"] == 18
    assert row(table, "", "")["n_speakers"] == 24


def test_without_the_reference_condition_the_table_says_what_is_missing(make_speakers):
    scores = paired(make_speakers, PLAIN)
    for part in (scores[scores["condition"] == "noise"], scores[scores["condition"] == "clean"]):
        table = table_of(part)
        assert len(table) == 1
        assert "'clean'" in table.iloc[0]["note"]


def test_when_no_speaker_changes_there_is_nothing_to_test(make_speakers):
    table = table_of(paired(make_speakers, {name: [(0, 0)] * 5 for name in "ab"}))
    found = row(table, "a")
    assert (found["ratio"], found["extra_points"]) == (1, 0)
    assert math.isnan(found["p_adjusted"])
    assert math.isnan(found["points_ci_low"])


def test_identical_speakers_within_accents_give_a_finite_test(make_speakers):
    table = table_of(paired(make_speakers, {"a": [(10, 20)] * 5, "b": [(10, 40)] * 5}))
    assert math.isfinite(row(table, "b")["statistic"])
    assert row(table, "b")["p_adjusted"] < 0.05


def test_a_planted_interaction_is_found_where_it_is(draw):
    conditions = {"clean": 0.0, "noise": 0.4, "codec": 0.2}
    scores = draw(
        np.random.default_rng(3), sizes=[10] * 6, conditions=conditions, accent_sd=0.25, slope_sd=0.2,
        harm={(4, "noise"): math.log(2.2)},
    )  # fmt: skip
    table = table_of(scores, StatsSettings(permutations=999))
    found = table[(table["accent"] != "") & (table["p_adjusted"] < 0.05)]
    assert list(zip(found["accent"], found["condition"], strict=True)) == [("accent0004", "noise")]
    assert found.iloc[0]["ci_low"] < 2.2 < found.iloc[0]["ci_high"]
    assert row(table, "")["p_adjusted"] < 0.05
    assert row(table, "", "")["p_adjusted"] < 0.05
    assert row(table, "", "codec")["p_adjusted"] > 0.05


def test_a_log_additive_world_has_extra_points_but_no_interaction(draw):
    # one accent has four times the errors of the others and every condition doubles everybody's
    scores = draw(
        np.random.default_rng(6), sizes=[60] * 3, conditions={"clean": 0.0, "noise": math.log(2)}, speaker_sd=0.2,
        slope_sd=0.1, wer=0.1, harm={(2, "clean"): math.log(4), (2, "noise"): math.log(4)},
    )  # fmt: skip
    found = row(table_of(scores), "accent0002")
    assert found["points_ci_low"] > 0.1
    assert found["ci_low"] < 1 < found["ci_high"]


@pytest.mark.slow
def test_the_pointwise_intervals_cover_what_was_planted(draw):
    # equal expected words an accent, so the pool of the others has the mean of their extra points
    rng, factor, size = np.random.default_rng(9), math.log(1.8), 6
    ratios, points = [], []
    for _ in range(200):
        levels = rng.normal(0, 0.25, size)
        harm = {(accent, name): levels[accent] for accent in range(size) for name in ("clean", "noise")}
        conditions = {"clean": 0.0, "noise": factor}
        table = table_of(draw(rng, sizes=[6] * size, conditions=conditions, slope_sd=0.2, harm=harm, wer=0.15))
        cells = table[table["accent"] != ""]
        harms = 0.15 * np.exp(levels) * (np.exp(factor + 0.2**2 / 2) - 1)
        truth = harms - (harms.sum() - harms) / (size - 1)
        ratios.append((cells["ci_low"] <= 1) & (cells["ci_high"] >= 1))
        points.append((cells["points_ci_low"] <= truth) & (cells["points_ci_high"] >= truth))
    assert 0.93 <= np.mean(ratios) <= 0.98
    # the absolute scale is skewed: 2,000 such cells were covered in .93
    assert 0.91 <= np.mean(points) <= 0.98


@pytest.mark.long  # as in tests/validity
def test_in_a_log_additive_world_some_accent_is_flagged_in_five_percent_of_studies(draw):
    rng, flagged, omnibus = np.random.default_rng(8), [], []
    conditions = {"clean": 0.0, "noise": 0.6, "codec": 0.3}
    for _ in range(150):
        scores = draw(rng, sizes=[10] * 12, conditions=conditions, accent_sd=0.25, slope_sd=0.2)
        table = table_of(scores)
        flagged.append((table.loc[table["accent"] != "", "p_adjusted"] <= 0.05).any())
        omnibus.append(row(table, "", "")["p_adjusted"] <= 0.05)
    assert np.mean(flagged) <= 0.07
    assert np.mean(omnibus) <= 0.09
