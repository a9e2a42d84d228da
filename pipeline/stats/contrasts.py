"""One accent against a reference accent, or against the rest: difference and ratio of WER with jackknife intervals.

Source: statistics 3 ("gap to reference", "gap to overall") and 3.5 (jackknife, Welch t). Speakers of different accents
are independent, so the variance of a contrast is the sum of what deleting each speaker of each accent contributes.
"""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.records import Interval
from pipeline.stats.counts import MIN_K_EFF, FloatArray, Group, effective_speakers
from pipeline.stats.jackknife import interval, leave_one_out, log_interval, logarithm, variance, welch_degrees


@dataclass(frozen=True, slots=True)
class Contrast:
    """Difference and ratio of one accent's WER to another one's; None where they are undefined or refused."""

    gap: float
    gap_interval: Interval | None
    ratio: float | None
    ratio_interval: Interval | None
    log_variance: float | None = None
    """of the logarithm of the ratio, with ``log_degrees``; None where the ratio has no interval"""
    log_degrees: float = math.nan


def contrast(one: Group, others: list[Group], *, confidence: float) -> Contrast:
    """Compare ``one`` with the mean WER of ``others``, each accent with equal weight.

    The gap has a symmetric interval of the difference; the ratio one of the log ratio. Degrees of freedom are
    Welch-Satterthwaite over the accents, k_eff - 1 each. No interval where an accent has k_eff < 3, and none where one
    side has no errors: its speakers then seem not to vary at all.
    """
    against = float(np.mean([other.wer for other in others]))
    parts = [(leave_one_out(one.errors, one.words), one.wer)]
    parts += [(_replicates(other, against, len(others)), against) for other in others]
    plain = np.array([variance(replicates, value) for replicates, value in parts])
    logs = np.array([variance(logarithm(replicates), float(logarithm(value))) for replicates, value in parts])
    k_eff = np.array([effective_speakers(each.words) for each in (one, *others)])
    ratio = one.wer / against if against > 0 else None
    if k_eff.min() < MIN_K_EFF or not one.wer or not against:
        return Contrast(one.wer - against, None, ratio, None)
    found = _ratio_interval(ratio, logs, k_eff, confidence=confidence)
    return Contrast(
        gap=one.wer - against,
        gap_interval=interval(
            one.wer - against, float(plain.sum()), welch_degrees(plain, k_eff - 1), confidence=confidence
        ),
        ratio=ratio,
        ratio_interval=found,
        log_variance=float(logs.sum()) if found else None,
        log_degrees=welch_degrees(logs, k_eff - 1) if found else math.nan,
    )


def _replicates(other: Group, against: float, count: int) -> FloatArray:
    """Return the mean WER of the other accents without each speaker of ``other`` in turn."""
    return against + (leave_one_out(other.errors, other.words) - other.wer) / count


def _ratio_interval(ratio: float | None, logs: FloatArray, k_eff: FloatArray, *, confidence: float) -> Interval | None:
    if ratio is None or math.isnan(logs.sum()):
        return None
    return log_interval(ratio, float(logs.sum()), welch_degrees(logs, k_eff - 1), confidence=confidence)
