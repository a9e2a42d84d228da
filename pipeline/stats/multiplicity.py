"""p-values of a family of tests, adjusted so that one false finding in the whole family stays rare."""

import numpy as np
from numpy.typing import ArrayLike

from pipeline.stats.counts import FloatArray


def holm(p_values: ArrayLike) -> FloatArray:
    """Return Holm's step-down adjusted p-values, in the order given, shape (m,).

    Source: S. Holm, "A simple sequentially rejective multiple test procedure" (1979); valid whatever the dependence
    between the tests (statistics: 4.4).
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
