"""Noise that is a spectrum and nothing else: stationary, Gaussian-like, without a seam.

Each bin of a cycle's transform has exactly the asked magnitude and a random phase, so two slots differ in
waveform and never in level or color.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.noise.track import TRACK_SAMPLES

TURNS: Final = TRACK_SAMPLES // 2 + 1
"""Phases that a cycle needs, one for each bin from 0 Hz to 8 kHz."""

_COLOR_FLOOR_HZ: Final = 20.0

# Hoth's room noise as in IEEE 269: power density in dB at third-octave centers; 50 dB(A) in all
_HOTH_HZ: Final = (
    *(100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0, 800.0),
    *(1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 4000.0, 5000.0, 6300.0, 8000.0),
)
_HOTH_DB_PER_HZ: Final = (
    *(32.4, 30.9, 29.1, 27.6, 26.0, 24.4, 22.7, 21.1, 19.5, 17.8),
    *(16.2, 14.6, 12.9, 11.3, 9.6, 7.8, 5.4, 2.6, -1.3, -6.6),
)


def colored_magnitude(frequency_hz: ArrayLike, exponent: float) -> Samples:
    """Return f^(-exponent/2): 0 is white, 1 pink, 2 brown. Below 20 Hz the value at 20 Hz holds."""
    f = np.maximum(np.asarray(frequency_hz, dtype=np.float64), _COLOR_FLOOR_HZ)
    return np.asarray(f ** (-exponent / 2.0))


def hoth_magnitude(frequency_hz: ArrayLike) -> Samples:
    """Return the amplitude spectrum of Hoth room noise (IEEE 269), in the root of 20 uPa squared per hertz.

    Interpolated in dB over the logarithm of the frequency. The table ends at 100 Hz and at 8 kHz; beyond
    them, where the standard says nothing, the density of the end holds.
    """
    f = np.clip(np.asarray(frequency_hz, dtype=np.float64), _HOTH_HZ[0], _HOTH_HZ[-1])
    density_db = np.interp(np.log(f), np.log(_HOTH_HZ), _HOTH_DB_PER_HZ)
    return np.asarray(10.0 ** (density_db / 20.0))


def shaped_noise(magnitude: Callable[[Samples], Samples] | Samples, turns: Samples) -> Samples:
    """Return one cycle of noise with an RMS of 1 and no DC.

    Args:
        magnitude: relative amplitude at each frequency: a function of the frequencies in Hz, or the values at the
            ``TURNS`` bins of a cycle.
        turns: ``TURNS`` phases in [0, 1).
    """
    frequency_hz = scipy.fft.rfftfreq(TRACK_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    spectrum = (magnitude(frequency_hz) if callable(magnitude) else magnitude) * np.exp(2j * np.pi * turns)
    spectrum[[0, -1]] = 0.0  # these two bins are real: a random phase would be a random magnitude
    noise: Samples = scipy.fft.irfft(spectrum, TRACK_SAMPLES)
    return np.asarray(noise / np.sqrt(np.mean(np.square(noise))))
