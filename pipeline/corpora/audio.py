"""Recordings as a corpus sees them: what cannot be used carries the reason of its exclusion.

Decoding itself is ``augment.recordings``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ, recordings
from augment.places import Place
from augment.recordings import RecordingError
from augment.recordings import RecordingInfo as AudioInfo
from pipeline.errors import ManifestError
from pipeline.records import Reason

__all__ = ["SAMPLE_RATE_HZ", "AudioError", "AudioInfo", "probe", "read_audio"]


class AudioError(ManifestError):
    """A recording that cannot be used as speech; ``reason`` says which exclusion it makes."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def probe(place: Place) -> AudioInfo:
    """Decode a recording once, in pieces, and say what it is.

    Raises:
        AudioError: if it is missing, cannot be decoded to its declared end, holds NaN or infinity, is empty or digital
            silence, or lasts for hours.
    """
    with _reasons():
        return recordings.probe(place)


def read_audio(place: Place, *, sha256: str | None = None) -> NDArray[np.float32]:
    """Return a recording as mono float32 of shape (n,), full scale 1.0, at 16 kHz.

    Raises:
        AudioError: if it is missing, cannot be decoded, holds NaN or infinity, or has no samples; or if it is
            not what ``sha256`` was taken of, under which its transcript would be remembered.
    """
    with _reasons():
        return recordings.read(place, sha256=sha256)


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except RecordingError as error:
        raise AudioError(Reason(error.problem), str(error)) from error
