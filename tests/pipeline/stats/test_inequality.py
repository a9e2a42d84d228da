"""Gini, Theil and FAAS: definitions, invariances, and the figures published for them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.disparity import disparities
from pipeline.stats.faas import faas
from pipeline.stats.inequality import gini, theil
from pipeline.stats.settings import StatsSettings

rates = st.lists(st.floats(0.001, 30), min_size=2, max_size=12)


def row(table, statistic):
    return table[table["statistic"] == statistic].iloc[0]


def test_gini_and_theil_by_their_definitions():
    values = np.array([0.1, 0.2, 0.6])
    pairs = np.abs(values[:, None] - values).sum()
    assert gini(values[None, :]) == pytest.approx([pairs / (2 * 9 * 0.3)])
    relative = values / 0.3
    assert theil(values[None, :]) == pytest.approx([(relative * np.log(relative)).mean()])


@settings(max_examples=50, deadline=None)
@given(rates, st.floats(0.01, 100))
def test_both_ignore_scale_and_order_and_are_never_negative(values, factor):
    given_ = np.array([values])
    for measure in (gini, theil):
        assert measure(given_ * factor) == pytest.approx(measure(given_), abs=1e-9)
        assert measure(given_[:, ::-1]) == pytest.approx(measure(given_), abs=1e-12)
        assert measure(given_)[0] >= -1e-12
    assert gini(given_)[0] < 1


def test_equal_rates_have_none_and_no_errors_leave_both_undefined():
    assert gini(np.full((1, 4), 0.2)) == pytest.approx([0])
    assert theil(np.full((1, 4), 0.2)) == pytest.approx([0])
    assert np.isnan(gini(np.zeros((1, 4)))).all()
    assert np.isnan(theil(np.zeros((1, 4)))).all()


def test_a_rate_of_zero_is_legal_beside_others():
    assert theil(np.array([[0.0, 0.2]])) == pytest.approx([np.log(2)])


def test_without_disparity_gini_is_not_zero_and_its_null_says_so(draw):
    # 3.1: 12 accents x 10 speakers, all alike: Gini .088
    rng = np.random.default_rng(13)
    found = [
        disparities(draw(rng, sizes=[10] * 12), StatsSettings(permutations=99), synthetic=False) for _ in range(15)
    ]
    assert np.mean([row(table, "gini")["value"] for table in found]) == pytest.approx(0.088, abs=0.015)
    assert np.mean([row(table, "gini")["null_mean"] for table in found]) == pytest.approx(0.088, abs=0.015)
    assert all(row(table, "theil")["null_p95"] > row(table, "theil")["null_mean"] for table in found)


@pytest.mark.parametrize(("p", "score"), [(0.2, 24.0), (0.04, 23.0), (0.001, 7.0), (1e-6, -23.0)])
def test_faas_falls_as_evidence_grows(p, score):
    # 3.6: the same data, WER .2
    assert faas(np.array([0.15, 0.25]), np.array([1.0, 1.0]), p=p, wer=0.2) == pytest.approx(score, abs=0.05)


def test_faas_cannot_see_the_size_of_a_gap():
    weights = np.array([1.0, 1.0])
    fairness = [
        10 ** (faas(np.array([0.2, worse]), weights, p=1.0, wer=0.2) / 10) * 0.2 for worse in (0.2001, 0.25, 0.8)
    ]
    assert fairness == pytest.approx([50, 50, 50])


def test_faas_does_not_exist_without_a_difference_or_errors():
    assert faas(np.array([0.2, 0.2]), np.ones(2), p=1.0, wer=0.2) is None
    assert faas(np.array([0.0, 0.0]), np.ones(2), p=1.0, wer=0.0) is None


def test_faas_is_there_only_on_request_with_its_faults(draw):
    scores = draw(np.random.default_rng(1), sizes=[6] * 3)
    plain = disparities(scores, StatsSettings(permutations=99), synthetic=False)
    asked = disparities(scores, StatsSettings(permutations=99, faas=True), synthetic=False)
    assert "faas" not in set(plain["statistic"])
    assert "blind to the size" in row(asked, "faas")["note"]
    assert asked[asked["statistic"] != "faas"].reset_index(drop=True).equals(plain)
