"""Gini and Theil over accents, each accent once (statistics: 3): biased upward, and about relative size only.

With few speakers even accents that are all alike give a Gini of a tenth, so neither is ever shown without its
permutation null.
"""

import numpy as np

from pipeline.stats.counts import FloatArray


def gini(rates: FloatArray) -> FloatArray:
    """Return sum_ij |x_i - x_j| / (2 n^2 mean) of each row.

    Args:
        rates: WERs as fractions, shape (batch, accents).

    Returns:
        Shape (batch,); NaN where every rate is 0.
    """
    count = rates.shape[1]
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return _over((np.sort(rates, axis=1) * ranks).sum(axis=1), count * rates.sum(axis=1))


def theil(rates: FloatArray) -> FloatArray:
    """Return Theil's T, mean of (x / mean) log(x / mean) with 0 log 0 = 0, of each row; shapes as in ``gini``."""
    relative = _over(rates, rates.mean(axis=1, keepdims=True))
    logs = np.zeros_like(relative)
    np.log(relative, out=logs, where=relative > 0)
    return np.asarray((relative * logs).mean(axis=1))


def _over(top: FloatArray, bottom: FloatArray) -> FloatArray:
    out = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=out, where=np.broadcast_to(bottom, out.shape) > 0)
    return out
