"""Is an accent's WER within a margin of the reference? Two one-sided tests by interval inclusion (statistics: 3.5).

That a difference is not significant is no evidence of equality: with 10 speakers an accent, that check passes a true
ratio of 1.25 in 84% of cases. Equivalence has to be shown, and with few speakers it hardly ever can be.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import stdtr

from pipeline.records import Interval
from pipeline.stats.contrasts import contrast
from pipeline.stats.counts import Group

SPEAKERS_NEEDED = 60
NARROW_MARGIN = 1.25
HARDLY = f"with fewer than {SPEAKERS_NEEDED} speakers an accent, equivalence within 25% can hardly ever be shown"
NO_SPREAD = 1e-12
"""A variance of a log ratio below this is none: an interval of width zero would claim certainty."""


class Verdict(StrEnum):
    """What the interval of the ratio of WERs allows to say about a margin."""

    EQUIVALENT = "equivalent"  # the interval lies within 1/margin to margin
    WORSE = "worse"  # it lies wholly above the margin
    BETTER = "better"  # it lies wholly below 1/margin: not equivalent, and not inconclusive either
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Equivalence:
    """One accent against a reference: ratio of WERs, its interval at 1 - 2 level, p-values and the verdict.

    ``p_equivalent`` is the larger p of the two one-sided tests; ``p_worse`` is that of "the ratio is at most the
    margin". None where there is no interval, and ``note`` says why.
    """

    ratio: float | None
    interval: Interval | None
    p_equivalent: float | None
    p_worse: float | None
    verdict: Verdict
    note: str


def equivalence(one: Group, others: list[Group], *, margin: float, level: float) -> Equivalence:
    """Compare ``one`` with the mean WER of ``others``, each with equal weight.

    The log ratio has a delete-one-speaker jackknife variance and Welch degrees of freedom; the verdict is that of its
    1 - 2 ``level`` interval, which is both one-sided tests at ``level`` at once.
    """
    found = contrast(one, others, confidence=1 - 2 * level)
    if found.ratio is None or found.ratio_interval is None or found.log_variance is None:
        why = "no interval: too few speakers or errors"
        return Equivalence(found.ratio, None, None, None, Verdict.INCONCLUSIVE, why)
    if found.log_variance < NO_SPREAD:
        why = "no interval: the speakers all err alike"
        return Equivalence(found.ratio, None, None, None, Verdict.INCONCLUSIVE, why)
    center, width = math.log(found.ratio), math.log(margin)
    error, degrees = math.sqrt(found.log_variance), found.log_degrees
    above, below = (float(stdtr(degrees, (center * sign - width) / error)) for sign in (1, -1))
    return Equivalence(
        ratio=found.ratio,
        interval=found.ratio_interval,
        p_equivalent=max(above, below),
        p_worse=float(stdtr(degrees, (width - center) / error)),
        verdict=_verdict(found.ratio_interval, margin),
        note="",
    )


def _verdict(interval: Interval, margin: float) -> Verdict:
    if interval.low > margin:
        return Verdict.WORSE
    if interval.high < 1 / margin:
        return Verdict.BETTER
    within = interval.low >= 1 / margin and interval.high <= margin
    return Verdict.EQUIVALENT if within else Verdict.INCONCLUSIVE


def caution(speakers: Sequence[int], margin: float) -> str:
    """Return the sentence about few speakers where one side has fewer than it takes; empty otherwise."""
    return HARDLY if min(speakers) < SPEAKERS_NEEDED and margin <= NARROW_MARGIN else ""
