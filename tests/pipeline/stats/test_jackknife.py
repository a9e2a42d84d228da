"""The interval by hand, and its properties. Expected numbers are worked out here by separate arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.stats import jackknife
from pipeline.stats.counts import effective_speakers

counts = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=2, max_size=30)


def arrays(pairs):
    return (np.array(values, dtype=np.int64) for values in zip(*pairs, strict=True))


def test_effective_speakers_is_the_count_when_words_are_equal():
    assert effective_speakers(np.array([70, 70, 70, 70])) == pytest.approx(4)


def test_effective_speakers_of_three_unequal_speakers_by_hand():
    # 300^2 / (100^2 + 120^2 + 80^2) = 90000 / 30800
    assert effective_speakers(np.array([100, 120, 80])) == pytest.approx(90000 / 30800)


def test_the_log_variance_of_three_unequal_speakers_by_hand():
    whole = math.log(45 / 300)
    without = [math.log(35 / 200), math.log(25 / 180), math.log(30 / 220)]
    expected = 2 / 3 * sum((each - whole) ** 2 for each in without)
    found = jackknife.log_variance(np.array([10, 20, 15]), np.array([100, 120, 80]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_quantile_takes_fractional_degrees_of_freedom():
    assert jackknife.quantile(0.95, 1.922) == pytest.approx(stats.t.ppf(0.975, 1.922), rel=1e-9)


def test_welch_degrees_of_two_equal_variances_add_up():
    found = jackknife.welch_degrees(np.array([2.0, 2.0]), np.array([4.0, 9.0]))
    assert found == pytest.approx((2 + 2) ** 2 / (4 / 4 + 4 / 9))


def test_one_speaker_has_no_variance():
    assert math.isnan(jackknife.log_variance(np.array([3]), np.array([10])))


def test_errors_of_one_speaker_only_leave_no_logarithm():
    assert math.isnan(jackknife.log_variance(np.array([0, 3, 0]), np.array([10, 10, 10])))


@given(counts)
def test_the_order_of_speakers_does_not_matter(pairs):
    forward = jackknife.log_variance(*arrays(pairs))
    assert forward == pytest.approx(jackknife.log_variance(*arrays(pairs[::-1])), rel=1e-9, abs=1e-15)


@given(counts)
def test_effective_speakers_lies_between_one_and_the_count(pairs):
    _, words = arrays(pairs)
    assert 1 - 1e-9 <= effective_speakers(words) <= len(pairs) + 1e-9


@given(counts, st.integers(2, 9))
def test_twice_the_errors_and_words_of_every_speaker_change_nothing(pairs, times):
    errors, words = arrays(pairs)
    found = jackknife.log_variance(errors * times, words * times)
    assert found == pytest.approx(jackknife.log_variance(errors, words), rel=1e-6, abs=1e-12)
