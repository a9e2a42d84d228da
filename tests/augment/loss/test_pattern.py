"""Which packets are lost: rate, bursts and cap over many packets, exact counts in every clip, pairing over slots."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as running
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.errors import ConditionError
from augment.loss.pattern import LossSettings, losses_asked, lost_packets, plan_losses
from augment.plan import generator, uniform

SEED = 20261122


def settings(rate, mean_burst=1.0, **more):
    return LossSettings.model_validate({"rate": rate, "mean_burst": mean_burst} | more)


def pattern(asked, packets, *, slot=0, seed=SEED):
    runs = plan_losses(asked, seed=seed, slot=slot, packets=packets)
    return lost_packets(runs, packets), np.array(runs[1::2])


TABLE = [(0.01, 1), (0.03, 2), (0.05, 3), (0.10, 4), (0.20, 5)]


@pytest.mark.parametrize(("rate", "mean_burst"), TABLE)
@pytest.mark.parametrize("max_burst_ms", [200, 10_000])
def test_rate_and_mean_burst_hold_over_100000_packets_with_and_without_a_cap(rate, mean_burst, max_burst_ms):
    lost, bursts = pattern(settings(rate, mean_burst, max_burst_ms=max_burst_ms, exact=False), 100_000)
    assert np.mean(lost) == pytest.approx(rate, rel=0.1)
    assert np.mean(bursts) == pytest.approx(mean_burst, rel=0.05)


@pytest.mark.parametrize(("packet_ms", "longest"), [(20, 10), (30, 6), (60, 3)])
def test_no_burst_is_longer_than_the_cap_which_is_reached(packet_ms, longest):
    _, bursts = pattern(settings(0.2, 3, packet_ms=packet_ms, exact=False), 100_000)
    assert bursts.max() == longest
    _, uncapped = pattern(settings(0.2, 3, max_burst_ms=10_000, exact=False), 100_000)
    assert uncapped.max() > 10


def test_bursts_and_gaps_have_the_lengths_of_the_gilbert_model():
    rate, mean_burst = 0.1, 4.0
    lost, bursts = pattern(settings(rate, mean_burst, max_burst_ms=10_000, exact=False), 200_000)
    edges = np.flatnonzero(np.diff(lost.astype(int)))
    lengths = np.diff(edges)
    gaps = lengths[::2] if lost[edges[0]] else lengths[1::2]
    p, q = rate / (mean_burst * (1 - rate)), 1 / mean_burst
    for length in (2, 5, 10):  # geometric: no memory beyond the last packet
        assert np.mean(bursts >= length) == pytest.approx((1 - q) ** (length - 1), abs=0.02)
    for length in (10, 40, 100):
        assert np.mean(gaps >= length) == pytest.approx((1 - p) ** (length - 1), abs=0.02)


@pytest.mark.parametrize(("rate", "mean_burst"), TABLE[1:])
def test_the_pattern_is_that_of_a_plain_loop_over_two_states(rate, mean_burst):
    p, q = rate / (mean_burst * (1 - rate)), 1 / mean_burst
    state, expected = False, []
    for number, draw in enumerate(uniform(generator(SEED, "loss", 5, "packets"), 5000)):
        state = bool(draw < (rate if number == 0 else 1 - q if state else p))
        expected.append(state)
    lost, _ = pattern(settings(rate, mean_burst, max_burst_ms=10_000, exact=False), 5000, slot=5)
    assert lost.tolist() == expected


def test_a_slot_begins_inside_a_loss_as_often_as_packets_are_lost():
    first = [pattern(settings(0.2, 3, exact=False), 20, slot=slot)[0][0] for slot in range(2000)]
    assert np.mean(first) == pytest.approx(0.2, abs=0.03)


@given(
    rate=st.floats(0.001, 0.9),
    mean_burst=st.floats(1, 10),
    packets=st.integers(1, 600),
    slot=st.integers(0, 3),
)
@running(deadline=None)
def test_the_exact_mode_is_exact_and_never_loses_nothing(rate, mean_burst, packets, slot):
    rate = min(rate, 0.99 * mean_burst / (1 + mean_burst))
    lost, bursts = pattern(settings(rate, mean_burst), packets, slot=slot)
    assert np.count_nonzero(lost) == losses_asked(settings(rate, mean_burst), packets) >= 1
    assert abs(np.count_nonzero(lost) - rate * packets) <= max(0.5, 1 - rate * packets)
    assert bursts.max() <= 10


def test_an_exact_count_leaves_bursts_as_they_were():
    bursts = np.concatenate([pattern(settings(0.05, 3), 400, slot=slot)[1] for slot in range(250)])
    # 20 of 400 packets; a burst that a clip's edge cuts in two counts as a shorter one
    assert bursts.mean() == pytest.approx(3, rel=0.05)
    assert np.mean(bursts >= 6) == pytest.approx((2 / 3) ** 5, abs=0.03)


def test_an_exact_count_does_not_favor_any_place_in_the_clip():
    lost = np.mean([pattern(settings(0.04, 2), 50, slot=slot)[0] for slot in range(500)], axis=0)
    assert lost.mean() == pytest.approx(0.04)
    # a search that stops at the first window that fits would lose the last packet in every other clip
    assert lost[[0, -1]].max() < 0.08


@pytest.mark.parametrize("mean_burst", [1, 10])
def test_the_lowest_rate_finds_its_one_packet_in_every_slot(mean_burst):
    for slot in range(8):
        assert np.count_nonzero(pattern(settings(0.001, mean_burst), 400, slot=slot)[0]) == 1


@pytest.mark.parametrize("packets", [1, 2, 7])
def test_the_shortest_clips_lose_one_packet(packets):
    for slot in range(8):
        assert np.count_nonzero(pattern(settings(0.01, 1), packets, slot=slot)[0]) == 1


def test_without_exact_a_short_clip_has_the_beginning_of_a_longer_ones_pattern():
    asked = settings(0.1, 3, exact=False)
    whole, _ = pattern(asked, 6000)
    for packets in (1, 3, 149, 150, 151, 4096, 4097):
        assert np.array_equal(pattern(asked, packets)[0], whole[:packets])


def test_the_pattern_depends_on_seed_and_slot_alone():
    asked = settings(0.1, 2)
    patterns = {tuple(plan_losses(asked, seed=seed, slot=slot, packets=400)) for seed in (1, 2) for slot in range(8)}
    assert len(patterns) == 16
    again = settings(0.1, 2, conceal="zero")  # what is done about a loss is not when it happens
    assert plan_losses(asked, seed=1, slot=3, packets=400) == plan_losses(again, seed=1, slot=3, packets=400)


def test_a_higher_rate_loses_what_a_lower_one_loses_and_more():
    for mean_burst in (2, 4):
        low, middle, high = (
            pattern(settings(rate, mean_burst, max_burst_ms=10_000, exact=False), 20_000)[0]
            for rate in (0.01, 0.05, 0.2)
        )
        assert not np.any(low & ~middle)
        assert not np.any(middle & ~high)
        assert low.sum() < middle.sum() < high.sum()


def test_a_plan_is_plain_integers_and_touches_no_global_random_state():
    states = np.random.get_state()[1].copy(), random.getstate()
    runs = plan_losses(settings(0.1, 2), seed=1, slot=0, packets=400)
    assert json.loads(json.dumps(runs)) == runs
    assert np.array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]


def test_rate_0_loses_nothing():
    assert plan_losses(settings(0.0), seed=1, slot=0, packets=400) == []
    assert not np.any(lost_packets([], 400))


@given(st.lists(st.booleans(), min_size=1, max_size=60))
@running(deadline=None)
def test_runs_describe_any_pattern(flags):
    runs, previous = [], False
    for number, flag in enumerate(flags):
        if flag and not previous:
            runs += [number, 0]
        if flag:
            runs[-1] += 1
        previous = flag
    assert lost_packets(runs, len(flags)).tolist() == flags


@pytest.mark.parametrize("runs", [[3], [9, 2], [-1, 2], [2, 0], [5, 1, 2, 1], [2, 3, 4, 1]])
def test_runs_that_do_not_fit_the_clip_are_refused(runs):
    with pytest.raises(ConditionError, match="no runs within 10 packets: plan again"):
        lost_packets(runs, 10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 0.5, "mean_burst": 11}, "holds 10 packets of 20 ms, fewer than mean_burst 11: raise max_burst_ms"),
        ({"rate": 0.1, "packet_ms": 60, "mean_burst": 4}, "holds 3 packets of 60 ms"),
        ({"rate": 0.6, "mean_burst": 1}, "at most 0.500 is lost: lower rate or raise mean_burst"),
        ({"rate": 0.91, "mean_burst": 10}, "less than or equal to 0.9"),
        ({"rate": 0.0005}, "loses less than one packet in 1000: give 0 or more"),
        ({"rate": -0.1}, "greater than or equal to 0"),
        ({"rate": 0.1, "mean_burst": 0.5}, "greater than or equal to 1"),
        ({"rate": 0.1, "conceal": "magic"}, "'codec', 'pitch', 'repeat' or 'zero'"),
        ({"rate": 0.1, "max_burst": 3}, "Extra inputs"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        LossSettings.model_validate(values)


def test_a_recording_of_many_hours_is_refused_by_name():
    with pytest.raises(ConditionError, match="not 2000000: split the recording"):
        plan_losses(settings(0.1), seed=1, slot=0, packets=2_000_000)
