"""The model of accents on log WER, the check without a prior, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.counts import Group, Unit
from pipeline.stats.heterogeneity import generalized_q, paule_mandel, q_profile
from pipeline.stats.hierarchy import GRID, draws, estimates, fit, posterior_of_tau


def group_of(accent, errors, words):
    units = tuple(Unit(accent, f"s{place}", True) for place in range(len(errors)))
    return Group(accent, units, np.array(errors, dtype=np.int64), np.array(words, dtype=np.int64))


def population(rng, *, tau, sizes, wer=0.2, utterances=20):
    """True WERs of accents with log-normal effects, and their speakers as the method was calibrated on."""
    true = wer * np.exp(rng.normal(0, tau, len(sizes))) if tau else np.full(len(sizes), wer)
    groups = []
    for place, size in enumerate(sizes):
        words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, (size, utterances))))
        mean = (true[place] * np.exp(rng.normal(-(0.45**2) / 2, 0.45, size)))[:, None] * words
        errors = rng.negative_binomial(2, 2 / (2 + mean)).sum(axis=1)
        groups.append(group_of(f"accent{place}", errors, words.sum(axis=1)))
    return true, groups


def model_of(groups, rng, *, material_gap=0.05):
    return fit(groups, estimates(groups), confidence=0.95, material_gap=material_gap, rng=rng)


def test_the_variances_are_those_of_the_specification_by_hand():
    groups = [group_of("a", [10, 20, 30], [100, 100, 100]), group_of("b", [5, 8, 7, 12], [50, 60, 70, 80])]
    found = estimates(groups)
    k_eff, jackknife = [], []
    for one in groups:
        whole, words = one.errors.sum(), one.words.sum()
        k_eff.append(words**2 / np.square(one.words).sum())
        moves = [
            math.log((whole - e) / (words - n) / (whole / words)) for e, n in zip(one.errors, one.words, strict=True)
        ]
        jackknife.append((len(moves) - 1) / len(moves) * sum(move**2 for move in moves))
    d = [each - 1 for each in k_eff]
    pooled = sum(d[a] * k_eff[a] * jackknife[a] for a in (0, 1)) / sum(d)
    for a in (0, 1):
        expected = (4 * pooled + d[a] * k_eff[a] * jackknife[a]) / ((4 + d[a]) * k_eff[a])
        assert found.variance[a] == pytest.approx(expected, rel=1e-12)
    assert found.log_wer == pytest.approx([math.log(60 / 300), math.log(32 / 260)])
    assert found.note == ""


def test_the_grid_agrees_with_a_two_dimensional_integral():
    logs, variances = np.log([0.15, 0.22, 0.31]), np.array([0.012, 0.02, 0.009])
    mu = np.linspace(-6, 3, 9001)
    for at in (10, 40, 120):
        total = variances + GRID[at] ** 2
        terms = -0.5 * (np.square(logs - mu[:, None]) / total + np.log(total)).sum(axis=1)
        by_hand = np.exp(terms).sum() * math.exp(-0.5 * (GRID[at] / 0.5) ** 2)
        if at == 10:
            first = by_hand
            continue
        density = posterior_of_tau(logs, variances)
        assert density[at] / density[10] == pytest.approx(by_hand / first, rel=1e-6)


def test_draws_have_the_moments_of_the_shrunken_estimates():
    # given tau: mean B mu + (1 - B) y and variance (1 - B) v + B^2 / precision, with B = v / (v + tau^2)
    rng = np.random.default_rng(2)
    logs = np.concatenate([rng.normal(-1.6, 0.3, 150), [-0.6]])
    tau, mu = draws(logs, np.full(151, 0.04), rng=rng)
    shrink, center = 0.04 / (0.04 + np.square(tau)), logs.mean()
    means = shrink * center + (1 - shrink) * logs[-1]
    variances = (1 - shrink) * 0.04 + shrink**2 * (0.04 + np.square(tau)) / 151
    assert mu[:, -1].mean() == pytest.approx(means.mean(), abs=0.006)
    assert mu[:, -1].var() == pytest.approx(variances.mean() + means.var(), rel=0.05)


def test_probabilities_of_being_worst_and_best_each_add_up_to_one():
    _, groups = population(np.random.default_rng(4), tau=0.2, sizes=[6, 8, 10])
    model = model_of(groups, np.random.default_rng(5))
    assert sum(model.p_worst) == pytest.approx(1)
    assert sum(model.p_best) == pytest.approx(1)
    assert all(each.low <= each.median <= each.high for each in (model.tau, model.gap, model.ratio, *model.wer))


def test_accents_that_are_alike_share_the_last_place():
    same = [group_of(name, [10, 12, 8, 11, 9], [100] * 5) for name in "abcd"]
    assert model_of(same, np.random.default_rng(1)).p_worst == pytest.approx([0.25] * 4, abs=0.03)


def test_a_material_gap_is_more_probable_the_smaller_it_is():
    _, groups = population(np.random.default_rng(4), tau=0.2, sizes=[8] * 6)
    found = [model_of(groups, np.random.default_rng(1), material_gap=gap).p_gap_above for gap in (0.0, 0.05, 0.1, 0.5)]
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (1.0, 0.0)


def test_an_accent_without_errors_gets_half_of_one_and_is_named():
    groups = [group_of("spotless", [0] * 6, [100] * 6), group_of("b", [20, 25, 30, 18, 22], [100] * 5)]
    found = estimates(groups)
    assert found.log_wer[0] == pytest.approx(math.log(0.5 / 600))
    assert found.log_wer[1] == pytest.approx(math.log(115.5 / 500))
    assert found.variance[0] >= 1 / 0.5
    assert "half an error" in found.note
    assert "spotless" in found.note
    assert model_of(groups, np.random.default_rng(1)).p_best[0] > 0.9


def test_one_speaker_with_all_the_errors_of_an_accent_is_no_division_by_zero():
    found = estimates([group_of("a", [0, 0, 0, 0, 9], [100] * 5), group_of("b", [20, 25, 30, 18, 22], [100] * 5)])
    assert np.isfinite(found.log_wer).all()
    assert np.isfinite(found.variance).all()


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ([], "fewer than two"),
        ([group_of("a", [1, 2, 3], [9, 9, 9])], "fewer than two"),
        ([group_of("a", [0, 0], [9, 9]), group_of("b", [0, 0], [9, 9])], "no accent has any errors"),
        ([group_of("a", [3, 3], [9, 9]), group_of("b", [6, 6], [9, 9])], "all err alike"),
    ],
)
def test_what_cannot_be_modeled_is_refused_in_words(groups, why):
    found = estimates(groups)
    assert not found.usable
    assert why in found.note


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 100)), min_size=2, max_size=6), min_size=2, max_size=5
    )
)
def test_any_counts_give_a_finite_model_or_a_reason(every):
    groups = [group_of(str(place), *zip(*pairs, strict=True)) for place, pairs in enumerate(every)]
    given_ = estimates(groups)
    if not given_.usable:
        assert given_.note
        return
    model = model_of(groups, np.random.default_rng(1))
    every_end = [
        end for one in (model.tau, model.gap, model.ratio, *model.wer) for end in (one.low, one.median, one.high)
    ]
    assert np.isfinite(every_end).all()
    assert model.gap.low >= 0
    assert model.ratio.low >= 1


def test_paule_mandel_is_that_of_statsmodels():
    # statsmodels 0.15.0: combine_effects(y, v, method_re="iterated", atol=1e-15).tau2 and .q
    logs, variances = np.log([0.15, 0.22, 0.31, 0.24, 0.18, 0.40]), np.array([0.012, 0.02, 0.009, 0.03, 0.015, 0.05])
    assert paule_mandel(logs, variances) == pytest.approx(0.10097755511523669, rel=1e-9)
    assert generalized_q(0.0, logs, variances) == pytest.approx(35.215280871505456, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 20), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_paule_mandel_solves_its_equation_and_lies_in_its_interval(accents, seed, tau):
    rng = np.random.default_rng(seed)
    variances = rng.uniform(0.001, 0.2, accents)
    logs = rng.normal(-1.5, np.sqrt(tau**2 + variances))
    found, profile = paule_mandel(logs, variances), q_profile(logs, variances, confidence=0.95)
    if found > 0:
        assert generalized_q(found, logs, variances) == pytest.approx(accents - 1, rel=1e-6)
    else:
        assert generalized_q(0.0, logs, variances) <= accents - 1
    if profile is not None:
        assert profile.low - 1e-9 <= math.sqrt(found) <= profile.high + 1e-9


def test_accents_closer_than_chance_gives_have_no_profile_interval():
    logs, variances = np.log([0.2, 0.2001, 0.2, 0.2]), np.full(4, 0.05)
    assert paule_mandel(logs, variances) == 0
    assert q_profile(logs, variances, confidence=0.95) is None


def simulate(tau, runs, seed):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(runs):
        true, groups = population(rng, tau=tau, sizes=[10] * 12)
        found, model = estimates(groups), model_of(groups, rng)
        profile = q_profile(found.log_wer, found.variance, confidence=0.95)
        gap, naive = true.max() - true.min(), [one.wer for one in groups]
        error = np.log([each.median for each in model.wer]) - np.log(true)
        rows.append(
            {
                "true": gap,
                "naive": max(naive) - min(naive),
                "gap": model.gap.median,
                "covered": model.gap.low <= gap <= model.gap.high,
                "tau_covered": model.tau.low <= tau <= model.tau.high,
                # no interval: every tau above 0 is rejected, and 0 is all that is left
                "profiled": tau == 0 if profile is None else profile.low <= tau <= profile.high,
                "tau_squared": paule_mandel(found.log_wer, found.variance),
                "moments": np.var(found.log_wer, ddof=1) - found.variance.mean(),
                "rmse": np.sqrt(np.mean(np.square(error))),
                "raw_rmse": np.sqrt(np.mean(np.square(np.log(naive) - np.log(true)))),
            }
        )
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


def test_a_planted_disparity_comes_back_without_what_chance_adds():
    # 3.1, tau .15, 10 speakers: true gap .099, naive .148, model .094 covering in .959; shrunken RMSE .126, raw .168
    found = simulate(0.15, 100, seed=7)
    assert found["covered"] >= 0.93
    assert found["tau_covered"] >= 0.93
    assert found["profiled"] >= 0.90
    assert found["naive"] > found["true"] + 0.03
    assert found["gap"] == pytest.approx(found["true"], abs=0.015)
    assert found["rmse"] == pytest.approx(0.126, abs=0.012)
    assert found["raw_rmse"] == pytest.approx(0.168, abs=0.012)


def test_without_disparity_the_check_finds_next_to_nothing_and_the_model_far_less_than_the_naive_gap():
    # 3.1: naive gap .113, model mean .057; 3.2: S^2(y) - mean(v) is -.0004, the naive variance .0282
    found = simulate(0.0, 100, seed=8)
    assert found["naive"] == pytest.approx(0.113, abs=0.012)
    assert found["gap"] == pytest.approx(0.057, abs=0.012)
    assert found["moments"] == pytest.approx(0.0, abs=0.004)
    assert found["tau_squared"] < 0.01
    assert found["profiled"] >= 0.90
