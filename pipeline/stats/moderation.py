"""Variances that borrow strength from one another.

Source: G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments" (2004): the scaled-F prior fitted by the moments of log variances.
"""

import numpy as np
from scipy.special import digamma, polygamma

from pipeline.stats.counts import FloatArray

MIN_DEGREES = 0.5
"""A variance on fewer degrees than this says so little that the moments of its logarithm would drown the others."""
RELATIVE_FLOOR = 1e-5
ABSOLUTE_FLOOR = 1e-12


def floored(variances: FloatArray) -> FloatArray:
    """Keep variances, shape (batch, groups), above a small share of their median: a group without spread is luck."""
    floor = RELATIVE_FLOOR * np.median(variances, axis=1, keepdims=True)
    return np.maximum(variances, np.maximum(floor, ABSOLUTE_FLOOR))


def moderated(variances: FloatArray, degrees: FloatArray) -> FloatArray:
    """Shrink each row of ``variances`` to its common value: (d0 s0^2 + d s^2) / (d0 + d).

    Args:
        variances: sample variances, shape (batch, groups), groups >= 2.
        degrees: their degrees of freedom, same shape.

    Returns:
        Moderated variances of the same shape; the common value itself where the groups vary no more than chance.
    """
    given, half = floored(variances), np.maximum(degrees, MIN_DEGREES) / 2
    prior_half, common = _prior(given, half)
    finite = np.isfinite(prior_half)
    weight = np.where(finite, prior_half, 1.0)
    shrunken = (weight * common + half * given) / (weight + half)
    return np.asarray(np.where(finite, shrunken, common), dtype=np.float64)


def borrowed(variances: FloatArray, degrees: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return moderated variances and the degrees of freedom d0 + d of an interval made of each (statistics: 2.4).

    The degrees are never more than those of all variances together: where the variances vary no more than chance, d0
    is infinite, and their common value is still only estimated.

    Args:
        variances: positive sample variances, shape (groups,), groups >= 2.
        degrees: their positive degrees of freedom, same shape.
    """
    half = np.maximum(degrees, MIN_DEGREES)[None, :] / 2
    prior_half, _ = _prior(floored(variances[None, :]), half)
    return moderated(variances[None, :], degrees[None, :])[0], np.minimum(2 * prior_half[0, 0] + degrees, degrees.sum())


def _prior(given: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit half of d0 (infinite where the variances vary no more than chance) and s0^2, both of shape (batch, 1)."""
    logs = np.log(given) - digamma(half) + np.log(half)
    mean = logs.mean(axis=1, keepdims=True)
    excess = logs.var(axis=1, ddof=1, keepdims=True) - polygamma(1, half).mean(axis=1, keepdims=True)
    finite = excess > 0
    prior_half = inverse_trigamma(np.where(finite, excess, 1.0))
    common = np.exp(mean + np.where(finite, digamma(prior_half) - np.log(prior_half), 0.0))
    return np.where(finite, prior_half, np.inf), common


def inverse_trigamma(values: FloatArray) -> FloatArray:
    """Solve trigamma(x) = values > 0 by Newton's method on 1/trigamma, which is nearly linear in x."""
    guess = 0.5 + 1.0 / values
    for _ in range(50):
        slope = polygamma(1, guess)
        step = slope * (1.0 - slope / values) / polygamma(2, guess)
        guess = guess + step
        if np.max(-step / guess) < 1e-8:
            break
    return guess
