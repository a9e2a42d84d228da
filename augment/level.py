"""Levels: the active speech level of ITU-T P.56 (method B) and frequency weightings.

The level of speech is measured while someone speaks. An RMS over the whole clip would give hesitant
talkers, and corpora that trim less, an easier test at the same nominal SNR.

All levels are in dBov: 0 dBov is the power of a full-scale square wave (samples of +-1.0).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

from augment.errors import ConditionError, NoActiveSpeechError

Weighting = Literal["none", "a", "g712", "wb"]
Samples = NDArray[np.float64]

WEIGHTINGS: Final[tuple[Weighting, ...]] = ("none", "a", "g712", "wb")

# ITU-T P.56 (method B), table of parameters; thresholds for 16-bit material as in ITU-T G.191
TIME_CONSTANT_S = 0.03
HANGOVER_S: Final = 0.2
"""A sample stays active for so long after the envelope fell below the threshold."""

MARGIN_DB: Final = 15.9
"""The active level lies so far above the threshold from which on a sample is active."""

THRESHOLDS: Final = 2.0 ** np.arange(-15, 0)
_THRESHOLDS_DB: Final = 20.0 * np.log10(THRESHOLDS)

# IEC 61672-1, annex E: the pole frequencies of the A-weighting and its gain correction at 1 kHz
_A_POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
_A_NORMALIZATION_DB = 1.9997

# zero, full, full, zero gain; raised-cosine skirts outside the nominal band
_BANDS_HZ: Final[dict[str, tuple[float, float, float, float]]] = {
    "g712": (200.0, 300.0, 3400.0, 3600.0),
    "wb": (50.0, 100.0, 7000.0, 7400.0),
}
_RINGING_S = 0.25
LEVELING_PASSES = 4
LEVELING_DB = 0.001


@dataclass(frozen=True, slots=True)
class ActiveLevel:
    """What ITU-T P.56 reports of one signal."""

    level_dbov: float
    """Mean power while active."""
    rms_dbov: float
    """Mean power of the whole signal."""
    activity: float
    """Share of the time that is active, 0 to 1."""


def checked(samples: ArrayLike) -> Samples:
    """Return ``samples`` as one channel of finite float64 values.

    Raises:
        NoActiveSpeechError: if there are none.
        ConditionError: if they are not one channel of finite floating-point numbers.
    """
    array = np.asarray(samples)
    if array.ndim != 1 or array.dtype.kind != "f":
        raise ConditionError(
            f"samples must be one channel of floating-point numbers with full scale 1.0, "
            f"not {array.dtype} of shape {array.shape}: average the channels and divide integers by full scale"
        )
    if not array.size:
        raise NoActiveSpeechError("the signal holds no samples")
    signal = array.astype(np.float64)
    bad = int(np.count_nonzero(~np.isfinite(signal)))
    if bad:
        raise ConditionError(f"{bad} of {signal.size} samples are not finite numbers: the recording is damaged")
    return signal


def active_speech_level(samples: ArrayLike, sample_rate_hz: int) -> ActiveLevel:
    """Measure the active speech level of ITU-T P.56, method B.

    A sample is active at a threshold while the smoothed envelope is at or above it, and for 0.2 s
    more. The level is where the mean power over the active time lies 15.9 dB above the threshold,
    interpolated in dB between thresholds that are 6.02 dB apart.

    Args:
        samples: one channel, any length, full scale 1.0. Beyond full scale the ladder of thresholds moves up.
        sample_rate_hz: their rate.

    Raises:
        NoActiveSpeechError: if no threshold fits: silence, or level below about -75 dBov, or bare clicks.
        ConditionError: if the samples are not finite numbers.
    """
    signal, shift_db = _within_full_scale(checked(samples))
    energy = float(np.sum(np.square(signal)))
    level_db = crossing_db(energy, _activity_counts(signal, sample_rate_hz))
    if level_db is None:
        rms = f"RMS {_db(energy / signal.size) + shift_db:.1f} dBov" if energy else "no power at all"
        raise NoActiveSpeechError(
            f"no active speech by ITU-T P.56 in {signal.size / sample_rate_hz:.2f} s of signal ({rms}): "
            "leave the recording out"
        )
    rms_db = _db(energy / signal.size)
    activity = min(1.0, 10.0 ** ((rms_db - level_db) / 10.0))
    return ActiveLevel(level_dbov=level_db + shift_db, rms_dbov=rms_db + shift_db, activity=activity)


def active_mask(samples: ArrayLike, sample_rate_hz: int, level: ActiveLevel) -> NDArray[np.bool_]:
    """Return for each sample whether it is active: the envelope, held for 0.2 s, within 15.9 dB of the active level.

    That is the activity that ITU-T P.56 integrates over to find ``level``, which must be that of ``samples``.

    Raises:
        ConditionError: if the samples are not finite numbers.
    """
    threshold = _amplitude(level.level_dbov - MARGIN_DB)
    return np.asarray(_held_envelope(checked(samples), sample_rate_hz) >= threshold)


def gain_to_level(samples: ArrayLike, sample_rate_hz: int, *, target_dbov: float) -> tuple[float, ActiveLevel]:
    """Return the amplitude gain that brings ``samples`` to an active level, and their level before.

    P.56 reads a signal up to 0.1 dB differently when it is scaled, because its thresholds stand still;
    so the scaled signal is read again, until it reads the target within 0.001 dB.

    Raises:
        NoActiveSpeechError: if they have no active level.
        ConditionError: if they are not finite numbers.
    """
    signal = checked(samples)
    before = active_speech_level(signal, sample_rate_hz)
    gain_db = target_dbov - before.level_dbov
    for _ in range(LEVELING_PASSES):
        left_db = target_dbov - active_speech_level(signal * _amplitude(gain_db), sample_rate_hz).level_dbov
        if abs(left_db) < LEVELING_DB:
            break
        gain_db += left_db
    return _amplitude(gain_db), before


def _within_full_scale(signal: Samples) -> tuple[Samples, float]:
    peak = float(np.max(np.abs(signal)))
    if peak <= 1.0:
        return signal, 0.0
    exponent = int(np.frexp(peak)[1])  # a power of two, so that the scaled samples are exact
    return np.ldexp(signal, -exponent), exponent * 20.0 * float(np.log10(2.0))


def _activity_counts(signal: Samples, sample_rate_hz: int) -> NDArray[np.int64]:
    """Count the active samples at each threshold, hangover included."""
    held = _held_envelope(signal, sample_rate_hz)
    return np.array([np.count_nonzero(held >= threshold) for threshold in THRESHOLDS], dtype=np.int64)


def _held_envelope(signal: Samples, sample_rate_hz: int) -> Samples:
    """Return the smoothed envelope, held for the hangover.

    "At or above the threshold, or at most H samples after it" is the same as "the running maximum of
    the envelope over the last H + 1 samples is at or above it", which needs no loop over samples.
    """
    g = float(np.exp(-1.0 / (sample_rate_hz * TIME_CONSTANT_S)))
    envelope = lfilter([1.0 - g], [1.0, -g], lfilter([1.0 - g], [1.0, -g], np.abs(signal)))
    window = int(np.floor(HANGOVER_S * sample_rate_hz + 0.5)) + 1
    held: Samples = maximum_filter1d(envelope, window, mode="constant", cval=0.0, origin=(window - 1) // 2)
    return held


def crossing_db(energy: float, counts: NDArray[np.int64]) -> float | None:
    """Return the level whose distance from the threshold is the margin, or None where there is none."""
    if counts[0] == 0:
        return None
    occupied = int(np.count_nonzero(counts))
    power_db = 10.0 * np.log10(energy / counts[:occupied])
    excess_db = power_db - _THRESHOLDS_DB[:occupied] - MARGIN_DB
    crossed = np.flatnonzero(excess_db <= 0.0)
    if excess_db[0] < 0.0 or not crossed.size:
        return None
    upper = int(crossed[0])
    if upper == 0:
        return float(power_db[0])
    share = excess_db[upper - 1] / (excess_db[upper - 1] - excess_db[upper])
    return float(power_db[upper - 1] + share * (power_db[upper] - power_db[upper - 1]))


def weight(samples: ArrayLike, sample_rate_hz: int, weighting: Weighting) -> Samples:
    """Filter with a frequency weighting, without delay and without changing the length.

    ``a``: IEC 61672-1. ``g712``: 300-3400 Hz. ``wb``: 100-7000 Hz. ``none``: as it is. The gain is
    applied to the spectrum (zero phase), so it equals the analogue curve up to the Nyquist frequency.

    Raises:
        ConditionError: if the samples are not finite numbers.
    """
    signal = checked(samples)
    if weighting == "none":
        return signal
    n_fft = fft_size(signal.size, sample_rate_hz)
    spectrum = scipy.fft.rfft(signal, n_fft) * _gains(n_fft, sample_rate_hz, weighting)
    filtered: Samples = scipy.fft.irfft(spectrum, n_fft)[: signal.size]
    return filtered


def weighted_powers(samples: ArrayLike, sample_rate_hz: int) -> dict[Weighting, float]:
    """Return the mean square of ``samples`` under every weighting (Parseval's theorem: one transform for all)."""
    signal = checked(samples)
    n_fft = fft_size(signal.size, sample_rate_hz)
    spectrum = scipy.fft.rfft(signal, n_fft)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    power[1:-1] *= 2.0  # each stands for itself and its mirror image
    scale = 1.0 / (n_fft * signal.size)
    return {w: scale * float(np.sum(power * np.square(_gains(n_fft, sample_rate_hz, w)))) for w in WEIGHTINGS}


def weighting_gain(frequency_hz: ArrayLike, weighting: Weighting) -> Samples:
    """Return the amplitude gain of a weighting at each frequency (1 = 0 dB).

    ``a``: R(f) of IEC 61672-1, annex E, as an amplitude; the bands have raised-cosine skirts.
    """
    f = np.asarray(frequency_hz, dtype=np.float64)
    if weighting == "none":
        return np.ones_like(f)
    if weighting == "a":
        p1, p2, p3, p4 = (np.square(pole) for pole in _A_POLES_HZ)
        f2 = np.square(f)
        r = p4 * np.square(f2) / ((f2 + p1) * np.sqrt((f2 + p2) * (f2 + p3)) * (f2 + p4))
        return np.asarray(r * 10.0 ** (_A_NORMALIZATION_DB / 20.0))
    corners = _BANDS_HZ[weighting]
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.interp(f, corners, (0.0, 1.0, 1.0, 0.0))))


@lru_cache(maxsize=24)
def _gains(n_fft: int, sample_rate_hz: int, weighting: Weighting) -> Samples:
    gains = weighting_gain(scipy.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz), weighting)
    gains.setflags(write=False)
    return gains


def fft_size(length: int, sample_rate_hz: int) -> int:
    """Return a fast size that leaves room for the filters' ringing; few sizes, so that ``_gains`` are reused."""
    needed = length + round(_RINGING_S * sample_rate_hz)
    octave = 1 << (needed.bit_length() - 1)
    return next(octave * quarters // 4 for quarters in (4, 5, 6, 7, 8) if octave * quarters // 4 >= needed)


def _amplitude(gain_db: float) -> float:
    return float(10.0 ** (gain_db / 20.0))


def _db(power: float) -> float:
    return 10.0 * float(np.log10(power))
