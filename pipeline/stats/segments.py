"""The matched-pairs test that is customary for recognizers (MAPSSWE), on segments of two alignments of one reference.

Source: Gillick & Cox, "Some statistical issues in the comparison of speech recognition algorithms" (1989), with the
two words in a row that NIST's scoring tool asks for. It takes segments as independent, which those of one speaker are
not: where the difference itself varies between speakers it finds too much (statistics: 4.2, up to .475 for a nominal
.05). It stands beside the test by speaker, never in its place.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from pipeline.error_slots import ErrorSlots
from pipeline.stats.counts import IntArray

MIN_GOOD_WORDS = 2
"""Words in a row that both got right, without an insertion between them, which end a segment."""


@dataclass(frozen=True, slots=True)
class Mapsswe:
    """``z`` and two-sided ``p`` of the mean difference in errors a segment; None where they are undefined."""

    n_segments: int
    z: float | None
    p: float | None


def segment_sums(first: ErrorSlots, second: ErrorSlots) -> IntArray:
    """Cut utterances into segments with errors; return, per utterance, what the test needs of them.

    A segment begins with an error of either side and ends before ``MIN_GOOD_WORDS`` words in a row that both got right,
    or with the utterance. Stretches without an error are no segments.

    Args:
        first: the error slots of each utterance.
        second: those of the other side, for the same utterances.

    Returns:
        Shape (utterances, 3): number of segments, sum and sum of squares of d = errors of ``second`` less of ``first``.
    """
    utterance = np.concatenate([first.rows, second.rows])
    slot = np.concatenate([first.slots, second.slots])
    worth = np.repeat([-1, 1], [len(first.slots), len(second.slots)])
    order = np.lexsort((slot, utterance))
    utterance, slot, worth = utterance[order], slot[order], worth[order]
    # words have odd slots: those strictly between two errors were right on both sides
    right = slot[1:] // 2 - (slot[:-1] + 1) // 2
    begins = np.ones(len(slot), dtype=bool)
    begins[1:] = (utterance[1:] != utterance[:-1]) | (right >= MIN_GOOD_WORDS)
    difference = np.bincount(np.cumsum(begins) - 1, weights=worth)
    where, n = utterance[begins], len(first.counts)
    sums = [np.bincount(where, weights=of, minlength=n) for of in (None, difference, np.square(difference))]
    return np.rint(np.stack(sums, axis=1)).astype(np.int64)


def mapsswe(n_segments: int, total: int, squares: int) -> Mapsswe:
    """Return z = mean(d) / (s / sqrt(n)) with s^2 on n - 1, and the normal p: d = (1, 1, 0) gives z = 2."""
    if n_segments < 2:
        return Mapsswe(n_segments, None, None)
    variance = (squares - total**2 / n_segments) / (n_segments - 1)
    # n times the numerator is an integer: a spread of exactly zero is seen as such
    if n_segments * squares == total**2:
        return Mapsswe(n_segments, None, None)
    z = total / math.sqrt(n_segments * variance)
    return Mapsswe(n_segments, z, float(2 * ndtr(-abs(z))))
