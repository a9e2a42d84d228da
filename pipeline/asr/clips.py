"""What every engine that listens asks of a clip before it is heard, and says of one that it failed on."""

import numpy as np
from numpy.typing import NDArray

from pipeline.asr.base import SAMPLE_RATE_HZ

TOO_SHORT_S = 0.1
"""No word fits in less; such a clip keeps its (usually empty) answer and a note."""


def unusable(samples: NDArray[np.float32] | None) -> str:
    """Return a sentence saying why a clip cannot be transcribed, or empty text."""
    if samples is None:
        return "no audio was handed over"
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        return f"the clip is not mono floating point: shape {samples.shape}, {samples.dtype}"
    if samples.size == 0:
        return "the clip has no samples"
    bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
    return f"{bad} of {samples.size} samples are not finite numbers" if bad else ""


def note_on_length(samples: NDArray[np.float32]) -> str:
    """Return a note for a clip too short to hold a word, or empty text."""
    duration_s = samples.size / SAMPLE_RATE_HZ
    return f"the clip lasts {duration_s:.4f} s, too short to hold a word" if duration_s < TOO_SHORT_S else ""


def line(error: BaseException) -> str:
    """Return an error's type and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"
