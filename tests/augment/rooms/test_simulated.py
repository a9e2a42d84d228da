"""The shoebox of the optional extra: aligned by construction, the same in every process, honest about what it gives."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.errors import ConditionError
from augment.resources import Resources
from augment.rooms.simulated import SimulatedRoom, SimulatedSettings, flight, places

FS = 16_000
SPEED_M_S = 343.0


def shoebox(size_m=(5.0, 4.0, 3.0), distance_m=2.0, rt60_s=0.3):
    return SimulatedSettings.model_validate({"size_m": size_m, "distance_m": distance_m, "rt60_s": rt60_s})


def response(slot=0, seed=1, **settings):
    pytest.importorskip("pyroomacoustics", reason="a simulated room needs the extra 'rooms'")
    room = SimulatedRoom(shoebox(**settings))
    resources = Resources(seed, 8)
    room.check(resources)
    return room.response(room.plan(slot, resources), resources)


@pytest.mark.parametrize(("distance_m", "rt60_s"), [(0.3, 0.3), (2.0, 0.3), (3.9, 0.3), (2.0, 0.5)])
@pytest.mark.parametrize("slot", [0, 5])
def test_the_direct_sound_is_at_sample_0_with_unit_gain(distance_m, rt60_s, slot):
    samples = response(slot, distance_m=distance_m, rt60_s=rt60_s).samples
    assert samples[0] == 1.0
    # nothing else has arrived a millisecond later: the nearest wall is half a meter away
    assert np.max(np.abs(samples[1:8])) < 0.1


def test_reflections_arrive_when_geometry_says():
    size_m = np.array([5.0, 4.0, 3.0])
    found = response(2, rt60_s=0.3).samples
    talker, microphone = places(shoebox(rt60_s=0.3), seed=1, slot=2)
    for axis in range(3):
        for wall in (0.0, size_m[axis]):
            mirrored = talker.copy()
            mirrored[axis] = 2 * wall - talker[axis]
            path_m = np.linalg.norm(mirrored - microphone)
            late = path_m / SPEED_M_S * FS - flight(2.0)
            around = slice(max(1, int(late) - 3), int(late) + 5)
            assert np.max(np.abs(found[around])) > 0.5 * 2.0 / path_m * np.sqrt(1 - 0.35)


def test_the_largest_sample_need_not_be_the_direct_sound():
    # what an alignment by the largest sample would take for the talker
    assert max(np.argmax(np.abs(response(slot, distance_m=3.9, rt60_s=0.5).samples)) for slot in range(4)) > 0


def test_time_and_ratio_are_measured_and_not_promised(schroeder_rt60_s):
    found = response(1, rt60_s=0.5)
    assert found.rt60_s == pytest.approx(schroeder_rt60_s(found.samples), rel=0.1)
    assert 0.3 < found.rt60_s < 1.0
    assert found.drr_db == pytest.approx(
        10 * np.log10(np.sum(found.samples[:40] ** 2) / np.sum(found.samples[40:] ** 2))
    )
    assert SimulatedRoom(shoebox()).promises(found) == ()


def test_a_room_is_the_same_again_and_leaves_the_global_random_state_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    first, again, other = response(3), response(3), response(4)
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples[:2000], other.samples[:2000])
    assert not np.array_equal(first.samples[:2000], response(3, seed=2).samples[:2000])
    assert np.array_equal(np.random.get_state()[1], before)


@given(
    size_m=st.tuples(*3 * [st.floats(1.5, 50)]),
    share=st.floats(0.0, 1.0),
    slot=st.integers(0, 4095),
    seed=st.integers(0, 2**63),
)
@settings(max_examples=200, deadline=None)
def test_talker_and_microphone_stand_in_the_room_as_far_apart_as_asked(size_m, share, slot, seed):
    longest_m = min(50.0, np.hypot(size_m[0] - 1, size_m[1] - 1) - 0.02)
    asked = shoebox(size_m, 0.05 + share * (longest_m - 0.05), 0.5)
    both = places(asked, seed=seed, slot=slot)
    for place in both:
        assert np.all(place >= 0.5 - 1e-6)
        assert np.all(place <= np.array(size_m) - 0.5 + 1e-6)
    apart_m = np.linalg.norm(both[0] - both[1])
    assert apart_m == pytest.approx(asked.distance_m, abs=0.011)
    assert apart_m * FS / SPEED_M_S == pytest.approx(flight(asked.distance_m), abs=1e-6)  # whole samples


def test_slots_look_in_all_directions():
    directions = [np.subtract(*places(shoebox(), seed=1, slot=slot))[:2] for slot in range(32)]
    quadrants = {(bool(x > 0), bool(y > 0)) for x, y in directions}
    assert len(quadrants) == 4


def test_a_distance_that_does_not_fit_is_refused():
    with pytest.raises(ValidationError, match=r"at most 5\.00 m apart, not 6 m: say a smaller distance_m or a larger"):
        shoebox(distance_m=6.0)


def test_without_the_library_the_hint_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(ConditionError, match=r'room\.kind: .* pip install "asr-accent-study\[rooms\]"$'):
        SimulatedRoom(shoebox()).check(Resources(1, 8))


@pytest.mark.parametrize(
    ("size_m", "rt60_s", "message"),
    [
        ((20.0, 20.0, 10.0), 0.1, r"room\.rt60_s: 0\.1 s of reverberation in a room of 20 x 20 x 10 m is less than"),
        ((2.5, 2.5, 2.0), 3.0, r"needs reflections of order \d+, and 150 is the most: .* 'kind: synthetic'"),
    ],
)
def test_a_room_that_cannot_be_simulated_is_refused(size_m, rt60_s, message):
    pytest.importorskip("pyroomacoustics", reason="a simulated room needs the extra 'rooms'")
    with pytest.raises(ConditionError, match=message):
        SimulatedRoom(shoebox(size_m, 1.0, rt60_s)).check(Resources(1, 8))
