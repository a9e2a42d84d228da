"""Files to samples: whatever libsndfile reads, at any rate and channel count, at 16 kHz.

WAV, FLAC, MP3, OGG (Vorbis, Opus), AIFF and NIST SPHERE need nothing but soundfile. Nothing here mends a
file: what cannot be decoded to its declared end is refused with a reason.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples

Problem = Literal["missing_audio", "undecodable_audio", "empty_audio", "audio_changed"]

LOWEST_RATE_HZ: Final = 2_000
HIGHEST_RATE_HZ: Final = 768_000
"""Rates outside this range are broken headers; resampling from them could fill the memory."""

_BLOCK_FRAMES: Final = 1 << 18

_UNKNOWN_FRAMES: Final = 1 << 62
"""libsndfile's count for a stream without a declared length lies above this."""

_STREAM_BYTES: Final = 0x7FFF_0000
"""A WAV that was piped declares a size at or above this, or none: not a promise that could be broken."""

_DECODED_SHARE: Final = 0.98
"""An MP3's declared length is known to a frame or so; a cut file loses far more than this allows."""

_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be \d+\)", re.MULTILINE)
_SPHERE_COUNT = re.compile(rb"sample_count -i (\d+)")
# soundfile itself raises TypeError and ValueError, for example for a .raw file without a declared format
_UNREADABLE = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


class RecordingError(ConditionError):
    """A file that cannot be used; ``problem`` says in one word why, the message in a sentence."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(problem, message)  # both, so that the error can be sent between processes
        self.problem = problem

    def __str__(self) -> str:
        """Return the sentence."""
        return str(self.args[1])


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a file is, before resampling; ``sha256`` is of its bytes."""

    sample_rate_hz: int
    duration_s: float
    sha256: str


def probe(path: Path) -> RecordingInfo:
    """Decode ``path`` once, in pieces, and say what it is.

    Raises:
        RecordingError: if it is missing, cannot be decoded to its declared end, holds NaN or infinity, or is
            empty or digital silence.
    """
    frames, peak, rate_hz = 0, 0.0, 0
    for rate, block in _blocks(path):
        rate_hz = rate
        frames += len(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    if frames == 0:
        raise _empty(path)
    if peak == 0:
        raise RecordingError("empty_audio", f"{path.name} is silent: every sample is zero")
    return RecordingInfo(rate_hz, frames / rate_hz, file_sha256(path))


def read(path: Path, *, sha256: str | None = None) -> NDArray[np.float32]:
    """Return speech as mono float32 of shape (n,), full scale 1.0, at 16 kHz.

    Channels are averaged; another rate is resampled with soxr's HQ setting.

    Raises:
        RecordingError: if it is missing, cannot be decoded, holds NaN or infinity, or has no samples; or if its
            bytes are not those of ``sha256``, under which what is made of it would be remembered.
    """
    mono, rate_hz = [], SAMPLE_RATE_HZ
    for rate, block in _blocks(path):
        rate_hz = rate
        mono.append(block.mean(axis=1, dtype=np.float32))
    samples = np.concatenate(mono) if mono else np.zeros(0, np.float32)
    if len(samples) and rate_hz != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    if len(samples) == 0:
        raise _empty(path)
    if sha256 is not None and file_sha256(path) != sha256:
        raise RecordingError("audio_changed", f"{path.name} has changed since it was loaded; run all stages again")
    return np.ascontiguousarray(samples, dtype=np.float32)


def read_channel(path: Path, channel: int = 0) -> Samples:
    """Return one channel as float64 of shape (n,), full scale 1.0, at 16 kHz: for noise, where an average cancels.

    Another rate is resampled with soxr's VHQ setting, in pieces: an hour at 48 kHz needs no more than its result.

    Raises:
        RecordingError: as ``read``; or if there is no such channel.
    """
    kept: list[Samples] = []
    resampler: Any = None
    for rate_hz, block in _blocks(path):
        if not 0 <= channel < block.shape[1]:
            raise _undecodable(path, f"it has {block.shape[1]} channel(s), and channel {channel} (from 0) is asked for")
        piece = block[:, channel].astype(np.float64)
        if rate_hz != SAMPLE_RATE_HZ:
            resampler = resampler or soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float64", quality="VHQ")
            piece = resampler.resample_chunk(piece)
        kept.append(piece)
    if resampler is not None:
        kept.append(resampler.resample_chunk(np.zeros(0), last=True))
    samples: Samples = np.concatenate(kept) if kept else np.zeros(0)
    if samples.size == 0:
        raise _empty(path)
    return samples


def read_response(path: Path) -> Samples:
    """Return an impulse response as float64 of shape (n,) at 16 kHz.

    A response at another rate is resampled (soxr VHQ) and scaled by the ratio of the rates, so that its gain at
    every frequency stays what it was.

    Raises:
        RecordingError: as ``read``; or if it has more than one channel, of which none can be said to be meant.
    """
    channels, rate_hz = next(((block.shape[1], rate) for rate, block in _blocks(path)), (1, SAMPLE_RATE_HZ))
    if channels != 1:
        raise _undecodable(
            path,
            f"an impulse response has one channel and this file, at {rate_hz} Hz, has {channels}: keep one of them",
        )
    return read_channel(path) * (rate_hz / SAMPLE_RATE_HZ)


def files_in(path: str, pattern: str, *, key: str, what: str) -> tuple[Path, ...]:
    """Return the files of a folder that match a pattern, by their names; hidden ones are passed over.

    Args:
        path: of the folder; ``~`` is the user's home.
        pattern: of the names, such as ``*.wav``.
        key: of the settings that hold both, for the message.
        what: one of the files is, for the message.

    Raises:
        ConditionError: if there is no such folder, it cannot be read, or nothing in it matches.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        wrong = "is a file, not a folder" if folder.exists() else "no such folder"
        raise ConditionError(f"{path}: {wrong}: set {key}.path to the one that holds the {what}s")
    try:
        files = [file for file in folder.glob(pattern) if file.is_file() and file.name[0] != "."]
        there = sorted(file.name for file in folder.iterdir())
    except OSError as error:
        raise ConditionError(f"{path}: the folder cannot be read ({error.strerror}): allow it") from error
    except (ValueError, NotImplementedError) as error:  # what pathlib makes of a pattern that is none
        raise ConditionError(f"{key}.pattern {pattern!r}: {error}: write one like '*.wav'") from error
    if not files:
        holds = f"it holds {', '.join(there[:3])}{' ...' if len(there) > 3 else ''}" if there else "it is empty"
        raise ConditionError(
            f"{path}: no {what} matches {pattern!r} ({holds}): put {what}s there or change {key}.pattern"
        )
    return tuple(sorted(files, key=lambda file: file.relative_to(folder).as_posix()))


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces.

    Raises:
        RecordingError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError("missing_audio", f"{path.name} cannot be read: {error.strerror or error}") from error


def _blocks(path: Path) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (rate in Hz, frames x channels) until the end of the file, which is checked to be the declared one."""
    if not _is_file(path):
        raise RecordingError("missing_audio", f"{path.name} is not there")
    decoded = 0
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz = int(file.samplerate)
            if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
                raise _undecodable(path, f"its sample rate of {rate_hz} Hz cannot be right")
            while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise _undecodable(path, "it holds NaN or infinity")
                decoded += len(block)
                yield rate_hz, block
            _check_whole(path, file, decoded)
    except RecordingError:  # itself a ValueError, as soundfile's own errors are
        raise
    except _UNREADABLE as error:
        problem = str(error).replace(str(path), path.name)  # a published table tells no folder of this machine
        raise _undecodable(path, problem.strip().rstrip(".")) from error


def _check_whole(path: Path, file: Any, decoded: int) -> None:
    frames = int(file.frames)
    declared = frames if frames < _UNKNOWN_FRAMES else 0
    if file.format == "NIST":
        with path.open("rb") as raw:
            count = _SPHERE_COUNT.search(raw.read(4096))
        declared = int(count[1]) if count else declared
    if decoded < _DECODED_SHARE * declared:
        raise _undecodable(path, f"it is cut short: {declared} samples are declared and {decoded} are there")
    short = _SHORT_CHUNK.search(file.extra_info)
    if short and 0 < int(short[1]) < _STREAM_BYTES:
        raise _undecodable(path, f"it is cut short: {short[0].strip()}")


def _undecodable(path: Path, problem: str) -> RecordingError:
    return RecordingError("undecodable_audio", f"{path.name} cannot be decoded: {problem}")


def _empty(path: Path) -> RecordingError:
    return RecordingError("empty_audio", f"{path.name} has no samples")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False
