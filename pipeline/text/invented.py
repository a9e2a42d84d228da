"""Signs in one text that a recognizer invented it; light to import, because other processes look at texts with it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text.loops import compression_ratio, has_loop, may_loop
from pipeline.text.sequences import Sequences

LOOP, COMPRESSED, WITHIN, WHOLE = 1, 2, 4, 8
"""Bits: a loop of words, a text that compresses as a loop does, a known phrase within it, a known phrase alone."""


@dataclass(frozen=True, eq=False)
class Look:
    """Gives the signs of a normalized text as bits: several in one look at it.

    ``known`` are phrases that count anywhere, ``whole`` those that count as a whole text; a loop is ``loop_words``
    words or fewer, ``loop_times`` times in a row; a text compresses as one above ``most_compression``.
    """

    known: Sequences
    whole: frozenset[str]
    loop_words: int
    loop_times: int
    most_compression: float

    def at(self, text: str) -> int:
        """Return the bits of one text."""
        words = text.split()
        found = WHOLE if text in self.whole else 0
        if self.known.find_in(words):
            found |= WITHIN
        if may_loop(words, times=self.loop_times):  # few texts can, and the rest is spared the work
            if has_loop(words, longest=self.loop_words, times=self.loop_times):
                found |= LOOP
            if compression_ratio(text) > self.most_compression:
                found |= COMPRESSED
        return found

    def at_all(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the bits of each text, shape (texts,)."""
        return np.fromiter(map(self.at, texts), np.int64, len(texts))
