"""Effect sizes against their formulas and another library, p-values against chance."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.stats.association import categorical, ranked_by_group, ranked_together
from pipeline.stats.counts import IntArray

DRAWS = 199


def table_of(groups: IntArray, levels: IntArray) -> IntArray:
    table = np.zeros((groups.max() + 1, levels.max() + 1), dtype=np.int64)
    np.add.at(table, (groups, levels), 1)
    return table


def test_cramers_v_is_one_where_each_group_has_its_own_value_and_nothing_where_shares_are_equal() -> None:
    assert categorical(np.diag([10, 10, 10]), draws=DRAWS, seed=0, names=("a",)).value == pytest.approx(1.0)
    found = categorical(np.full((3, 2), 10, dtype=np.int64), draws=DRAWS, seed=0, names=("a",))
    assert found.value == 0.0
    assert found.p == 1.0


def test_cramers_v_is_corrected_for_bias_as_bergsma_says() -> None:
    table = np.array([[12, 3, 5], [4, 11, 5]], dtype=np.int64)
    phi2 = stats.chi2_contingency(table, correction=False).statistic / 40 - (2 - 1) * (3 - 1) / 39
    rows, columns = 2 - 1 / 39, 3 - 4 / 39
    found = categorical(table, draws=DRAWS, seed=0, names=("a",))
    assert found.value == pytest.approx(math.sqrt(phi2 / min(rows - 1, columns - 1)))


def test_a_permutation_p_of_a_small_table_is_that_of_the_exact_distribution() -> None:
    # all 20 ways to place three of one kind among six: one of them and its mirror are as extreme
    found = categorical(np.array([[3, 0], [0, 3]], dtype=np.int64), draws=9_999, seed=0, names=("a",))
    assert found.p == pytest.approx(2 / 20, abs=0.01)


def test_epsilon_squared_is_h_over_n_less_one_and_rho_is_spearmans_with_ties() -> None:
    values = np.array([1.0, 2, 2, 3, 5, 8, 8, 8, 9, 12])
    labels = np.array([0, 0, 1, 0, 1, 1, 2, 2, 2, 2], dtype=np.int64)
    h = stats.kruskal(*(values[labels == at] for at in range(3))).statistic
    found = ranked_by_group(values, labels, draws=DRAWS, seed=0, names=("a",))
    assert found.value == pytest.approx(h / (len(values) - 1))
    other = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    rho = ranked_together(values, other, draws=DRAWS, seed=0, names=("a",)).value
    assert rho == pytest.approx(stats.spearmanr(values, other).statistic)


def test_no_order_of_the_speakers_changes_a_value_or_a_p() -> None:
    rng = np.random.default_rng(1)
    values, labels, other = rng.normal(size=30), rng.integers(0, 3, 30), rng.normal(size=30)
    order = rng.permutation(30)
    for one, two in (
        (ranked_by_group(values, labels, draws=DRAWS, seed=0, names=("a",)),
         ranked_by_group(values[order], labels[order], draws=DRAWS, seed=0, names=("a",))),
        (ranked_together(values, other, draws=DRAWS, seed=0, names=("a",)),
         ranked_together(values[order], other[order], draws=DRAWS, seed=0, names=("a",))),
    ):  # fmt: skip
        assert one.p == two.p
        assert one.value == pytest.approx(two.value)


@pytest.mark.parametrize("kind", ["categorical", "by_group", "together"])
def test_chance_alone_is_called_significant_as_rarely_as_it_should(kind: str) -> None:
    rng = np.random.default_rng(7)
    alarms, trials = 0, 150
    for _ in range(trials):
        groups, levels, values = rng.integers(0, 3, 24), rng.integers(0, 2, 24), rng.normal(size=24)
        if kind == "categorical":
            found = categorical(table_of(groups, levels), draws=99, seed=0, names=("a",))
        elif kind == "by_group":
            found = ranked_by_group(values, groups, draws=99, seed=0, names=("a",))
        else:
            found = ranked_together(values, rng.normal(size=24), draws=99, seed=0, names=("a",))
        alarms += found.p is not None and found.p <= 0.1
    assert alarms <= 25  # 15 expected at most; 25 or more once in a hundred


def test_where_nothing_varies_there_is_no_value_and_no_p() -> None:
    assert categorical(np.array([[4], [5]], dtype=np.int64), draws=DRAWS, seed=0, names=("a",)).p is None
    same = np.ones(5)
    assert ranked_by_group(same, np.array([0, 0, 1, 1, 1]), draws=DRAWS, seed=0, names=("a",)).value is None
    assert ranked_together(same, np.arange(5.0), draws=DRAWS, seed=0, names=("a",)).p is None


def test_many_speakers_are_tested_by_the_limit_which_agrees_with_another_library() -> None:
    rng = np.random.default_rng(3)
    labels, values = rng.integers(0, 3, 6_000), rng.normal(size=6_000)
    found = ranked_by_group(values, labels, draws=DRAWS, seed=0, names=("a",))
    assert found.p == pytest.approx(stats.kruskal(*(values[labels == at] for at in range(3))).pvalue)
    other = rng.normal(size=6_000)
    found = ranked_together(values, other, draws=DRAWS, seed=0, names=("a",))
    assert found.p == pytest.approx(stats.spearmanr(values, other).pvalue, abs=0.001)
