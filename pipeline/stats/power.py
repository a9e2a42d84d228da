"""What a study of a given size can show: detectable ratios and needed speakers (statistics: 8).

Log WER of an accent varies with its speakers, so a plan counts speakers, and words only as far as they make one
speaker's WER more certain. A formula that counts words alone would ask for a hundredth of the speech.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from pipeline.stats.counts import IntArray

POWER = 0.8
"""Of every detectable ratio in a table of results: four studies of five would have shown it."""
FEW_WORDS, FEW_WORDS_FACTOR = 100, 1.10
"""The unpaired formula is optimistic below so many words a speaker: 10% more speakers (statistics: 8)."""
FEW_PAIRED_WORDS, FEW_PAIRED_WORDS_FACTOR = 400, 1.20
"""The same of the paired formula, by words a speaker and condition: 20% more."""
MOST_SPEAKERS = 100_000
"""No plan goes beyond; what needs more is said not to be reachable."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How errors scatter: between speakers, within them, and in what a condition does to each.

    ``sigma`` is the SD of speakers' log WER, ``phi`` the variance of one speaker's errors over a Poisson variable's,
    ``slope_sd`` the SD over speakers of the log factor by which a condition multiplies errors, and ``paired_phi`` what
    of ``phi`` is left in that factor.
    """

    sigma: float
    phi: float
    slope_sd: float
    paired_phi: float


def between_speakers(sigma: float) -> float:
    """Return exp(sigma^2) - 1, the relative variance of log-normal speakers' WER (statistics: 8)."""
    return math.expm1(sigma**2)


def speaker_variance(spread: Spread, words: float, wer: float) -> float:
    """Return v = exp(sigma^2) - 1 + phi / (words * WER), of one speaker's log WER (statistics: 8)."""
    return between_speakers(spread.sigma) + spread.phi / (words * wer)


def change_variance(spread: Spread, words: float, wer_reference: float, wer: float) -> float:
    """Return v = slope_sd^2 + phi_0 / (n WER_0) + phi_c / (n WER_c), of one speaker's log change (statistics: 8)."""
    return spread.slope_sd**2 + spread.paired_phi / words * (1 / wer_reference + 1 / wer)


def accent_variance(spread: Spread, words: IntArray, wer: float) -> float:
    """Return the variance of the log WER of one accent's speakers together.

    Errors over words with ``words`` reference words a speaker, shape (k,), has variance
    (exp(sigma^2) - 1) / k_eff + phi / (N * WER), which is v / k where all speak alike.
    """
    given = words.astype(np.float64)
    total = float(given.sum())
    plain = between_speakers(spread.sigma) * float(np.square(given).sum()) / total**2 + spread.phi / (total * wer)
    return plain * few_words(total / len(given))


def accent_change_variance(spread: Spread, words: IntArray, wer_reference: float, wer: float) -> float:
    """Return the variance of one accent's weighted mean log change, 1 / sum of 1 / v over its speakers."""
    each = spread.slope_sd**2 + spread.paired_phi / words * (1 / wer_reference + 1 / wer)
    return few_paired_words(float(words.mean())) / float((1 / each).sum())


def few_words(words: float) -> float:
    """Return by how much to enlarge what the unpaired formula gives for so many words a speaker."""
    return FEW_WORDS_FACTOR if words < FEW_WORDS else 1.0


def few_paired_words(words: float) -> float:
    """Return by how much to enlarge what the paired formula gives for so many words a speaker and condition."""
    return FEW_PAIRED_WORDS_FACTOR if words < FEW_PAIRED_WORDS else 1.0


def detectable_log_ratio(error: float, degrees: float, *, power: float, alpha: float = 0.05) -> float:
    """Return the log ratio that a two-sided t test at ``alpha`` shows with probability ``power``.

    (t[1 - alpha/2] + t[power]) * ``error`` with ``degrees`` of freedom, the formula of statistics 8 turned around.
    """
    return detectable_beyond(float(stdtrit(degrees, 1 - alpha / 2)), error, degrees, power=power)


def detectable_beyond(critical: float, error: float, degrees: float, *, power: float) -> float:
    """Return the log ratio that exceeds ``critical`` standard errors with probability ``power``."""
    return (critical + float(stdtrit(degrees, power))) * error


def speakers_needed(ratio: float, variances: tuple[float, float], *, power: float, alpha: float = 0.05) -> float:
    """Return the speakers that both of two accents need for ``ratio`` to be shown, not rounded (statistics: 8).

    k = (t[1-alpha/2, 2k-2] + t[power, 2k-2])^2 (v_1 + v_2) / log(ratio)^2, iterated. Corrections for few words are the
    caller's. Infinite beyond ``MOST_SPEAKERS``.
    """

    def excess(k: float) -> float:
        error = math.sqrt(sum(variances) / k)
        return detectable_log_ratio(error, 2 * k - 2, power=power, alpha=alpha) - abs(math.log(ratio))

    return smallest(excess, low=1.5)


def smallest(excess: Callable[[float], float], *, low: float) -> float:
    """Return where the falling ``excess`` reaches zero, by bisection; ``low`` if it begins there, or infinity."""
    if excess(low) <= 0:
        return low
    high = 2 * low + 1
    while excess(high) > 0:
        low, high = high, 2 * high
        if low > MOST_SPEAKERS:
            return math.inf
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high
