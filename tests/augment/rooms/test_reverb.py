"""Reverberation as a step: settings, promises, level, any input."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.errors import ConditionError
from augment.level import active_speech_level
from augment.resources import Resources
from augment.rooms import Reverb
from augment.rooms.room import measured
from augment.rooms.step import ReverbSettings
from augment.rooms.synthetic import SyntheticRoom
from augment.source import Speech
from augment.step import Acoustics, Law, PlanInput, Scene, Stage

FS = 16_000
MIDDLE = {"kind": "synthetic", "rt60_s": 0.5, "drr_db": 0.0}
RESOURCES = Resources(7, 8)


def condition(build, room, *more):
    return build("reverb_room", {"steps": [{"kind": "reverb", "room": room}, *more]})


def render(condition, x, resources, slot=1, **options):
    plan = condition.plan(PlanInput("u", "outsider", x.size), slot, resources)
    return condition.render(x, plan, resources, **options)


@pytest.mark.parametrize(("rt60_s", "drr_db"), [(0.3, 6.0), (0.5, 0.0), (0.8, -3.0), (1.2, -6.0)])
def test_a_rendering_reports_time_and_ratio(rt60_s, drr_db, build, resources, speechlike):
    room = {"kind": "synthetic", "rt60_s": rt60_s, "drr_db": drr_db}
    realised = render(condition(build, room), speechlike(1), resources).realised
    assert realised.rt60_s == pytest.approx(rt60_s, rel=0.05)
    assert realised.drr_db == pytest.approx(drr_db, abs=0.1)
    assert realised.delay_removed_s == 0.0


@pytest.mark.parametrize(("rt60_s", "drr_db"), [(0.5, 0.0), (0.8, -3.0), (0.8, -6.0)])
def test_the_active_level_rises_by_what_the_room_adds(rt60_s, drr_db, build, resources, speechlike):
    room = {"kind": "synthetic", "rt60_s": rt60_s, "drr_db": drr_db}
    rendering = render(condition(build, room), speechlike(2, 8.0), resources)
    out = active_speech_level(rendering.samples / 32768, FS).level_dbov
    assert rendering.realised.active_level_out_dbov == pytest.approx(out)
    # by energy 10 log10(1 + 10^(-DRR/10)) = 3.0, 4.8 and 7.0 dB; less where pauses fill and count as active
    assert 1.5 < out + 26.0 < 10 * np.log10(1 + 10 ** (-drr_db / 10)) + 1.0


@pytest.mark.parametrize("broken", ["time", "ratio"])
def test_a_room_that_came_out_as_another_is_refused(broken, build, resources, speechlike, monkeypatch):
    def wrong(self, planned, resources):
        tail = 10 ** (-3 * np.arange(16_000) / FS / (0.53 if broken == "time" else 0.5))
        tail *= 10 ** (0.15 / 20 if broken == "ratio" else 0.0) / np.sqrt(np.sum(tail**2))
        return measured(np.concatenate([[1.0], tail]), direct_samples=1)

    monkeypatch.setattr(SyntheticRoom, "response", wrong)
    message = {"time": r"reverberation time .*0\.53 s instead of 0\.5 s \(tolerance 0\.025 s\)"}
    message["ratio"] = r"direct-to-reverberant ratio .*-0\.15 dB instead of 0 dB \(tolerance 0\.1 dB\)"
    with pytest.raises(ConditionError, match=message[broken]):
        render(condition(build, MIDDLE), speechlike(1), resources)


@given(
    duration_s=st.floats(0.05, 3.0),
    seed=st.integers(0, 2**31),
    level=st.sampled_from([0.0, 1e-9, 0.1, 1.0, 1e6]),
    rt60_s=st.floats(0.05, 5.0),
    drr_db=st.floats(-30, 40),
    slot=st.integers(0, 7),
)
@settings(max_examples=25, deadline=None)
def test_any_finite_input_comes_out_finite_as_long_and_linear(duration_s, seed, level, rt60_s, drr_db, slot):
    x = level * np.random.RandomState(seed).randn(round(duration_s * FS))
    room = {"kind": "synthetic", "rt60_s": rt60_s, "drr_db": drr_db}
    step = Reverb(ReverbSettings.model_validate({"room": room}))
    plan = step.plan(PlanInput("u", "g", x.size), slot, RESOURCES)
    scene = Scene(Acoustics(), RESOURCES, Speech(x))
    effect = step.apply(x, plan, scene)
    assert effect.samples.shape == x.shape
    assert step.length_out(x.size) == x.size
    assert np.all(np.isfinite(effect.samples))
    assert all(promise.kept for promise in effect.promises)
    assert step.apply(-2.0 * x, plan, scene).samples == pytest.approx(
        -2.0 * effect.samples, abs=1e-9 * max(level, 1e-9)
    )


@pytest.mark.slow
def test_two_minutes_come_out_whole(reverb):
    x = 0.1 * np.random.RandomState(0).randn(120 * FS)
    heard = reverb(x, **MIDDLE).samples
    assert heard.shape == x.shape
    assert heard[:FS] == pytest.approx(reverb(x[:FS], **MIDDLE).samples, abs=1e-12)


def test_a_clip_that_is_shorter_than_the_room_is_cut_where_it_ends(reverb):
    x = np.random.RandomState(1).randn(FS // 20)
    heard = reverb(x, kind="synthetic", rt60_s=3.0, drr_db=-6.0).samples
    longer = reverb(np.pad(x, (0, FS)), kind="synthetic", rt60_s=3.0, drr_db=-6.0).samples
    assert heard == pytest.approx(longer[: x.size], abs=1e-12)


def test_one_slot_hears_the_same_room_whatever_the_utterance(reverb):
    impulse = np.zeros(FS)
    impulse[100] = 1.0
    first = reverb(impulse, slot=2, **MIDDLE).samples
    assert np.array_equal(first, reverb(impulse, slot=2, **MIDDLE).samples)
    assert not np.allclose(first, reverb(impulse, slot=3, **MIDDLE).samples)


def test_speech_and_noise_can_be_told_apart_behind_a_room():
    step = Reverb(ReverbSettings.model_validate({"room": MIDDLE}))
    assert step.law == Law.LINEAR
    assert step.stage == Stage.ROOM
    assert not step.needs_speech_level


def test_the_snr_of_far_field_noise_is_against_the_speech_as_heard_in_the_room(build, resources, speechlike):
    noise = {"kind": "add_noise", "source": {"kind": "babble"}, "snr_db": 10}
    x = speechlike(3, 6.0)
    far = condition(build, {"kind": "synthetic", "rt60_s": 0.8, "drr_db": -6.0}, noise)
    near = build("near", {"steps": [noise]})
    levels_db = [
        10 * np.log10(np.mean(render(each, x, resources, probe="noise_only").samples.astype(float) ** 2))
        for each in (far, near)
    ]
    assert levels_db[0] - levels_db[1] > 3


def test_without_the_talker_a_room_is_silent(build, resources, speechlike):
    rendering = render(condition(build, MIDDLE), speechlike(3), resources, probe="noise_only")
    assert not np.any(rendering.samples)


@pytest.mark.parametrize(
    ("room", "message"),
    [
        ({"kind": "synthetik"}, r"room\.kind: unknown kind 'synthetik'\. Did you mean 'synthetic'\?"),
        ({"rt60_s": 0.5}, r"room\.kind: this key is missing"),
        (MIDDLE | {"rt60_s": 0.0}, r"room\.rt60_s: .*greater than or equal to 0\.05"),
        (MIDDLE | {"rt60_s": float("inf")}, r"room\.rt60_s: .*finite"),
        (MIDDLE | {"drr_db": 400}, r"room\.drr_db: .*less than or equal to 40"),
        (MIDDLE | {"rt60": 0.5}, r"room\.rt60: unknown key\. Did you mean 'rt60_s'\?"),
        ({"kind": "synthetic"}, r"room\.rt60_s: this key is missing"),
        ({"kind": "folder"}, r"room\.path: this key is missing"),
        ({"kind": "simulated", "size_m": [5, 4], "distance_m": 1, "rt60_s": 0.3}, r"room\.size_m"),
        (
            {"kind": "simulated", "size_m": [5, 4, 3], "distance_m": 9, "rt60_s": 0.3},
            r"room: .*at most 5\.00 m apart, not 9 m",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(room, message, build):
    with pytest.raises(ConditionError, match=r"conditions\.reverb_room\.steps\.0\." + message):
        condition(build, room)


def test_a_stereo_response_at_96_khz_is_refused_before_any_audio(build, resources, tmp_path):
    soundfile.write(tmp_path / "hall.wav", np.random.RandomState(0).randn(9600, 2), 96_000, subtype="FLOAT")
    ward = condition(build, {"kind": "folder", "path": str(tmp_path), "pattern": "*.wav"})
    with pytest.raises(ConditionError, match=r"conditions\.reverb_room\.steps\.0.*hall\.wav.*96000 Hz, has 2"):
        ward.check(resources)
