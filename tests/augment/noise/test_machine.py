"""The beeping machine: its partials, its pulses, its floor, read back from the track's spectrum and envelope."""

import numpy as np
import pytest
from pydantic import ValidationError

from augment.noise.machine import MachineSettings, machine
from augment.resources import Resources

FS = 16000


def track_of(settings):
    return machine(settings, "machine").track({"track": 0}, Resources(1, 8)).samples.astype(float)


@pytest.fixture(scope="module")
def track():
    return track_of(MachineSettings())


def band_power(x, low_hz, high_hz):
    spectrum = np.abs(np.fft.rfft(x)) ** 2
    f = np.fft.rfftfreq(x.size, 1 / FS)
    return spectrum[(f >= low_hz) & (f < high_hz)].sum()


def test_five_partials_fall_by_four_decibels_each(track):
    powers = [band_power(track, 523 * k - 40, 523 * k + 40) for k in range(1, 6)]
    assert 10 * np.diff(np.log10(powers)) == pytest.approx([-4.0] * 4, abs=0.1)
    assert band_power(track, 523 * 6 - 40, 523 * 6 + 40) < powers[-1] / 100


def test_four_seconds_hold_two_calls_of_three_and_two_pulses(track):
    envelope = np.sqrt(np.convolve(track**2, np.ones(160) / 160, mode="same"))
    on = envelope > 0.5 * envelope.max()
    starts = np.flatnonzero(np.diff(on.astype(int)) == 1) / FS
    assert len(starts) in (74, 75, 76)  # 7.5 periods of 10 pulses, one perhaps cut by the ends
    gaps = np.diff(starts)[:20]
    for gap in gaps:
        assert min(abs(gap - known) for known in (0.25, 0.45, 0.8)) < 0.01
    assert np.mean(on) == pytest.approx(10 * 0.15 / 4, abs=0.03)


def test_the_floor_is_pink_and_twenty_decibels_below_the_pulses(track):
    floor = [band_power(track, low, 2 * low) for low in (20, 40, 80, 160, 3500)]
    assert 10 * np.log10(np.array(floor) / np.mean(floor)) == pytest.approx([0.0] * 5, abs=1.0)  # equal power an octave
    octaves = np.log2(8000 / 20) + 1 / np.log(2)  # below 20 Hz the density stays what it is at 20 Hz
    assert 10 * np.log10(np.mean(floor) * octaves / band_power(track, 0, 8000)) == pytest.approx(-20, abs=0.6)


@pytest.mark.parametrize("settings", [{"f0_hz": 523.25, "harmonics": 6}, {"period_s": 1.4, "groups": (2,)}])
def test_a_machine_that_does_not_go_into_the_cycle_is_held_to_it_within_one_percent(settings):
    made = MachineSettings.model_validate({"floor_db": -80.0} | settings)
    samples = track_of(made)
    envelope = np.sqrt(np.convolve(np.tile(samples, 2) ** 2, np.ones(160) / 160, mode="same"))
    starts = np.flatnonzero(np.diff((envelope > 0.3 * envelope.max()).astype(int)) == 1) / FS
    first = starts[:: len(made.onsets_s())]
    assert np.diff(first) == pytest.approx([made.spacing_s()] * (len(first) - 1), abs=0.005)  # across the join too
    assert made.spacing_s() == pytest.approx(made.period_s / made.calls, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"f0_hz": 2000.0}, "partial 5 of 2000 Hz is not below 8000 Hz"),
        ({"period_s": 20.0, "calls": 1}, "1.5 calls fall into the 30 s .*set period_s to 15 or 30"),
        ({"period_s": 2.0}, "one call lasts 1.35 s"),
        ({"groups": []}, "at least 1"),
    ],
)
def test_a_call_that_cannot_sound_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        MachineSettings.model_validate(settings)
