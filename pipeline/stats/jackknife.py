"""Delete-one-speaker jackknife: variances, effective numbers of speakers, and the intervals made of them.

Source of the interval: the jackknife (CR3) cluster-robust variance of a ratio on the log scale (MacKinnon, Nielsen &
Webb, "Leverage, influence, and the jackknife in clustered regression models") with t on an effective number of clusters
less one. It never resamples: a percentile bootstrap of few speakers covers far too rarely.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from pipeline.records import Interval
from pipeline.stats.counts import FloatArray, IntArray

MAX_FOLD = 9.0
"""An interval whose upper bound is more than this many times its lower bound is not shown."""


def leave_one_out(errors: IntArray, words: IntArray) -> FloatArray:
    """Return the WER without each speaker in turn, shape (k,); NaN where no reference words are left."""
    rest = (words.sum() - words).astype(np.float64)
    out = np.full(len(words), np.nan)
    np.divide(errors.sum() - errors, rest, out=out, where=rest > 0)
    return out


def logarithm(values: ArrayLike) -> FloatArray:
    """Return natural logarithms, NaN where there is none."""
    given = np.asarray(values, dtype=np.float64)
    out = np.full(given.shape, np.nan)
    np.log(given, out=out, where=given > 0)
    return out


def variance(replicates: FloatArray, estimate: float) -> float:
    """Return (k-1)/k * sum (replicate - estimate)^2; NaN for one speaker or an undefined replicate."""
    k = len(replicates)
    return (k - 1) / k * float(np.square(replicates - estimate).sum()) if k > 1 else math.nan


def log_variance(errors: IntArray, words: IntArray) -> float:
    """Return the jackknife variance of log WER (statistics: 2.1); NaN where a logarithm does not exist."""
    if len(words) < 2 or not errors.sum():
        return math.nan
    return variance(logarithm(leave_one_out(errors, words)), math.log(errors.sum() / words.sum()))


def quantile(confidence: float, degrees: float) -> float:
    """Return the two-sided Student t quantile at ``confidence`` for possibly fractional degrees of freedom."""
    return float(stdtrit(degrees, 0.5 + confidence / 2))


def log_interval(estimate: float, log_variance: float, degrees: float, *, confidence: float) -> Interval | None:
    """Return estimate * exp(-+ t * sqrt(V)), or None where the variance or the degrees are undefined."""
    if not (estimate > 0 and log_variance >= 0 and degrees > 0):
        return None
    # beyond e^700 a double overflows; such an interval says nothing anyway
    width = quantile(confidence, degrees) * math.sqrt(log_variance)
    return Interval(estimate * math.exp(-width), estimate * math.exp(width)) if width < 700 else None


def interval(estimate: float, total_variance: float, degrees: float, *, confidence: float) -> Interval | None:
    """Return estimate -+ t * sqrt(V), or None where the variance or the degrees are undefined."""
    if not (total_variance >= 0 and degrees > 0):
        return None
    width = quantile(confidence, degrees) * math.sqrt(total_variance)
    return Interval(estimate - width, estimate + width)


def welch_degrees(variances: FloatArray, degrees: FloatArray) -> float:
    """Return Welch-Satterthwaite degrees of freedom, (sum V)^2 / sum (V^2 / d), of a sum of independent parts."""
    total = float(variances.sum())
    if not total > 0:
        return float(degrees.min())
    return total**2 / float((np.square(variances) / degrees).sum())
