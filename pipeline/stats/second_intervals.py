"""Further intervals of a cell, beside its own: one with a borrowed variance, and one by drawing speakers again.

Each is labeled wherever it is shown: neither takes the place of a cell's own interval (statistics: 2.4, 2.5).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline.records import Interval
from pipeline.stats.bootstrap import Bootstrap
from pipeline.stats.jackknife import MAX_FOLD, log_interval
from pipeline.stats.moderation import borrowed

MIN_LENDERS = 3
"""Fewer accents with a variance of their own say nothing of how variances differ between accents."""


class Spread(NamedTuple):
    """What a cell's speakers say of their own spread: WER, jackknife variance of its logarithm, effective number."""

    wer: float
    log_variance: float
    k_eff: float


def borrowed_intervals(accents: Mapping[str, Spread], *, confidence: float) -> dict[str, Interval]:
    """Return intervals with variances shrunk to what the accents under one condition have in common.

    Per accent s^2 = k_eff V with k_eff - 1 degrees of freedom; V~ = s~^2 / k_eff, t with d0 + d degrees (statistics:
    2.4). None for one speaker, for speakers who all err alike, and where even this interval is too wide to be shown.
    """
    lenders = {name: one for name, one in accents.items() if one.log_variance > 0 and one.k_eff > 1}
    if len(lenders) < MIN_LENDERS:
        return {}
    k_eff = np.array([one.k_eff for one in lenders.values()])
    variances, degrees = borrowed(np.array([one.log_variance for one in lenders.values()]) * k_eff, k_eff - 1)
    found = {}
    for (name, one), variance, freedom in zip(lenders.items(), variances / k_eff, degrees, strict=True):
        interval = log_interval(one.wer, float(variance), float(freedom), confidence=confidence)
        if interval is not None and interval.high <= MAX_FOLD * interval.low:
            found[name] = interval
    return found


def columns(lent: Interval | None, drawn: Bootstrap | None) -> dict[str, float | None]:
    """Return the columns of a cell's row that hold these intervals."""
    return {
        "borrowed_low": lent.low if lent else None,
        "borrowed_high": lent.high if lent else None,
        "bootstrap_low": drawn.interval.low if drawn else None,
        "bootstrap_high": drawn.interval.high if drawn else None,
        "bootstrap_replicates": drawn.replicates if drawn else None,
    }
