"""Renderings: level, identity, determinism, and what any input at all comes out as."""

import hashlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import BaseModel

from augment.chain import Acoustics, ConditionSettings, PlanInput, build_condition
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import active_speech_level
from augment.pcm import to_int16
from augment.recordings import read
from augment.resources import Resources
from augment.source import Source
from augment.step import Effect, Law, Plain, Promise, Stage

FS = 16000


def render(condition, x, resources, *, slot=0, group="outsider", probe="speech"):
    size = x.samples.size if isinstance(x, Source) else np.size(x)
    plan = condition.plan(PlanInput("u", group, size), slot, resources)
    return condition.render(x, plan, resources, probe=probe)


def length_out(condition, samples):
    return reduce(lambda length, step: step.length_out(length), condition.steps, samples)


def test_clean_changes_no_sample_of_a_signal_that_is_already_at_its_level(shipped, shared_resources, speechlike):
    clean = shipped("clean")
    once = render(clean, speechlike(1, level=0.01), shared_resources)
    assert active_speech_level(once.samples / 32768, FS).level_dbov == pytest.approx(-26.0, abs=0.01)
    twice = render(clean, once.samples / 32768, shared_resources)
    assert np.array_equal(once.samples, twice.samples)
    assert twice.realised.active_level_in_dbov == pytest.approx(-26.0, abs=0.01)
    assert twice.realised.clipped_share == 0


NOTHING = [
    {"kind": "silence", "before_s": 0.0, "after_s": 0.0, "gap_s": 0.0},
    {"kind": "gain", "gain_db": 0.0},
    {"kind": "clip", "headroom_db": 60},
    {"kind": "resample", "rate_hz": 16000},
    {"kind": "loss", "rate": 0.0},
]


def test_a_chain_of_steps_with_no_effect_is_the_clean_condition_bit_by_bit(
    build, shipped, shared_resources, speechlike
):
    idle = build("idle", {"steps": NOTHING})
    for seed in range(3):
        x = speechlike(seed, 1.7)
        clean, rendering = (render(one, x, shared_resources) for one in (shipped("clean"), idle))
        assert np.array_equal(clean.samples, rendering.samples)


def test_the_level_of_the_recording_does_not_reach_the_recognizer(each_shipped, shared_resources, speechlike):
    x = speechlike(2).astype(float)
    one = render(each_shipped, x, shared_resources)
    other = render(each_shipped, np.ldexp(x, -3), shared_resources)  # 18 dB softer, exactly
    assert one.realised.active_level_in_dbov - other.realised.active_level_in_dbov == pytest.approx(18.06, abs=0.01)
    # a codec answers a change of one step with one of its own steps here and there
    allowed = 1 if "codec" not in each_shipped.kinds else 2048
    assert np.max(np.abs(one.samples.astype(int) - other.samples)) <= allowed
    assert one.realised.active_level_out_dbov == pytest.approx(other.realised.active_level_out_dbov, abs=0.05)


def test_what_a_rendering_reports_is_what_its_samples_are(each_shipped, shared_resources, speechlike):
    rendering = render(each_shipped, speechlike(3), shared_resources)
    told = rendering.realised
    assert rendering.samples.dtype == np.int16
    assert told.samples == rendering.samples.size == length_out(each_shipped, 4 * FS)
    assert told.audio_sha256 == hashlib.sha256(rendering.samples.astype("<i2").tobytes()).hexdigest()
    assert told.active_level_out_dbov == active_speech_level(rendering.samples / 32768, FS).level_dbov
    assert min(told.peak, 32767 / 32768) == pytest.approx(np.max(np.abs(rendering.samples)) / 32768, abs=1e-4)
    assert 0 < told.activity < 1
    assert (told.snr_a_db is not None) == ("add_noise" in each_shipped.kinds)
    assert (told.rt60_s is not None) == ("reverb" in each_shipped.kinds)
    assert [step["kind"] for step in json.loads(told.steps)] == list(each_shipped.kinds)


def test_every_shipped_condition_lasts_as_long_as_the_speech_unless_silence_is_its_point(each_shipped):
    assert (length_out(each_shipped, 16_001) == 16_001) == ("silence" not in each_shipped.kinds)


def test_what_is_left_without_the_talker_is_as_long_and_has_the_noise(each_shipped, shared_resources, speechlike):
    x = speechlike(3)
    rendering = render(each_shipped, x, shared_resources, probe="noise_only")
    assert rendering.samples.size == length_out(each_shipped, x.size)
    if "add_noise" in each_shipped.kinds:
        with_talker = render(each_shipped, x, shared_resources)
        assert rendering.samples.any()
        assert rendering.realised.snr_a_db == pytest.approx(with_talker.realised.snr_a_db, abs=1e-6)


def test_samples_beyond_full_scale_are_counted_and_held_at_the_ends():
    samples, share = to_int16(np.array([0.5 / 32768, 1.5 / 32768, -2.5 / 32768, 1.0, -1.0, 1.01, -3.0, 0.0]))
    assert list(samples) == [0, 2, -2, 32767, -32768, 32767, -32768, 0]
    assert share == 2 / 8


def test_loud_noise_is_clipped_and_says_so(noisy, shared_resources, speechlike):
    told = render(noisy(-20.0, clipped_tolerance=0.1), speechlike(1), shared_resources).realised
    assert told.peak > 1
    assert 0 < told.clipped_share < 0.1


FEW = ("clean", "babble_10", "far_field", "mobile_amr59_loss3", "silence_pad", "handset_pool")


def trials(speechlike):
    names = [name for name in FEW for _ in range(3)]
    return [(name, speechlike(n % 4, 1.5), n % 8, f"v{n % 4}") for n, name in enumerate(names)]


def hashes(shipped, work, resources, workers=1):
    def one(item):
        name, x, slot, group = item
        return render(shipped(name), x, resources, slot=slot, group=group).realised.audio_sha256

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, work))


def test_order_threads_and_what_is_cached_change_no_sample(shipped, crossed_pool, speechlike, tmp_path):
    work = trials(speechlike)
    expected = hashes(shipped, work, Resources(5, 8, crossed_pool))
    order = random.Random(0).sample(range(len(work)), len(work))
    threaded = hashes(shipped, [work[i] for i in order], Resources(5, 8, crossed_pool), workers=4)
    assert [threaded[order.index(i)] for i in range(len(work))] == expected
    forgetful = Resources(5, 8, crossed_pool)
    forgetful._tracks._capacity = 1  # no track is kept
    assert hashes(shipped, [*work, *work], forgetful) == expected * 2
    shelf = Resources(5, 8, crossed_pool, shelf=tmp_path)
    assert hashes(shipped, [*work, *work], shelf, workers=4) == expected * 2
    assert hashes(shipped, work, Resources(6, 8, crossed_pool)) != expected


def test_one_source_for_many_conditions_is_the_same_as_one_for_each(shipped, shared_resources, speechlike):
    x = speechlike(5, 1.5)
    source = Source(x)
    for name in FEW:
        together, apart = (render(shipped(name), given, shared_resources) for given in (source, x))
        assert together.realised == apart.realised


def test_rendering_leaves_the_global_random_states_alone(each_shipped, crossed_pool, speechlike):
    before = np.random.get_state()[1].copy(), random.getstate()
    render(each_shipped, speechlike(1, 1.0), Resources(9, 8, crossed_pool))
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert random.getstate() == before[1]


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        (np.zeros(0), NoActiveSpeechError),
        (np.zeros(FS), NoActiveSpeechError),
        (np.full(FS, 1e-6), NoActiveSpeechError),
        (np.where(np.arange(FS) == 5, np.nan, 0.1), ConditionError),
        (np.where(np.arange(FS) == 5, np.inf, 0.1), ConditionError),
        (np.zeros((FS, 2)), ConditionError),
    ],
    ids=["empty", "zeros", "too soft", "nan", "infinite", "stereo"],
)
def test_what_cannot_be_rendered_is_refused_by_name(each_shipped, shared_resources, samples, error):
    with pytest.raises(error) as caught:
        render(each_shipped, samples, shared_resources)
    assert type(caught.value) is error


SHORT_S, LONG_S = (0.1, 0.33), 120.0


def check_duration(condition, duration_s, resources, speechlike):
    x = np.tile(speechlike(4, 4.0)[FS:], 40)[1000:][: round(duration_s * FS)]
    rendering = render(condition, x, resources)
    assert rendering.samples.size == length_out(condition, x.size)
    (noise,) = [step for step in condition.definition["steps"] if step["kind"] == "add_noise"] or [None]
    if noise:
        assert rendering.realised.snr_a_db == pytest.approx(noise["snr_db"], abs=0.01)


@pytest.mark.parametrize("duration_s", SHORT_S)
def test_very_short_clips_render(each_shipped, shared_resources, speechlike, duration_s):
    check_duration(each_shipped, duration_s, shared_resources, speechlike)


@pytest.mark.slow
def test_very_long_clips_render(each_shipped, shared_resources, speechlike):
    check_duration(each_shipped, LONG_S, shared_resources, speechlike)


def test_a_clip_of_a_twentieth_second_renders_or_is_refused_by_name(each_shipped, shared_resources):
    outcomes = set()
    for level in np.geomspace(0.01, 1.0, 4):
        try:
            x = level * np.sin(2 * np.pi * 200 * np.arange(800) / FS)
            outcomes.add(render(each_shipped, x, shared_resources).samples.size)
        except ConditionError:
            outcomes.add("refused")
    assert outcomes <= {length_out(each_shipped, 800), "refused"}


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def signals(draw):
    """Anything finite: raw floats as they come, or noise bursts of any loudness, 0.05 to 2 s long."""
    if draw(st.booleans()):
        return draw(arrays(np.float32, st.integers(800, 3000), elements=FINITE, fill=FINITE))
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    x = rng.randn(draw(st.integers(800, 2 * FS))) * 10.0 ** draw(st.integers(-7, 30))
    period = draw(st.integers(1, 20_000))
    return x * (np.arange(x.size) % period <= draw(st.integers(0, period)))


def check_any_signal(conditions, resources, x, slot, probe):
    for condition in conditions:
        try:
            rendering = render(condition, x, resources, slot=slot, probe=probe)
        except ConditionError:
            continue
        assert rendering.samples.shape == (length_out(condition, x.size),)
        assert rendering.samples.dtype == np.int16
        assert 0 <= rendering.realised.clipped_share <= 1


PROBES = st.sampled_from(["speech", "speech", "noise_only"])


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(x=signals(), slot=st.integers(0, 7), probe=PROBES)
def test_any_finite_input_comes_out_as_long_as_promised_or_is_refused_by_name(
    every_shipped, shared_resources, x, slot, probe
):
    check_any_signal(every_shipped, shared_resources, x, slot, probe)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(x=signals(), slot=st.integers(0, 7), probe=PROBES)
def test_many_finite_inputs_come_out_as_long_as_promised_or_are_refused_by_name(
    every_shipped, shared_resources, x, slot, probe
):
    check_any_signal(every_shipped, shared_resources, x, slot, probe)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rate_hz=st.integers(8_000, 48_000), duration_s=st.floats(0.4, 3.0), channels=st.integers(1, 2))
def test_a_recording_at_any_rate_keeps_its_duration_through_a_telephone(
    shipped, shared_resources, tmp_path_factory, rate_hz, duration_s, channels
):
    frames = max(1, round(duration_s * rate_hz))
    path = tmp_path_factory.mktemp("any") / "x.wav"
    soundfile.write(path, 0.1 * np.random.RandomState(frames).randn(frames, channels), rate_hz)
    x = read(path)
    assert x.size == pytest.approx(frames * FS / rate_hz, abs=1.0)
    assert render(shipped("landline_g711"), x, shared_resources).samples.size == x.size


class Nothing(BaseModel):
    pass


@dataclass
class Dishonest(Plain):
    """A plug-in step whose samples or SNR are not what they should be."""

    Settings: ClassVar[type[BaseModel]] = Nothing
    stage: ClassVar[Stage] = Stage.NOISE
    law: ClassVar[Law] = Law.ADDITIVE
    effect: ClassVar[object] = None
    settings: BaseModel

    def apply(self, samples, planned, scene):
        return type(self).effect(samples)


def dishonest(effect, monkeypatch):
    monkeypatch.setattr(Dishonest, "effect", staticmethod(effect))
    described = ConditionSettings(version=1, family="noise", description="d", steps=[{"kind": "dishonest"}])
    return build_condition("c", described, step_types={"dishonest": Dishonest}, acoustics=Acoustics())


def off_by(x, got_db):
    return Effect(x, snr_db={"a": got_db}, promises=(Promise("SNR", 10.0, got_db, 0.5, "dB"),))


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (lambda x: off_by(x, 10.6), "SNR came out as 10.6 dB instead of 10 dB"),
        (lambda x: Effect(x[:-1]), "64000 samples should come out, 63999 did"),
        (lambda x: Effect(x * np.nan), "0 of them finite"),
    ],
    ids=["SNR off", "shorter", "not finite"],
)
def test_a_step_that_breaks_its_promise_is_refused(effect, message, shared_resources, speechlike, monkeypatch):
    with pytest.raises(ConditionError, match=rf"conditions\.c\.steps\.0 \(dishonest\): .*{message}"):
        render(dishonest(effect, monkeypatch), speechlike(1), shared_resources)


def test_an_snr_within_the_tolerance_passes(shared_resources, speechlike, monkeypatch):
    near = dishonest(lambda x: off_by(x, 10.4), monkeypatch)
    assert render(near, speechlike(1), shared_resources).realised.snr_a_db == 10.4
