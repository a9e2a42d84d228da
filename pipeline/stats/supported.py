"""What the speakers behind a rate allow to say: its support, and the interval that is shown (statistics: 2.4)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records import Interval, Support
from pipeline.stats.counts import MIN_K_EFF
from pipeline.stats.jackknife import MAX_FOLD, log_interval

OK_K_EFF = 10.0
"""From this effective number of speakers on an interval carries no warning."""
ZERO_ERROR_K_EFF = 5.0
"""Effective speakers needed for an upper bound on a rate of zero."""
RULE_OF_THREE = 3.0
"""Upper 95% limit of a Poisson mean of which zero events were seen (statistics: 2.4)."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Events (errors) out of ``base`` (reference words), and how the log rate scatters over ``k_eff`` speakers."""

    events: int
    base: int
    k_eff: float
    log_variance: float


def design_effect(cells: Iterable[Sampled]) -> float:
    """Return the pooled speaker-over-Poisson factor of the log rates of accents' cells; NaN if no cell has one.

    A cell's factor is its jackknife variance over the Poisson variance 1/E. Cells are weighted by k_eff - 1. Never
    below 1: the bound it serves is not to be narrower than independent words would make it.
    """
    usable = [one for one in cells if one.log_variance >= 0]
    degrees = sum(one.k_eff - 1 for one in usable)
    if not degrees > 0:
        return math.nan
    return max(1.0, sum((one.k_eff - 1) * one.log_variance * one.events for one in usable) / degrees)


def supported(one: Sampled, effect: float, confidence: float) -> tuple[Support, Interval | None]:
    """Return the support of a rate and its interval: the log jackknife, t with k_eff - 1 degrees of freedom.

    Of zero events it is [0, 3.0 * ``effect`` / base], one-sided. None where the speakers cannot carry any.
    """
    if not one.base:
        return Support.NO_WORDS, None
    if not one.events:
        return Support.ZERO_ERRORS, _zero_error_bound(one, effect, confidence)
    if one.k_eff < MIN_K_EFF or not one.log_variance > 0:
        # speakers who are all alike tell nothing of how others would be: a zero-width interval would claim certainty
        return Support.INSUFFICIENT, None
    found = log_interval(one.events / one.base, one.log_variance, one.k_eff - 1, confidence=confidence)
    if found is None or found.high > MAX_FOLD * found.low:
        return Support.INSUFFICIENT, None
    return (Support.OK if one.k_eff >= OK_K_EFF else Support.THIN), found


def _zero_error_bound(one: Sampled, effect: float, confidence: float) -> Interval | None:
    if one.k_eff < ZERO_ERROR_K_EFF or math.isnan(effect):
        return None
    # -log(1 - confidence) is the Poisson limit at any level; 3.0 is its customary rounding at 95%
    limit = RULE_OF_THREE * math.log1p(-confidence) / math.log(0.05)
    return Interval(0.0, limit * effect / one.base)
