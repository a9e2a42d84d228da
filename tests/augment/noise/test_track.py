"""A track repeats without a seam, and its sums say of any segment what weighting that segment says."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augment.errors import ConditionError
from augment.level import WEIGHTINGS, weight
from augment.noise.track import (
    TRACK_SAMPLES,
    closed,
    cut,
    looped,
    noise_track,
    planned_offset,
    segment_powers,
    track_powers,
)

FS = 16_000
FADE = FS // 20
KINDS = ["white", "pink", "brown", "hoth", "speech_shaped", "babble", "hum", "machine", "folder"]


@pytest.fixture(scope="module")
def uneven():
    """Noise with rumble, whose level rises tenfold in the course of its cycle; no two stretches weigh the same."""
    rumble = np.sin(2 * np.pi * 30 * np.arange(TRACK_SAMPLES) / FS)
    hiss = np.random.RandomState(0).randn(TRACK_SAMPLES)
    return noise_track((0.3 * rumble + 0.02 * hiss) * np.linspace(0.1, 1.0, TRACK_SAMPLES))


@pytest.mark.parametrize("kind", ["brown", "babble", "hum", "machine", "folder"])  # in others a click would not show
def test_a_cycle_runs_into_itself_as_smoothly_as_it_runs_elsewhere(kind, track_of, shared_resources):
    for slot in range(4):
        samples = track_of(kind, shared_resources, slot=slot).samples.astype(float)
        bend = np.abs(np.diff(np.roll(samples, 5), n=2))
        assert np.max(bend[:8]) <= np.max(bend[8 : 5 * FS])


@pytest.mark.parametrize("kind", KINDS)
def test_a_slot_is_the_same_everywhere_and_like_no_other(kind, track_of, resources, shared_resources):
    one = track_of(kind, resources, slot=3)
    assert np.array_equal(one.samples, track_of(kind, shared_resources, slot=3).samples)
    other = track_of(kind, shared_resources, slot=4).samples
    assert abs(np.corrcoef(one.samples, other)[0, 1]) < 0.9
    other_seed = type(resources)(resources.seed + 1, resources.slots, resources.talkers)
    assert not np.array_equal(one.samples, track_of(kind, other_seed, slot=3).samples)


@pytest.mark.parametrize("offset", [0, 1, 7 * FS, TRACK_SAMPLES - 1])
@pytest.mark.parametrize("length", [1, 800, 30 * FS, 45 * FS, 120 * FS])
def test_a_segment_of_any_length_goes_round_and_round(uneven, offset, length):
    expected = uneven.samples[(offset + np.arange(length)) % TRACK_SAMPLES]
    assert np.array_equal(cut(uneven, offset, length=length), expected)


def test_offsets_lie_anywhere_in_the_cycle():
    offsets = [planned_offset(1, "pink", slot=slot) for slot in range(400)]
    assert min(offsets) < 0.02 * TRACK_SAMPLES
    assert 0.98 * TRACK_SAMPLES < max(offsets) < TRACK_SAMPLES
    assert np.mean(offsets) == pytest.approx(TRACK_SAMPLES / 2, rel=0.1)
    assert offsets[5] != planned_offset(1, "white", slot=5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, TRACK_SAMPLES - 1), st.integers(FS // 20, 4 * FS))
@example(TRACK_SAMPLES - 5, FS)
@example(3, 31 * FS)
@example(16, 75 * FS + 7)
def test_the_sums_give_the_power_of_a_segment_that_is_weighted_on_its_own(uneven, offset, length):
    segment = cut(uneven, offset, length=length)
    powers = segment_powers(uneven, offset, length=length)
    assert set(powers) == set(WEIGHTINGS)
    for weighting, power in powers.items():
        alone = np.mean(np.square(weight(segment, FS, weighting)))
        assert 10 * np.log10(power / alone) == pytest.approx(0.0, abs=0.005)


def test_a_whole_cycle_weighs_what_the_track_weighs(uneven):
    for weighting, power in track_powers(uneven).items():
        assert power == pytest.approx(np.mean(weight(uneven.samples, FS, weighting) ** 2), rel=1e-3)


def test_silence_within_a_track_has_no_power():
    samples = np.random.RandomState(1).randn(TRACK_SAMPLES)
    samples[5 * FS : 10 * FS] = 0.0
    powers = segment_powers(noise_track(samples), 6 * FS, length=3 * FS)
    assert powers["none"] == 0.0
    assert powers["a"] < 1e-9  # what the weighting smears into it


def test_a_recording_is_closed_with_constant_power_and_otherwise_kept():
    x = np.random.RandomState(2).randn(TRACK_SAMPLES + 3 * FADE)
    cycle = closed(x)
    assert cycle.shape == (TRACK_SAMPLES,)
    assert np.array_equal(cycle[FADE:], x[FADE:TRACK_SAMPLES])
    assert cycle[0] == pytest.approx(x[TRACK_SAMPLES], abs=1e-12)  # what follows the end
    powers = [np.mean(closed(np.random.RandomState(seed).randn(TRACK_SAMPLES + FADE))[:FADE] ** 2) for seed in range(9)]
    assert np.mean(powers) == pytest.approx(1.0, abs=0.08)


def test_a_short_recording_comes_again_and_again_with_its_ends_faded_into_each_other():
    x = np.random.RandomState(3).randn(FS)
    again = looped(x)
    period = FS - FADE
    assert again.size >= TRACK_SAMPLES + FADE
    assert np.array_equal(again[FADE:period], x[FADE:period])
    assert np.array_equal(again[period : 2 * period], again[:period])
    assert again[period] == pytest.approx(x[period], abs=1e-12)


def test_a_cycle_of_another_length_is_no_track():
    with pytest.raises(ConditionError, match="480000 samples"):
        noise_track(np.zeros(TRACK_SAMPLES + 1))
    with pytest.raises(ConditionError, match="480800 samples"):
        closed(np.zeros(TRACK_SAMPLES))
