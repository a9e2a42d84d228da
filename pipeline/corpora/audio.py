"""Files to samples: whatever libsndfile reads, at any rate and channel count, becomes 16 kHz mono float32.

WAV, FLAC, MP3, OGG (Vorbis, Opus), AIFF and NIST SPHERE need nothing but soundfile. Nothing here mends a
file: what cannot be decoded to its declared end is refused with a reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from pipeline.artifacts import file_sha256
from pipeline.errors import ManifestError
from pipeline.records import Reason

SAMPLE_RATE_HZ = 16_000
BLOCK_FRAMES = 1 << 18
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 2_000, 768_000
"""Rates outside this range are broken headers; resampling from them could fill the memory."""

UNKNOWN_FRAMES = 1 << 62
"""libsndfile's count for a stream without a declared length lies above this."""

STREAM_BYTES = 0x7FFF_0000
"""A WAV that was piped declares a size at or above this, or none: not a promise that could be broken."""

DECODED_SHARE = 0.98
"""An MP3's declared length is known to a frame or so; a cut file loses far more than this allows."""

_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be \d+\)", re.MULTILINE)
_SPHERE_COUNT = re.compile(rb"sample_count -i (\d+)")
# soundfile itself raises TypeError and ValueError, for example for a .raw file without a declared format
_UNREADABLE = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


class AudioError(ManifestError):
    """A file that cannot be used as speech; ``reason`` says which exclusion it makes."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file is, before resampling; ``sha256`` is of its bytes."""

    sample_rate_hz: int
    duration_s: float
    sha256: str


def probe(path: Path) -> AudioInfo:
    """Decode ``path`` once, in pieces, and say what it is.

    Raises:
        AudioError: if it is missing, cannot be decoded to its declared end, holds NaN or infinity, or is
            empty or digital silence.
    """
    frames, peak, rate_hz = 0, 0.0, 0
    for rate, block in _blocks(path):
        rate_hz = rate
        frames += len(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    if frames == 0:
        raise AudioError(Reason.EMPTY_AUDIO, f"{path.name} has no samples")
    if peak == 0:
        raise AudioError(Reason.EMPTY_AUDIO, f"{path.name} is silent: every sample is zero")
    return AudioInfo(rate_hz, frames / rate_hz, file_sha256(path))


def read_audio(path: Path, *, target_rate_hz: int = SAMPLE_RATE_HZ, sha256: str | None = None) -> NDArray[np.float32]:
    """Return the file as mono float32 of shape (n,), full scale 1.0, at ``target_rate_hz``.

    Channels are averaged; another rate is resampled with soxr's HQ setting.

    Raises:
        AudioError: if it is missing, cannot be decoded, holds NaN or infinity, or has no samples; or if its bytes
            are not those of ``sha256``, under which its transcript would be remembered.
    """
    mono, rate_hz = [], target_rate_hz
    for rate, block in _blocks(path):
        rate_hz = rate
        mono.append(block.mean(axis=1, dtype=np.float32))
    samples = np.concatenate(mono) if mono else np.zeros(0, np.float32)
    if len(samples) and rate_hz != target_rate_hz:
        samples = soxr.resample(samples, rate_hz, target_rate_hz, quality="HQ")
    if len(samples) == 0:
        raise AudioError(Reason.EMPTY_AUDIO, f"{path.name} has no samples")
    if sha256 is not None and file_sha256(path) != sha256:
        raise AudioError(Reason.AUDIO_CHANGED, f"{path.name} has changed since it was loaded; run all stages again")
    return np.ascontiguousarray(samples, dtype=np.float32)


def _blocks(path: Path) -> Iterator[tuple[int, NDArray[np.float32]]]:
    if not _is_file(path):
        raise AudioError(Reason.MISSING_AUDIO, f"{path.name} is not there")
    decoded = 0
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz = int(file.samplerate)
            if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
                raise _undecodable(path, f"its sample rate of {rate_hz} Hz cannot be right")
            while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise _undecodable(path, "it holds NaN or infinity")
                decoded += len(block)
                yield rate_hz, block
            _check_whole(path, file, decoded)
    except _UNREADABLE as error:
        raise _undecodable(path, str(error).strip().rstrip(".")) from error


def _check_whole(path: Path, file: Any, decoded: int) -> None:
    frames = int(file.frames)
    declared = frames if frames < UNKNOWN_FRAMES else 0
    if file.format == "NIST":
        with path.open("rb") as raw:
            count = _SPHERE_COUNT.search(raw.read(4096))
        declared = int(count[1]) if count else declared
    if decoded < DECODED_SHARE * declared:
        raise _undecodable(path, f"it is cut short: {declared} samples are declared and {decoded} are there")
    short = _SHORT_CHUNK.search(file.extra_info)
    if short and 0 < int(short[1]) < STREAM_BYTES:
        raise _undecodable(path, f"it is cut short: {short[0].strip()}")


def _undecodable(path: Path, problem: str) -> AudioError:
    return AudioError(Reason.UNDECODABLE_AUDIO, f"{path.name} cannot be decoded: {problem}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False
