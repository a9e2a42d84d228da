"""What passes between the study and an engine outside of it: audio out, and words and numbers in.

What comes back was made by a program that nobody here wrote, so it is read with distrust: nothing of it is
printed or kept before it was looked at.
"""

import math
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.asr.base import SAMPLE_RATE_HZ

FULL_SCALE = 32_768
"""16-bit steps in 1.0: samples that the study rendered come through exactly."""

SHOWN = 200
"""Characters of a foreign message that are worth a reader's time."""


class UnusableError(Exception):
    """An answer came, and it is no transcript; the message says why, as the end of a sentence."""


def write_wav(file: BinaryIO, samples: NDArray[np.float32]) -> None:
    """Write mono samples (shape (n,), full scale 1.0) as WAV: PCM, 16 bits, 16 000 Hz."""
    steps = np.clip(np.rint(samples * np.float32(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    soundfile.write(file, steps, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")


def words(value: object) -> str:
    """Return what an engine gave as its text, without the blanks around it; empty text is an answer.

    Raises:
        UnusableError: if it is no text, or no valid Unicode and so cannot be stored.
    """
    if not isinstance(value, str):
        raise UnusableError(f"its text is {type(value).__name__ if value is not None else 'null'}, not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnusableError("its text is not valid Unicode (half a surrogate pair)") from None
    return value.strip()


def number(value: object) -> float | None:
    """Return a finite number as it is, and None for anything else: a confidence is never worth losing words for."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def complaint(text: str) -> str:
    """Return a foreign message on one line: printable characters only, blanks run together, shortened."""
    line = printable(text)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def printable(text: str) -> str:
    """Return ``text`` on one line, without the characters that steer a terminal or hide others."""
    blanks = "".join(character if character.isprintable() else " " for character in text if character != "\0")
    return " ".join(blanks.split())
