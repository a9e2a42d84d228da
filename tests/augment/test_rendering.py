"""Renderings: level, identity, determinism, and what any input at all comes out as."""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import BaseModel

from augment.chain import Acoustics, ConditionSettings, PlanInput, build_condition
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import active_speech_level
from augment.pcm import to_int16
from augment.resources import Resources
from augment.step import Effect, Stage

FS = 16000
SHIPPED = ("clean", "babble_10", "landline_g711", "machine_tonal_5")


def render(condition, x, resources, *, slot=0, group="outsider"):
    plan = condition.plan(PlanInput("u", group, np.size(x)), slot, resources)
    return condition.render(x, plan, resources)


def test_clean_changes_no_sample_of_a_signal_that_is_already_at_its_level(shipped, shared_resources, speechlike):
    clean = shipped("clean")
    once = render(clean, speechlike(1, level=0.01), shared_resources)
    assert active_speech_level(once.samples / 32768, FS).level_dbov == pytest.approx(-26.0, abs=0.01)
    twice = render(clean, once.samples / 32768, shared_resources)
    assert np.array_equal(once.samples, twice.samples)
    assert twice.realised.active_level_in_dbov == pytest.approx(-26.0, abs=0.01)
    assert twice.realised.clipped_share == 0


def test_the_level_of_the_recording_does_not_reach_the_recognizer(each_shipped, shared_resources, speechlike):
    x = speechlike(2).astype(float)
    one = render(each_shipped, x, shared_resources)
    other = render(each_shipped, np.ldexp(x, -3), shared_resources)  # 18 dB softer, exactly
    assert np.max(np.abs(one.samples.astype(int) - other.samples)) <= (1024 if each_shipped.family == "channel" else 1)
    assert one.realised.active_level_in_dbov - other.realised.active_level_in_dbov == pytest.approx(18.06, abs=0.01)


def test_what_a_rendering_reports_is_what_its_samples_are(each_shipped, shared_resources, speechlike):
    rendering = render(each_shipped, speechlike(3), shared_resources)
    told = rendering.realised
    assert rendering.samples.dtype == np.int16
    assert told.samples == rendering.samples.size == 4 * FS
    assert told.audio_sha256 == hashlib.sha256(rendering.samples.astype("<i2").tobytes()).hexdigest()
    assert told.active_level_out_dbov == active_speech_level(rendering.samples / 32768, FS).level_dbov
    assert told.peak == pytest.approx(np.max(np.abs(rendering.samples)) / 32768, abs=1e-4)
    assert 0 < told.activity < 1
    assert (told.snr_a_db is not None) == (each_shipped.family == "noise")


def test_samples_beyond_full_scale_are_counted_and_held_at_the_ends():
    samples, share = to_int16(np.array([0.5 / 32768, 1.5 / 32768, -2.5 / 32768, 1.0, -1.0, 1.01, -3.0, 0.0]))
    assert list(samples) == [0, 2, -2, 32767, -32768, 32767, -32768, 0]
    assert share == 2 / 8


def test_loud_noise_is_clipped_and_says_so(noisy, shared_resources, speechlike):
    told = render(noisy(-20.0), speechlike(1), shared_resources).realised
    assert told.peak > 1
    assert 0 < told.clipped_share < 0.1


def trials(speechlike):
    names = [name for name in SHIPPED for _ in range(4)]
    return [(name, speechlike(n % 4, 1.5), n % 8, f"v{n % 4}") for n, name in enumerate(names)]


def hashes(shipped, work, resources, workers=1):
    def one(item):
        name, x, slot, group = item
        return render(shipped(name), x, resources, slot=slot, group=group).realised.audio_sha256

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, work))


def test_order_threads_and_what_is_cached_change_no_sample(shipped, crossed_pool, speechlike):
    work = trials(speechlike)
    expected = hashes(shipped, work, Resources(5, 8, crossed_pool))
    order = random.Random(0).sample(range(len(work)), len(work))
    threaded = hashes(shipped, [work[i] for i in order], Resources(5, 8, crossed_pool), workers=4)
    assert [threaded[order.index(i)] for i in range(len(work))] == expected
    warm = Resources(5, 8, crossed_pool)
    warm._tracks._capacity = 1  # no track is kept
    assert hashes(shipped, [*work, *work], warm) == expected * 2
    assert hashes(shipped, work, Resources(6, 8, crossed_pool)) != expected


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


@pytest.mark.parametrize("duration_s", [0.1, 0.33, 120.0])
def test_very_short_and_very_long_clips_render(each_shipped, shared_resources, speechlike, duration_s):
    x = np.tile(speechlike(4, 4.0)[FS:], 40)[1000:][: round(duration_s * FS)]
    rendering = render(each_shipped, x, shared_resources)
    assert rendering.samples.size == x.size
    if each_shipped.family == "noise":
        requested_db = {"babble_10": 10, "machine_tonal_5": 5}[each_shipped.name]
        assert rendering.realised.snr_a_db == pytest.approx(requested_db, abs=0.001)


def test_a_clip_of_a_twentieth_second_renders_or_is_refused_by_name(each_shipped, shared_resources):
    outcomes = set()
    for level in np.geomspace(0.01, 1.0, 12):
        try:
            x = level * np.sin(2 * np.pi * 200 * np.arange(800) / FS)
            outcomes.add(render(each_shipped, x, shared_resources).samples.size)
        except NoActiveSpeechError:
            outcomes.add("refused")
    assert outcomes <= {800, "refused"}


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def signals(draw):
    """Anything finite: raw floats as they come, or noise bursts of any loudness, 0.05 to 3 s long."""
    if draw(st.booleans()):
        return draw(arrays(np.float32, st.integers(800, 3000), elements=FINITE, fill=FINITE))
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    x = rng.randn(draw(st.integers(800, 3 * FS))) * 10.0 ** draw(st.integers(-7, 30))
    period = draw(st.integers(1, 20_000))
    return x * (np.arange(x.size) % period <= draw(st.integers(0, period)))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(x=signals(), slot=st.integers(0, 7))
def test_any_finite_input_comes_out_as_long_as_it_went_in_or_is_refused_by_name(shipped, shared_resources, x, slot):
    for name in SHIPPED:
        try:
            rendering = render(shipped(name), x, shared_resources, slot=slot)
        except ConditionError:
            continue
        assert rendering.samples.shape == x.shape
        assert rendering.samples.dtype == np.int16
        assert 0 <= rendering.realised.clipped_share <= 1


class Nothing(BaseModel):
    pass


@dataclass
class Dishonest:
    """A plug-in step whose samples or SNR are not what they should be."""

    Settings: ClassVar[type[BaseModel]] = Nothing
    stage: ClassVar[Stage] = Stage.NOISE
    effect: ClassVar[object] = None
    settings: BaseModel

    def check(self, resources):
        pass

    def plan(self, target, slot, resources):
        return {}

    def apply(self, samples, planned, acoustics, resources):
        return type(self).effect(samples)


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (lambda x: Effect(x, snr_requested_db=10.0, snr_db={"a": 10.6}), "came out as 10.6 dB instead of 10.0 dB"),
        (lambda x: Effect(x, snr_requested_db=10.0, snr_db={"wb": 10.0}), "came out as None"),
        (lambda x: Effect(x[:-1]), "64000 samples went in, 63999 came out"),
        (lambda x: Effect(x * np.nan), "0 of them finite"),
    ],
    ids=["SNR off", "SNR not measured", "shorter", "not finite"],
)
def test_a_step_that_breaks_its_promise_is_refused(effect, message, shared_resources, speechlike, monkeypatch):
    monkeypatch.setattr(Dishonest, "effect", staticmethod(effect))
    described = ConditionSettings(version=1, family="noise", description="d", steps=[{"kind": "dishonest"}])
    condition = build_condition("c", described, step_types={"dishonest": Dishonest}, acoustics=Acoustics())
    with pytest.raises(ConditionError, match=rf"conditions\.c\.steps\.0: .*{message}"):
        render(condition, speechlike(1), shared_resources)


def test_an_snr_within_the_tolerance_passes(shared_resources, speechlike, monkeypatch):
    near = staticmethod(lambda x: Effect(x, snr_requested_db=10.0, snr_db={"a": 10.4}))
    monkeypatch.setattr(Dishonest, "effect", near)
    described = ConditionSettings(version=1, family="noise", description="d", steps=[{"kind": "dishonest"}])
    condition = build_condition("c", described, step_types={"dishonest": Dishonest}, acoustics=Acoustics())
    assert render(condition, speechlike(1), shared_resources).realised.snr_a_db == 10.4
