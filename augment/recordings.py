"""Files to samples: whatever libsndfile reads, at any rate and channel count, at 16 kHz.

WAV, FLAC, MP3, OGG (Vorbis, Opus), AIFF and NIST SPHERE need nothing but soundfile. Nothing here mends a
file: what cannot be decoded to its declared end is refused with a reason.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.decoding import LONGEST_S, Problem, RecordingError, file_sha256, opened
from augment.errors import ConditionError
from augment.level import Samples
from augment.places import Place

__all__ = [
    "Problem", "RecordingError", "RecordingInfo", "file_sha256", "files_in", "probe", "read", "read_channel",
    "read_response",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a file is, before resampling; ``sha256`` is of its bytes."""

    sample_rate_hz: int
    duration_s: float
    sha256: str


def probe(place: Place) -> RecordingInfo:
    """Decode a recording once, in pieces, and say what it is.

    Raises:
        RecordingError: if it is missing, cannot be decoded to its declared end, holds NaN or infinity, is empty or
            digital silence, or lasts longer than ``LONGEST_S``.
    """
    frames, peak, rate_hz = 0, 0.0, 0
    with opened(place, longest_s=LONGEST_S) as recording:
        for rate, block in recording.blocks():
            rate_hz = rate
            frames += len(block)
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
        if frames == 0:
            raise _empty(place)
        if peak == 0:
            raise RecordingError("empty_audio", f"{place.name} is silent: every sample is zero")
        return RecordingInfo(rate_hz, frames / rate_hz, recording.sha256())


def read(place: Place, *, sha256: str | None = None) -> NDArray[np.float32]:
    """Return speech as mono float32 of shape (n,), full scale 1.0, at 16 kHz.

    Channels are averaged; another rate is resampled with soxr's HQ setting.

    Raises:
        RecordingError: as ``probe``, but for silence; or if it is not what ``sha256`` was taken of, under which what
            is made of it would be remembered.
    """
    mono, rate_hz = [], SAMPLE_RATE_HZ
    with opened(place, longest_s=LONGEST_S) as recording:
        for rate, block in recording.blocks():
            rate_hz = rate
            mono.append(block.mean(axis=1, dtype=np.float32))
        if not mono:
            raise _empty(place)
        if sha256 is not None and recording.sha256() != sha256:
            raise RecordingError("audio_changed", f"{place.name} has changed since it was loaded; run all stages again")
    samples = np.concatenate(mono)
    if rate_hz != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    if len(samples) == 0:
        raise _empty(place)
    return np.ascontiguousarray(samples, dtype=np.float32)


def read_channel(place: Place, channel: int = 0) -> Samples:
    """Return one channel as float64 of shape (n,), full scale 1.0, at 16 kHz: for noise, where an average cancels.

    Another rate is resampled with soxr's VHQ setting, in pieces: an hour at 48 kHz needs no more than its result.

    Raises:
        RecordingError: as ``read``; or if there is no such channel.
    """
    kept: list[Samples] = []
    resampler: Any = None
    with opened(place) as recording:
        for rate_hz, block in recording.blocks():
            if not 0 <= channel < block.shape[1]:
                raise recording.undecodable(
                    f"it has {block.shape[1]} channel(s), and channel {channel} (from 0) is asked for"
                )
            piece = block[:, channel].astype(np.float64)
            if rate_hz != SAMPLE_RATE_HZ:
                resampler = resampler or soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float64", quality="VHQ")
                piece = resampler.resample_chunk(piece)
            kept.append(piece)
    if resampler is not None:
        kept.append(resampler.resample_chunk(np.zeros(0), last=True))
    samples: Samples = np.concatenate(kept) if kept else np.zeros(0)
    if samples.size == 0:
        raise _empty(place)
    return samples


def read_response(place: Place) -> Samples:
    """Return an impulse response as float64 of shape (n,) at 16 kHz.

    A response at another rate is resampled (soxr VHQ) and scaled by the ratio of the rates, so that its gain at
    every frequency stays what it was.

    Raises:
        RecordingError: as ``read``; or if it has more than one channel, of which none can be said to be meant.
    """
    with opened(place) as recording:
        channels, rate_hz = next(((block.shape[1], rate) for rate, block in recording.blocks()), (1, SAMPLE_RATE_HZ))
        if channels != 1:
            raise recording.undecodable(
                f"an impulse response has one channel and this file, at {rate_hz} Hz, has {channels}: keep one of them"
            )
    return read_channel(place) * (rate_hz / SAMPLE_RATE_HZ)


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


def _empty(place: Place) -> RecordingError:
    return RecordingError("empty_audio", f"{place.name} has no samples")
