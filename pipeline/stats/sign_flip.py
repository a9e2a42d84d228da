"""Did the same speakers fare differently the second time? A test that flips the signs of their differences.

Under the null hypothesis the two times are exchangeable within a speaker, whose difference then has either sign with
the same chance; speakers are independent (statistics: 4.2).
"""

from dataclasses import dataclass

import numpy as np

from pipeline.stats.counts import FloatArray, IntArray
from pipeline.stats.permutation import BATCH_VALUES, p_value

EXACT_WORK = 20_000_000
"""Speakers times the sum of their differences up to which every pattern of signs is counted: some 20 ms."""


@dataclass(frozen=True, slots=True)
class Flipped:
    """Two-sided p of the sum of differences; ``exact`` if over all patterns of signs. ``flips``: random ones drawn."""

    p: float
    exact: bool
    flips: int
    moved: int
    """speakers whose difference is not zero: no p lies below 2^(1 - moved)"""


def sign_flip(differences: IntArray, flips: int, *, rng: np.random.Generator) -> Flipped:
    """Test whether the integer ``differences``, one a speaker, sum to more, either way, than random signs would give.

    All 2^k patterns of signs are counted where that is quick, whatever k; otherwise ``flips`` of them are drawn.
    """
    sizes = np.abs(differences[differences != 0])
    observed = abs(int(differences.sum()))
    if len(sizes) * int(sizes.sum()) <= EXACT_WORK:
        return Flipped(_exact(sizes, observed), exact=True, flips=0, moved=len(sizes))
    return Flipped(p_value(observed, _drawn(sizes, flips, rng)), exact=False, flips=flips, moved=len(sizes))


def _exact(sizes: IntArray, observed: int) -> float:
    """Return P(|sum of signed sizes| >= observed) by adding one speaker after the other to the distribution."""
    total = int(sizes.sum())
    # chance of each sum of the sizes that got a plus; the signed sum is twice that, less the total
    chance, reached = np.zeros(total + 1), 0
    chance[0] = 1.0
    for size in np.sort(sizes).tolist():
        without = chance[: reached + 1] / 2
        chance[: reached + 1] = without
        chance[size : reached + size + 1] += without
        reached += size
    signed = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(chance[signed >= observed].sum()))


def _drawn(sizes: IntArray, flips: int, rng: np.random.Generator) -> FloatArray:
    """Return the absolute sums of ``flips`` random patterns of signs, shape (flips,), in bounded memory."""
    batch = max(1, BATCH_VALUES // len(sizes))
    weights = sizes.astype(np.float64)
    found = []
    for start in range(0, flips, batch):
        plus = rng.integers(0, 2, (min(batch, flips - start), len(sizes)), dtype=np.int8)
        found.append(np.abs(2 * (plus @ weights) - weights.sum()))
    return np.concatenate(found)
