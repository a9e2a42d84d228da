"""What a corpus's recordings were like before anything was done to them, one row an utterance.

Levels and activity are those of ITU-T P.56, bandwidth is librosa's spectral roll-off; both are taken from the
average of the channels at the original sample rate, because resampling would hide what is looked for. Nothing
here leaves an utterance out: what cannot be measured is missing. Nothing is remembered between runs either: a
clip costs about as much as reading and hashing it again, which every run does.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.decoding import opened
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import MARGIN_DB, ActiveLevel, active_speech_level
from augment.places import Place
from pipeline import tables
from pipeline.progress import Advance

NAME = "corpus acoustics"

FRAME_S: Final = 0.02
SILENCE_DBOV: Final = -100.0
"""Reported as the noise floor where it lies lower: digital silence has no level."""

FLOOR_PERCENTILE: Final = 5
"""Noise floor: this percentile of the levels of 20 ms frames. Dense speech pauses for little more than that; less
than that would be two or three frames of a short clip."""

ROLL_OFF: Final = 0.95
"""Bandwidth of a frame: below it lies this share of the summed magnitude spectrum."""

FULL_SCALE: Final = 0.98
"""The largest codes of 8-bit PCM (0.992) and of G.711 (0.984, 0.980) lie above it."""

CLIPPED_RUN: Final = 3
"""So many equal samples at full scale in a row are cut off; a wave that just reaches it has one or two. After lossy
coding the flat tops are gone, and clipping is not seen."""

# soundfile itself raises TypeError and ValueError, for example for a .raw file without a declared format
_UNREADABLE = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording as it came: ``samples`` is frames x channels, float32, full scale 1.0."""

    samples: NDArray[np.float32]
    sample_rate_hz: int
    codec: str


def measure(
    utterances: pd.DataFrame, audio_path: Callable[[str], Place], *, workers: int, advance: Advance
) -> pd.DataFrame:
    """Measure every utterance of a checked ``tables.Utterances``, in several threads.

    Returns:
        A checked ``tables.Acoustics``: as many rows, in the same order.
    """
    rows = tables.rows(utterances)
    if not rows:
        return tables.build([], tables.Acoustics, where=NAME)
    from librosa.feature import spectral_rolloff  # noqa: F401  # loaded before the threads, not by each of them

    measured = []
    with ThreadPoolExecutor(workers, thread_name_prefix="measure") as pool:
        for row in pool.map(partial(_measured, audio_path=audio_path), rows):
            measured.append(row)
            advance()
    return tables.build(measured, tables.Acoustics, where=NAME)


def _measured(row: Mapping[str, Any], *, audio_path: Callable[[str], Place]) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(tables.columns(tables.Acoustics))
    found |= {"utterance_id": row["utterance_id"], "sample_rate_hz": row["sample_rate_hz"]}
    try:
        recording = read(audio_path(row["audio"]))
    except _UNREADABLE:
        return found
    found |= sound(recording)
    if found["activity"] is not None:
        active_s = found["activity"] * len(recording.samples) / recording.sample_rate_hz
        found["speech_rate_words_per_s"] = len(str(row["reference"]).split()) / active_s
    return found


def read(place: Place) -> Recording:
    """Read a whole recording that was found to be sound when the corpus was loaded.

    Raises:
        OSError, RuntimeError, TypeError, ValueError: if it no longer is; ``RecordingError`` is a ValueError.
    """
    blocks, rate_hz = [], SAMPLE_RATE_HZ
    with opened(place) as recording:
        for rate, block in recording.blocks():
            rate_hz = rate
            blocks.append(block)
        samples = np.concatenate(blocks) if blocks else np.zeros((0, recording.channels), np.float32)
        return Recording(samples, rate_hz, recording.codec)


def sound(recording: Recording) -> dict[str, float | int | str | None]:
    """Return what one recording is like: the columns of ``tables.Acoustics`` that need no reference."""
    rate_hz, mono = recording.sample_rate_hz, recording.samples.mean(axis=1)
    levels_dbov = frame_levels_dbov(mono, rate_hz)
    floor_dbov = noise_floor_dbov(_without_padding(mono), rate_hz)
    found: dict[str, float | int | str | None] = {
        "noise_floor_dbov": floor_dbov,
        "clipped_share": clipped_share(recording.samples),
        "sample_rate_hz": rate_hz,
        "codec": recording.codec,
    }
    active = _active_level(mono, rate_hz)
    if active is None:
        return found
    # the margin of ITU-T P.56 without its hangover, which would count the pause after a word
    spoken = levels_dbov >= active.level_dbov - MARGIN_DB
    return found | {
        "active_level_dbov": active.level_dbov,
        "activity": active.activity,
        "snr_estimated_db": None if floor_dbov is None else active.level_dbov - floor_dbov,
        "bandwidth_hz": bandwidth_hz(mono, rate_hz, spoken),
    }


def frame_levels_dbov(mono: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float64]:
    """Return the mean power of each whole 20 ms frame in dBov, at least -100."""
    size = round(FRAME_S * sample_rate_hz)
    count = len(mono) // size
    power = np.square(mono[: count * size].reshape(count, size), dtype=np.float64).mean(axis=1)
    levels_dbov: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DBOV / 10.0)))
    return levels_dbov


def noise_floor_dbov(mono: NDArray[np.float32], sample_rate_hz: int) -> float | None:
    """Return the 5th percentile of the levels of 20 ms frames, at least -100 dBov; None without a whole frame."""
    levels_dbov = frame_levels_dbov(mono, sample_rate_hz)
    return float(np.percentile(levels_dbov, FLOOR_PERCENTILE)) if levels_dbov.size else None


def bandwidth_hz(mono: NDArray[np.float32], sample_rate_hz: int, active: NDArray[np.bool_]) -> float | None:
    """Return the median 95 % roll-off over the active 20 ms frames (Hann windows of 40 ms); None without any.

    Below the roll-off of a frame lies 95 % of its magnitude spectrum (librosa's definition), which keeps the
    weak upper end of speech in view as an energy spectrum would not.
    """
    from librosa.feature import spectral_rolloff

    hop = round(FRAME_S * sample_rate_hz)
    if len(mono) < 2 * hop:
        return None
    roll_off_hz = spectral_rolloff(
        y=mono, sr=sample_rate_hz, n_fft=2 * hop, hop_length=hop, center=False, roll_percent=ROLL_OFF
    )[0]
    chosen = roll_off_hz[active[: len(roll_off_hz)]]
    return float(np.median(chosen)) if chosen.size else None


def clipped_share(samples: NDArray[np.float32]) -> float | None:
    """Return the share of samples, over all channels, in runs of three or more equal ones at full scale."""
    if not samples.size:
        return None
    repeated = (samples[1:] == samples[:-1]) & (np.abs(samples[1:]) >= FULL_SCALE)
    cut = np.zeros(samples.shape, dtype=np.bool_)
    runs = repeated[CLIPPED_RUN - 2 :] & repeated[: len(repeated) - (CLIPPED_RUN - 2)]
    for place in range(CLIPPED_RUN):
        cut[place : place + len(runs)] |= runs
    return float(np.count_nonzero(cut) / samples.size)


def _without_padding(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leave out zeros before and after the recording: somebody put them there, and they are no noise floor."""
    heard = np.flatnonzero(mono)
    return mono[heard[0] : heard[-1] + 1] if heard.size else mono[:0]


def _active_level(mono: NDArray[np.float32], sample_rate_hz: int) -> ActiveLevel | None:
    try:
        return active_speech_level(mono, sample_rate_hz)
    except (NoActiveSpeechError, ConditionError):
        return None
