"""Intervals with a borrowed variance: the published behavior, and where there is none."""

import math

import numpy as np
import pytest
from scipy.stats import t as student

from pipeline.stats.cells import cells
from pipeline.stats.jackknife import log_variance
from pipeline.stats.moderation import borrowed
from pipeline.stats.second_intervals import Spread, borrowed_intervals
from pipeline.stats.settings import StatsSettings

ALIKE = {name: Spread(0.2, 0.04, 5.0) for name in "abcd"}


def test_variances_that_differ_no_more_than_chance_are_all_taken_as_one():
    # four equal variances on 4 degrees each: the common one on all 16, and not on infinitely many
    found = borrowed_intervals(ALIKE, confidence=0.95)["a"]
    # s^2 = k_eff V = .2; its logarithm is biased by digamma(d/2) - log(d/2), and digamma(2) = 1 - Euler's constant
    shared = 0.2 * 2 * math.exp(-(1 - np.euler_gamma)) / 5
    width = student.ppf(0.975, 16) * math.sqrt(shared)
    assert found.low == pytest.approx(0.2 * math.exp(-width), rel=1e-9)
    assert found.high == pytest.approx(0.2 * math.exp(width), rel=1e-9)


def test_the_prior_degrees_of_a_large_family_are_recovered():
    rng = np.random.default_rng(1)
    # true variances are 0.2 * 8 / chi2(8): d0 = 8, s0^2 = 0.2; each is then seen on 4 degrees
    true = 0.2 * 8 / rng.chisquare(8, 20_000)
    seen = true * rng.chisquare(4, 20_000) / 4
    variances, degrees = borrowed(seen, np.full(20_000, 4.0))
    assert degrees == pytest.approx(np.full(20_000, 12.0), rel=0.1)
    assert variances == pytest.approx((8 * 0.2 + 4 * seen) / 12, rel=0.1)


@pytest.mark.parametrize("k", [3, 5, 10])
def test_twelve_cells_are_covered_as_published_and_narrower(k):
    # published over 12 balanced cells: .935 / .936 / .944 at 3 / 5 / 10 speakers; 2,400 cells have an error of .005
    rng = np.random.default_rng(k)
    covered, folds = [], []
    for _ in range(200):
        errors, words = _twelve(rng, k)
        rates, logs = errors.sum(axis=1) / words.sum(axis=1), map(log_variance, errors, words)
        k_eff = words.sum(axis=1) ** 2 / np.square(words).sum(axis=1)
        spreads = {str(place): Spread(*one) for place, one in enumerate(zip(rates, logs, k_eff, strict=True))}
        for one in borrowed_intervals(spreads, confidence=0.95).values():
            covered.append(one.low <= 0.2 <= one.high)
            folds.append(math.sqrt(one.high / one.low))
    assert len(covered) > 2300
    assert np.mean(covered) == pytest.approx({3: 0.935, 5: 0.936, 10: 0.944}[k], abs=0.025)
    # published median fold errors: 1.8 / 1.6 / 1.4
    assert np.median(folds) == pytest.approx({3: 1.8, 5: 1.6, 10: 1.4}[k], abs=0.15)


def _twelve(rng, k):
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, (12, k, 20)))).astype(int)
    mean = 0.2 * np.exp(rng.normal(-(0.45**2) / 2, 0.45, (12, k, 1))) * words
    return rng.negative_binomial(2, 2 / (2 + mean)).sum(axis=2), words.sum(axis=2)


@pytest.mark.parametrize(
    ("spreads", "who"),
    [
        ({name: ALIKE[name] for name in "ab"}, "abcd"),
        (ALIKE | {"e": Spread(0.2, math.nan, 1.0)}, "e"),
        (ALIKE | {"e": Spread(0.2, 0.0, 6.0)}, "e"),
        ({name: Spread(0.2, 4.0, 3.0) for name in "abcd"}, "abcd"),
    ],
    ids=["two accents lend too little", "one speaker", "all alike", "too wide even so"],
)
def test_there_is_no_borrowed_interval(spreads, who):
    assert not set(who) & set(borrowed_intervals(spreads, confidence=0.95))


def test_two_speakers_get_a_borrowed_interval_and_none_of_their_own(make_speakers):
    rows = [(accent, f"s{s}", "clean", 100, 15 + 4 * s + 3 * (accent == "b")) for accent in "abc" for s in range(6)]
    rows += [("few", f"s{s}", "clean", 100, 15 + 9 * s) for s in range(2)]
    table = cells(make_speakers(rows), StatsSettings(), synthetic=False).set_index("accent")
    assert table.loc["few", "support"] == "insufficient"
    assert math.isnan(table.loc["few", "ci_low"])
    assert table.loc["few", "borrowed_low"] < table.loc["few", "wer"] < table.loc["few", "borrowed_high"]
    assert math.isnan(table.loc["ALL", "borrowed_low"]), "the pool neither lends nor borrows"
