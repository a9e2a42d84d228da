"""The variance between accents without a prior: Paule-Mandel's estimate and a Q-profile interval (statistics: 3.2).

Both ask how large tau^2 must be for the generalized Q = sum_a (y_a - y)^2 / (v_a + tau^2), y weighted likewise, to come
down to what chance gives. Sources: R. C. Paule and J. Mandel, "Consensus values and weighting factors" (1982);
W. Viechtbauer, "Confidence intervals for the amount of heterogeneity in meta-analysis" (2007).
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri

from pipeline.records import Interval
from pipeline.stats.counts import FloatArray

PRECISION = 1e-14
"""Absolute, of tau^2."""


def generalized_q(tau_squared: float, log_wer: FloatArray, variances: FloatArray) -> float:
    """Return Q at ``tau_squared``: it falls as tau^2 grows, and has A - 1 degrees of freedom at the true tau^2."""
    weights = 1 / (variances + tau_squared)
    mean = float((weights * log_wer).sum() / weights.sum())
    return float((weights * np.square(log_wer - mean)).sum())


def paule_mandel(log_wer: FloatArray, variances: FloatArray) -> float:
    """Return tau^2 at which Q equals its degrees of freedom, A - 1; 0 where Q is below that already.

    Args:
        log_wer: log WER of each accent, shape (A,), A >= 2.
        variances: their sampling variances, all positive, same shape.
    """
    return _where_q_is(len(log_wer) - 1.0, log_wer, variances)


def q_profile(log_wer: FloatArray, variances: FloatArray, *, confidence: float) -> Interval | None:
    """Return the interval of tau: where Q meets the two quantiles of chi-square on A - 1 degrees of freedom.

    None where even tau = 0 leaves a Q below the lower quantile: no tau fits, the accents lie closer than chance gives.
    """
    tail, degrees = (1 - confidence) / 2, len(log_wer) - 1
    upper, lower = (float(chdtri(degrees, share)) for share in (tail, 1 - tail))
    if generalized_q(0.0, log_wer, variances) < lower:
        return None
    low, high = (_where_q_is(level, log_wer, variances) for level in (upper, lower))
    return Interval(math.sqrt(low), math.sqrt(high))


def _where_q_is(level: float, log_wer: FloatArray, variances: FloatArray) -> float:
    def excess(tau_squared: float) -> float:
        return generalized_q(tau_squared, log_wer, variances) - level

    if excess(0.0) <= 0:
        return 0.0
    # at tau^2 = S / level, S the sum of squares about the plain mean, Q is at most S / tau^2 = level
    ceiling = float(np.square(log_wer - log_wer.mean()).sum()) / level
    return float(brentq(excess, 0.0, ceiling * (1 + 1e-9), xtol=PRECISION, rtol=1e-14))
