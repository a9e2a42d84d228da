"""Signs of a text that repeats itself, as a recognizer does that is caught in a loop."""

import zlib
from collections.abc import Sequence

MIN_REPEATED = 3
"""Words that occur again, without which nothing can be repeated four times in a row."""
LONG_WORD = 12
"""A longer word may hold a loop without a space in it."""


def has_loop(words: Sequence[str], *, longest: int, times: int) -> bool:
    """Return whether some ``longest`` words or fewer stand ``times`` times in a row."""
    for size in range(1, min(longest, len(words) // times) + 1):
        run = 0
        for before, after in zip(words, words[size:], strict=False):
            run = run + 1 if before == after else 0
            if run >= size * (times - 1):
                return True
    return False


def compression_ratio(text: str) -> float:
    """Return bytes over bytes as zlib writes them, what Whisper calls ``compression_ratio``; 0 for an empty text.

    (openai-whisper, ``whisper/utils.py``; its decoder takes a ratio above 2.4 for a failure.)
    """
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def may_loop(words: Sequence[str], *, times: int) -> bool:
    """Return whether a text can be a loop at all: without repeated or long words neither sign is looked for."""
    repeated = len(words) - len(set(words))
    return repeated >= min(MIN_REPEATED, times - 1) or max(map(len, words), default=0) > LONG_WORD
