"""Two accents: is a difference claimed where there is none (statistics: 4.1), or a 25% one called equal (3.5)?"""

import numpy as np

from pipeline.stats.contrasts import contrast
from pipeline.stats.equivalence import Verdict, equivalence
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


def equivalence_errors(studies: int, *, speakers: tuple[int, ...] = (10, 30, 60, 100), seed: int = 8) -> list[Figure]:
    """Return how often a true ratio of 1.25 is called equivalent within 1.25, and what equal accents are called."""
    figures = []
    for k in speakers:
        rng = np.random.default_rng([seed, k])
        wrong = [_verdict(rng, k, ratio=MARGIN) for _ in range(studies)]
        right = [_verdict(rng, k, ratio=1.0) for _ in range(studies)]
        at_margin, equal = f"2 accents x {k} speakers, true ratio 1.25", f"2 equal accents x {k} speakers"
        figures += [
            _called(wrong, Verdict.EQUIVALENT, at_margin, required="<= .07", published=WRONG_PUBLISHED.get(k)),
            _called(wrong, Verdict.WORSE, at_margin, required="<= .07"),
            _called(right, Verdict.EQUIVALENT, equal, published=EQUAL_PUBLISHED.get(k)),
            _called(right, Verdict.WORSE, equal, required="<= .05"),
        ]
    return figures


def _verdict(rng, k, *, ratio):
    rates = np.repeat([0.2 * ratio, 0.2], k)
    one, other = groups(*drawn(rng, 2 * k, wer=rates), [k, k])
    return equivalence(one, [other], margin=MARGIN, level=0.05).verdict


def _called(verdicts, verdict, design, **held):
    return share("equivalence within 1.25", design, f"called {verdict}", [one == verdict for one in verdicts], **held)
