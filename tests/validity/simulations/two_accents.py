"""Two accents: is a difference claimed where there is none (statistics: 4.1), or a 25% one called equal (3.5)?"""

import numpy as np

from pipeline.stats.contrasts import contrast
from simulations.figure import Figure, share
from simulations.omnibus import p_of
from simulations.speakers import drawn, groups

MARGIN = 1.25
EQUAL_PUBLISHED = {10: 0.0, 30: 0.06, 60: 0.46, 100: 0.79}
WRONG_PUBLISHED = {10: 0.0, 30: 0.014, 60: 0.058, 100: 0.058}


def size(studies: int, *, speakers: tuple[int, ...] = (5, 10, 30), seed: int = 7) -> list[Figure]:
    """Return how often two equal accents are said to differ: jackknife interval of the ratio, and permutation."""
    figures = []
    published = {5: (0.052, 0.046), 10: (0.056, 0.049), 30: (0.074, 0.074)}
    for k in speakers:
        rng, jackknife, permuted = np.random.default_rng([seed, k]), [], []
        for _ in range(studies):
            counts = drawn(rng, 2 * k)
            one, other = groups(*counts, [k, k])
            found = contrast(one, [other], confidence=0.95).ratio_interval
            jackknife.append(found is not None and not found.low <= 1 <= found.high)
            permuted.append(p_of(rng, *counts, [k, k]) <= 0.05)
        design, held = f"2 equal accents x {k} speakers", published[k]
        figures += [
            share("two accents, jackknife ratio", design, "size at 5%", jackknife, published=held[0]),
            share("two accents, permutation", design, "size at 5%", permuted, published=held[1]),
        ]
    return figures
