"""Borrowed variances: the inverse trigamma and the limits of the shrinkage."""

import numpy as np
import pytest
from scipy.special import polygamma

from pipeline.stats.moderation import floored, inverse_trigamma, moderated


def test_the_inverse_of_trigamma_inverts_it():
    values = np.array([1e-3, 0.1, 1.0, np.pi**2 / 6, 50.0])
    np.testing.assert_allclose(polygamma(1, inverse_trigamma(values)), values, rtol=1e-6)


def test_the_inverse_of_trigamma_at_pi_squared_sixths_is_one():
    assert inverse_trigamma(np.array([np.pi**2 / 6]))[0] == pytest.approx(1.0, rel=1e-7)


def test_variances_that_differ_no_more_than_chance_become_one():
    found = moderated(np.array([[1.0, 1.1, 0.9, 1.05]]), np.full((1, 4), 3.0))
    assert np.ptp(found) == 0
    assert 0.9 < found[0, 0] < 2


def test_with_many_degrees_of_freedom_each_variance_is_kept():
    given = np.array([[1.0, 4.0, 16.0]])
    np.testing.assert_allclose(moderated(given, np.full((1, 3), 1e6)), given, rtol=1e-3)


def test_shrinkage_pulls_towards_the_middle_and_keeps_the_order():
    given = np.array([[0.01, 1.0, 100.0]])
    found = moderated(given, np.full((1, 3), 4.0))
    assert found[0, 0] > given[0, 0]
    assert found[0, 2] < given[0, 2]
    assert found[0, 0] < found[0, 1] < found[0, 2]


def test_the_prior_recovers_a_known_scaled_f_population():
    # s^2 = s0^2 * F(d, d0) with s0^2 = 3, d0 = 8, d = 4: the moderated value is then known for every s^2
    rng = np.random.default_rng(1)
    given = 3.0 * rng.f(4, 8, size=(1, 200_000))
    expected = (8 * 3.0 + 4 * given) / 12
    np.testing.assert_allclose(moderated(given, np.full(given.shape, 4.0)), expected, rtol=0.05)


def test_a_group_without_spread_does_not_get_infinite_weight():
    found = floored(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]))
    assert found.min() > 0
