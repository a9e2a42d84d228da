"""Babble: who speaks, that it is never the target's own voice, and that accents are balanced and paired."""

import zlib
from collections import Counter

import numpy as np
import pytest

from augment.chain import PlanInput
from augment.errors import ConditionError
from augment.level import active_speech_level
from augment.noise.babble import Babble, BabbleSettings
from augment.noise.casting import cast_tracks
from augment.plan import SlotInput, assign_slots
from augment.resources import Resources, Talker

FS = 16000


def silent_talker(accent, group, recording):
    """A talker whose recordings nobody loads: casting reads no audio."""
    return Talker(
        f"{accent}/{group}",
        accent,
        group,
        (recording(np.full(1, zlib.crc32(f"{accent}{group}".encode()) % 997, np.float32)),),
    )


@pytest.fixture
def crossed(recording):
    return sorted(
        (silent_talker(a, f"v{v}", recording) for a in "abcdefghi" for v in range(6)), key=lambda t: t.talker_id
    )


@pytest.fixture
def nested(recording):
    return sorted(
        (silent_talker(a, f"{a}{n}", recording) for a in "abcdefgh" for n in range(2)), key=lambda t: t.talker_id
    )


@pytest.mark.parametrize("pool", ["crossed", "nested"])
@pytest.mark.parametrize("size", [1, 3, 6])
def test_accents_take_turns_and_no_talker_speaks_twice_in_a_track(pool, size, request):
    talkers = request.getfixturevalue(pool)
    casts = cast_tracks(talkers, size=size, slots=32, seed=1)
    heard = Counter(accent for cast in casts for accent in cast.accents)
    assert sum(heard.values()) == 32 * size
    spread = 1 if pool == "crossed" else 3  # two talkers an accent: a held-out one passes its turn on now and then
    assert max(heard.values()) - min(heard.values()) <= spread
    for cast in casts:
        assert len({part.talker_id for part in cast.parts}) == size
        assert max(Counter(cast.accents).values()) == 1


@pytest.mark.parametrize("pool", ["crossed", "nested"])
def test_every_group_finds_a_track_without_its_own_voice_near_its_slot(pool, request):
    talkers = request.getfixturevalue(pool)
    casts = cast_tracks(talkers, size=6, slots=32, seed=1)
    groups = {talker.group for talker in talkers}
    passed = [
        next(n for n in range(32) if group not in casts[(slot + n) % 32].groups)
        for group in groups
        for slot in range(32)
    ]
    assert np.mean(passed) < 1.5
    assert max(passed) < 16


def test_the_order_of_the_pool_changes_no_track(crossed_pool):
    one = Resources(1, 4, crossed_pool)
    other = Resources(1, 4, reversed(crossed_pool))
    assert one.talkers == other.talkers


def test_no_target_meets_its_own_voice_and_a_passed_slot_is_recorded(noisy, resources, crossed_pool):
    condition = noisy(10.0)
    casts = cast_tracks(resources.talkers, size=6, slots=8, seed=resources.seed)
    passed = Counter()
    for group in sorted({talker.group for talker in crossed_pool}):
        for slot in range(8):
            plan = condition.plan(PlanInput("u", group, 3 * FS), slot, resources)
            assert group not in casts[plan["0.track"]].groups
            assert plan["0.track"] == (slot + plan["0.slots_passed"]) % 8
            assert plan["0.track_sha256"] == casts[plan["0.track"]].sha256
            passed[plan["0.slots_passed"] > 0] += 1
    assert passed[False] > 0
    assert passed[True] > 0


def paired(condition, resources, *, by, groups):
    rows = [(f"{accent}-{g}-{n}", accent, g, f"Prompt {n}") for accent in "abc" for g in groups for n in range(13)]
    slots = assign_slots([SlotInput(u, a, p) for u, a, _, p in rows], by=by, slots=resources.slots, seed=resources.seed)
    met = {accent: Counter() for accent in "abc"}
    for utterance, accent, group, _ in rows:
        plan = condition.plan(PlanInput(utterance, group, 2 * FS), slots[utterance], resources)
        met[accent][plan["0.track"], plan["0.offset"]] += 1
    return met


@pytest.mark.parametrize("kind", ["babble", "machine"])
def test_every_accent_meets_the_same_tracks_and_offsets_within_one(kind, noisy, resources):
    met = paired(noisy(5.0, kind), resources, by="slot", groups=["outsider"])
    for realization in set().union(*met.values()):
        counts = [met[accent][realization] for accent in "abc"]
        assert max(counts) - min(counts) <= 1


def test_by_prompt_the_pairing_is_exact_although_own_voices_are_passed_over(noisy, resources):
    met = paired(noisy(5.0), resources, by="prompt", groups=["v0", "v1", "v2", "v3"])
    assert met["a"] == met["b"] == met["c"]


def test_a_pool_that_is_too_small_is_refused_at_the_start_with_what_to_do(noisy, recording):
    pool = [silent_talker("a", f"g{n}", recording) for n in range(4)]
    with pytest.raises(
        ConditionError,
        match=r"conditions\.babble_10\.steps\.0 \(add_noise\): .*leaves 3 .*set source\.talkers to 3 or less",
    ):
        noisy(10).check(Resources(1, 8, pool))
    with pytest.raises(ConditionError, match="load more speakers"):
        noisy(10).check(Resources(1, 8, []))


def test_one_voice_in_many_accents_leaves_no_track_without_it(noisy, recording):
    pool = [silent_talker(accent, "the one voice", recording) for accent in "abcdefgh"]
    with pytest.raises(ConditionError, match="8 talkers in 1 groups"):
        noisy(10).check(Resources(1, 8, pool))


def test_too_few_slots_for_the_groups_are_refused(noisy, resources):
    with pytest.raises(ConditionError, match=r"raise acoustics\.slots"):
        noisy(10).check(Resources(1, 1, resources.talkers))


def test_two_talkers_with_one_id_are_refused(crossed_pool):
    with pytest.raises(ConditionError, match="share a talker_id"):
        Resources(1, 8, [*crossed_pool, crossed_pool[0]])


def babble_of(resources, slot=0):
    source = Babble(BabbleSettings(), "babble")
    return source.track(source.plan(PlanInput("u", "outsider", FS), slot, resources), resources).samples


def test_a_track_is_the_sum_of_equally_loud_talkers(shared_resources):
    track = babble_of(shared_resources).astype(float)
    assert track.shape == (30 * FS,)
    # six uncorrelated talkers at -26 dBov active, 42 % of the time: about -26 + 7.8 - 3.8 dB of power
    assert 10 * np.log10(np.mean(track**2)) == pytest.approx(-22, abs=2)


def test_each_recording_is_at_the_target_level_without_dc(recording, speechlike):
    x = speechlike(3, 2.0) * 0.02 + 0.01
    leveled = Resources(1, 8).recording(recording(x.astype(np.float32)))
    assert active_speech_level(leveled, FS).level_dbov == pytest.approx(-26.0, abs=0.01)
    assert abs(np.mean(leveled)) < 1e-6


def test_recordings_without_speech_are_skipped(crossed_pool, recording):
    hush = recording(np.zeros(FS, np.float32))
    silenced = [Talker(t.talker_id, t.accent, t.group, (hush, *t.recordings)) for t in crossed_pool]
    track = babble_of(Resources(1, 8, silenced))
    assert np.all([np.any(block) for block in np.split(track, 60)])  # no half second of nothing


def test_a_talker_who_never_speaks_is_named(crossed_pool, recording):
    hush = recording(np.zeros(FS, np.float32))
    silent = [Talker(t.talker_id, t.accent, t.group, (hush,)) for t in crossed_pool]
    with pytest.raises(ConditionError, match=r"babble talker '[abc]-v\d' has no recording with active speech"):
        babble_of(Resources(1, 8, silent))


def test_a_damaged_recording_is_named(crossed_pool, recording):
    damaged = recording(np.full(FS, np.nan, np.float32))
    broken = [Talker(t.talker_id, t.accent, t.group, (damaged,)) for t in crossed_pool]
    with pytest.raises(ConditionError, match=f"babble recording {damaged.sha256[:12]}: .*not finite"):
        babble_of(Resources(1, 8, broken))


def test_rendering_with_other_talkers_than_planned_is_refused(noisy, resources, crossed_pool, speechlike):
    condition, x = noisy(10.0), speechlike(1)
    plan = condition.plan(PlanInput("u", "outsider", x.size), 0, resources)
    with pytest.raises(ConditionError, match="planned with other talkers"):
        condition.render(x, plan, Resources(resources.seed, 8, crossed_pool[:-1]))
