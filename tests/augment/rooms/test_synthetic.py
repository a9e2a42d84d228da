"""The room of two numbers: both hold exactly, in every slot, and every severity shares its noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.resources import Resources
from augment.rooms.synthetic import SyntheticRoom, SyntheticSettings

FS = 16_000
GAP = 32  # 2 ms
ROOMS = [(0.3, 6.0), (0.5, 0.0), (0.8, -3.0), (0.8, -6.0), (1.2, -6.0)]


def response(rt60_s, drr_db, slot=0, seed=20261122):
    room = SyntheticRoom(SyntheticSettings(rt60_s=rt60_s, drr_db=drr_db))
    resources = Resources(seed, 32)
    return room.response(room.plan(slot, resources), resources)


@pytest.mark.parametrize(("rt60_s", "drr_db"), ROOMS)
@pytest.mark.parametrize("slot", [0, 1, 31])
def test_reverberation_time_and_direct_to_reverberant_ratio_are_those_asked_for(rt60_s, drr_db, slot, schroeder_rt60_s):
    samples = response(rt60_s, drr_db, slot).samples
    assert schroeder_rt60_s(samples) == pytest.approx(rt60_s, rel=0.05)
    assert 10 * np.log10(samples[0] ** 2 / np.sum(samples[1:] ** 2)) == pytest.approx(drr_db, abs=1e-9)


@pytest.mark.parametrize(("rt60_s", "drr_db"), ROOMS)
def test_a_unit_direct_path_at_sample_0_then_2_ms_of_nothing(rt60_s, drr_db):
    samples = response(rt60_s, drr_db).samples
    assert samples[0] == 1.0
    assert not np.any(samples[1:GAP])
    assert np.all(samples[GAP:])


@given(rt60_s=st.floats(0.05, 3.0), drr_db=st.floats(-30, 40), slot=st.integers(0, 31), seed=st.integers(0, 2**63))
@settings(max_examples=60, deadline=None)
def test_every_room_that_can_be_asked_for_keeps_its_promises(rt60_s, drr_db, slot, seed):
    room = SyntheticRoom(SyntheticSettings(rt60_s=rt60_s, drr_db=drr_db))
    resources = Resources(seed, 32)
    made = room.response(room.plan(slot, resources), resources)
    time, ratio = room.promises(made)
    assert (time.asked, time.tolerance, time.unit) == (rt60_s, pytest.approx(0.05 * rt60_s), "s")
    assert (ratio.asked, ratio.tolerance, ratio.unit) == (drr_db, 0.1, "dB")
    assert made.rt60_s == time.got == pytest.approx(rt60_s, rel=0.005)
    assert made.drr_db == ratio.got == pytest.approx(drr_db, abs=1e-6)


def test_rooms_of_any_severity_share_the_noise_of_a_slot():
    tails = [response(*room, slot=3).samples[GAP:] for room in ROOMS]
    shortest = min(tail.size for tail in tails)
    for tail in tails[1:]:
        assert np.array_equal(np.sign(tail[:shortest]), np.sign(tails[0][:shortest]))
    # the same decay at two ratios is one tail scaled
    assert tails[2] * 10**0.15 == pytest.approx(tails[3], rel=1e-12)


def test_slots_and_seeds_have_noise_of_their_own():
    def tail(**key):
        return np.sign(response(0.5, 0.0, **key).samples[GAP:])

    assert abs(np.mean(tail(slot=0) * tail(slot=1))) < 0.05
    assert abs(np.mean(tail(seed=1) * tail(seed=2))) < 0.05
    assert np.array_equal(tail(slot=5), tail(slot=5))


def test_the_tail_is_white():
    signs = np.sign(response(2.0, 0.0).samples[GAP:])
    assert signs.size == 40_000
    assert abs(np.mean(signs)) < 4 / 200  # four standard deviations
    for lag in range(1, 40):
        assert abs(np.mean(signs[lag:] * signs[:-lag])) < 4.5 / 200
    thirds = np.array_split(np.abs(np.fft.rfft(signs)) ** 2, 3)
    assert [np.mean(third) / np.mean(np.concatenate(thirds)) for third in thirds] == pytest.approx([1, 1, 1], abs=0.05)


def test_the_tail_falls_by_60_db_in_the_reverberation_time_and_ends_75_db_down():
    tail = np.abs(response(0.5, 0.0).samples[GAP:])
    assert 20 * np.log10(tail[8000] / tail[0]) == pytest.approx(-60, abs=1e-6)
    assert 20 * np.log10(tail[-1] / tail[0]) == pytest.approx(-75, abs=0.1)
