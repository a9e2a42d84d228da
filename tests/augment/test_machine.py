"""The beeping machine: its partials, its pulses, its floor, read back from the track's spectrum and envelope."""

import numpy as np
import pytest
from pydantic import ValidationError

from augment.noise.machine import Machine, MachineSettings
from augment.resources import Resources

FS = 16000


@pytest.fixture(scope="module")
def track():
    return Machine(MachineSettings()).track({"track": 0}, Resources(1, 8)).astype(float)


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
    octaves = np.log2(8000 / 20)
    assert 10 * np.log10(np.mean(floor) * octaves / band_power(track, 0, 8000)) == pytest.approx(-20, abs=0.6)


def test_slots_differ_and_the_same_slot_is_the_same_everywhere():
    machine = Machine(MachineSettings())
    one, other = Resources(1, 8), Resources(1, 8)
    assert np.array_equal(machine.track({"track": 3}, one), machine.track({"track": 3}, other))
    assert not np.array_equal(machine.track({"track": 3}, one), machine.track({"track": 4}, one))
    assert not np.array_equal(machine.track({"track": 3}, one), machine.track({"track": 3}, Resources(2, 8)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"f0_hz": 2000.0}, "above 8000 Hz"),
        ({"period_s": 2.0}, "one call lasts 1.35 s"),
        ({"groups": []}, "at least 1"),
    ],
)
def test_a_call_that_cannot_sound_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        MachineSettings.model_validate(settings)
