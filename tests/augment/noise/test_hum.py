"""Mains hum: its partials, read back from the spectrum of a cycle."""

import numpy as np
import pytest
from pydantic import ValidationError

from augment.noise.hum import HumSettings

FS = 16_000


@pytest.mark.parametrize("f0_hz", [50, 60, 16.7])
def test_twenty_partials_fall_as_one_over_k_and_there_is_nothing_else(f0_hz, track_of, shared_resources):
    samples = track_of({"kind": "hum", "f0_hz": f0_hz}, shared_resources).samples.astype(float)
    amplitudes = 2 * np.abs(np.fft.rfft(samples)) / samples.size
    partials = np.rint(f0_hz * 30 * np.arange(1, 21)).astype(int)  # a cycle of 30 s: 30 bins a hertz
    assert amplitudes[partials] == pytest.approx(1 / np.arange(1, 21), rel=1e-3)
    amplitudes[partials] = 0.0
    assert np.max(amplitudes) < 1e-5


def test_slots_differ_in_the_phases_of_the_partials_alone(track_of, shared_resources):
    one, other = (np.fft.rfft(track_of("hum", shared_resources, slot=slot).samples.astype(float)) for slot in (1, 2))
    assert np.max(np.abs(np.abs(one) - np.abs(other))) < 1e-5 * np.max(np.abs(one))
    turns = np.angle(other[1500:30001:1500] / one[1500:30001:1500])
    assert np.std(turns) > 0.5


def test_partials_beyond_the_band_are_refused():
    with pytest.raises(ValidationError, match="partial 160 of 50 Hz is not below 8000 Hz"):
        HumSettings(f0_hz=50.0, harmonics=160)
    assert HumSettings(f0_hz=50.0, harmonics=159).harmonics == 159
