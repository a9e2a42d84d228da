"""SNR: measured again, from outside, on the noise that was really mixed."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from augment.chain import PlanInput, Source
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import WEIGHTINGS, active_speech_level, weight
from augment.noise.track import TRACK_SAMPLES, cut, noise_track
from augment.source import Speech
from augment.step import Law, Stage

FS = 16000
KINDS = ["white", "pink", "brown", "hoth", "speech_shaped", "babble", "hum", "machine", "folder"]


@cache
def _spoken(speechlike, duration_s):
    speech, _ = Source(speechlike(4, duration_s)).leveled(-26.0)
    return speech, {w: active_speech_level(weight(speech.samples, FS, w), FS).level_dbov for w in WEIGHTINGS}


@pytest.fixture
def spoken(speechlike):
    """Speech at -26 dBov active, and its level under each weighting as measured here, once for each length."""
    return lambda duration_s: _spoken(speechlike, duration_s)


def rms_db(noise, weighting):
    return 10 * np.log10(np.mean(weight(noise, FS, weighting) ** 2))


def mixed(step, speech, scene, resources, *, slot=2, **acoustics):
    """Plan and apply a step; return the noise, taken out of the mixture again, and the effect."""
    planned = step.plan(PlanInput("u", "outsider", speech.samples.size), slot, resources)
    here = replace(scene(speech.samples, resources, **acoustics), speech=speech)
    effect = step.apply(speech.samples, planned, here)
    return effect.samples - speech.samples, effect


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("duration_s", [0.6, 1.7])
def test_the_requested_snr_is_in_the_mixture(kind, weighting, duration_s, step_of, spoken, scene, shared_resources):
    speech, levels_db = spoken(duration_s)
    for asked_db in (-5.0, 0.0, 10.0, 30.0):
        step = step_of(kind, snr_db=asked_db)
        noise, effect = mixed(step, speech, scene, shared_resources, snr_weighting=weighting)
        assert levels_db[weighting] - rms_db(noise, weighting) == pytest.approx(asked_db, abs=0.05)
        (promise,) = effect.promises
        assert (promise.asked, promise.got, promise.tolerance) == (asked_db, effect.snr_db[weighting], 0.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("duration_s", [0.6, 1.0, 3.3])
def test_all_four_weightings_are_reported_as_they_are_measured(
    kind, duration_s, step_of, spoken, scene, shared_resources
):
    speech, levels_db = spoken(duration_s)
    noise, effect = mixed(step_of(kind, snr_db=5.0), speech, scene, shared_resources)
    measured_db = {w: levels_db[w] - rms_db(noise, w) for w in WEIGHTINGS}
    assert effect.snr_db == pytest.approx(measured_db, abs=0.05)


@pytest.mark.parametrize("kind", ["brown", "folder"])
def test_a_minute_gets_its_snr_from_a_cycle_of_half_a_minute(kind, step_of, spoken, scene, shared_resources):
    speech, levels_db = spoken(61.0)
    noise, effect = mixed(step_of(kind, snr_db=5.0), speech, scene, shared_resources)
    assert effect.promises[0].got == pytest.approx(5.0, abs=1e-6)
    assert levels_db["a"] - rms_db(noise, "a") == pytest.approx(5.0, abs=0.05)
    assert np.max(np.abs(noise[:TRACK_SAMPLES] - noise[TRACK_SAMPLES : 2 * TRACK_SAMPLES])) < 1e-12


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(FS // 20, 4 * FS), st.sampled_from(KINDS), st.integers(0, 7), st.floats(-20, 60))
@example(120 * FS, "pink", 1, 60.0)
@example(FS // 20, "babble", 2, 5.0)
@example(830, "babble", 1, 0.0)
def test_any_length_kind_slot_and_snr_is_finite_and_as_asked(
    step_of, scene, shared_resources, length, kind, slot, asked_db
):
    talk = Speech(0.5 * np.sin(2 * np.pi * 1000 * np.arange(length) / FS))
    step = step_of(kind, snr_db=asked_db)
    planned = step.plan(PlanInput("u", "outsider", length), slot, shared_resources)
    track = step._source.track(planned, shared_resources)
    segment = cut(track, planned["offset"], length=length)
    # 50 ms may be too short for the envelope of ITU-T P.56 to rise, or fall into a pause that all voices make
    if "a" not in talk.levels() or rms_db(segment, "a") < rms_db(track.samples, "a") - 30:
        with pytest.raises(ConditionError, match=r"no active speech|the noise is silent"):
            mixed(step, talk, scene, shared_resources, slot=slot)
        return
    noise, effect = mixed(step, talk, scene, shared_resources, slot=slot)
    assert effect.samples.shape == (length,)
    assert np.isfinite(effect.samples).all()
    assert talk.level("a").level_dbov - rms_db(noise, "a") == pytest.approx(asked_db, abs=0.05)


def test_the_rendering_reports_all_four_measured_snrs(shipped, shared_resources, speechlike):
    x = speechlike(5)
    condition = shipped("machine_tonal_5")
    plan = condition.plan(PlanInput("u", "outsider", x.size), 1, shared_resources)
    realised = condition.render(x, plan, shared_resources).realised
    assert realised.snr_a_db == pytest.approx(5.0, abs=0.001)
    assert None not in (realised.snr_none_db, realised.snr_g712_db, realised.snr_wb_db)


def test_ten_seconds_of_silence_change_the_noise_gain_by_less_than_a_twentieth_decibel(
    step_of, scene, shared_resources, speechlike
):
    x = speechlike(6, 8.0).astype(float)
    padded = np.concatenate([x, np.zeros(10 * FS)])
    for kind in ("pink", "hoth", "hum", "machine"):
        step = step_of(kind, snr_db=5.0)
        gains_db = [
            mixed(step, Speech(clip), scene, shared_resources)[1].realised["noise_gain_db"] for clip in (x, padded)
        ]
        assert gains_db[1] == pytest.approx(gains_db[0], abs=0.05)
    # speech is silent half of the time: by RMS over the clip the padding alone would have cost 3.5 dB
    assert np.mean(x**2) / np.mean(padded**2) == pytest.approx(18 / 8)


def test_padding_leaves_the_level_of_babble_where_it_was(step_of, scene, shared_resources, speechlike):
    x = speechlike(6, 8.0).astype(float)
    levels_db = []
    for clip in (x, np.concatenate([x, np.zeros(10 * FS)])):
        noise, _ = mixed(step_of("babble", snr_db=10.0), Speech(clip), scene, shared_resources)
        levels_db.append(rms_db(noise, "a"))
    assert levels_db[1] == pytest.approx(levels_db[0], abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_one_slot_at_two_snrs_is_one_waveform_scaled(kind, step_of, spoken, scene, shared_resources):
    loud, _ = mixed(step_of(kind, snr_db=0.0), spoken(3.0)[0], scene, shared_resources)
    soft, _ = mixed(step_of(kind, snr_db=20.0), spoken(3.0)[0], scene, shared_resources)
    assert np.max(np.abs(loud - 10.0 * soft)) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_alone_is_the_noise_of_the_mixture(kind, step_of, spoken, scene, shared_resources):
    speech, _ = spoken(3.0)
    step = step_of(kind, snr_db=10.0)
    noise, effect = mixed(step, speech, scene, shared_resources)
    planned = step.plan(PlanInput("u", "outsider", speech.samples.size), 2, shared_resources)
    here = replace(scene(speech.samples, shared_resources), speech=speech)
    alone = step.apply(np.zeros_like(speech.samples), planned, here)
    assert np.max(np.abs(alone.samples - noise)) < 1e-12
    assert alone.realised == effect.realised


def test_clips_of_one_slot_hear_the_same_noise_from_the_same_place(step_of, spoken, scene, shared_resources):
    short, _ = mixed(step_of("babble", snr_db=10.0), spoken(2.0)[0], scene, shared_resources)
    long, _ = mixed(step_of("babble", snr_db=10.0), spoken(5.0)[0], scene, shared_resources)
    assert np.corrcoef(short, long[: short.size])[0, 1] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_microphone_has_a_noise_of_its_own(kind, step_of, spoken, scene, shared_resources):
    around, device = step_of(kind, snr_db=10.0), step_of(kind, snr_db=10.0, role="microphone")
    assert (around.stage, device.stage) == (Stage.NOISE, Stage.MICROPHONE)
    assert around.law == device.law == Law.ADDITIVE
    one, _ = mixed(around, spoken(3.0)[0], scene, shared_resources)
    other, _ = mixed(device, spoken(3.0)[0], scene, shared_resources)
    assert abs(np.corrcoef(one, other)[0, 1]) < (0.9 if kind == "hum" else 0.5)  # hums differ in phase alone


def test_levels_in_dba_mean_their_difference_whatever_the_weighting_of_the_study(
    step_of, spoken, scene, shared_resources
):
    step = step_of("brown", level={"speech_dba": 65.0, "noise_dba": 58.5})
    _, effect = mixed(step, spoken(3.0)[0], scene, shared_resources, snr_weighting="none")
    assert effect.snr_db["a"] == pytest.approx(6.5, abs=1e-6)
    assert (effect.promises[0].asked, effect.promises[0].got) == (6.5, effect.snr_db["a"])


NOISE = {"kind": "add_noise", "source": {"kind": "pink"}}
BAD_STEPS = [
    (NOISE, r"steps\.0: .*needs either snr_db or level: write one of them"),
    (NOISE | {"snr_db": 5, "level": {"speech_dba": 65, "noise_dba": 60}}, "needs either snr_db or level"),
    (NOISE | {"snr_db": 400}, r"steps\.0\.snr_db: .*less than or equal to 60 \(got 400\)"),
    (NOISE | {"snr_db": -21}, r"steps\.0\.snr_db: .*greater than or equal to -20"),
    (NOISE | {"level": {"speech_dba": 100, "noise_dba": 30}}, "an SNR of 70 dB, which is not within -20 to 60 dB"),
    (NOISE | {"level": {"speech": 65, "noise_dba": 60}}, r"steps\.0\.level\.speech: unknown key.*'speech_dba'"),
    (NOISE | {"snr_db": 5, "role": "telephone"}, r"steps\.0\.role: .*'environment' or 'microphone'"),
    (NOISE | {"snr_db": 5, "source": {"kind": "pinc"}}, r"source\.kind: unknown kind 'pinc'\. Did you mean 'pink'\?"),
    (NOISE | {"snr_db": 5, "source": {"kind": "pink", "f0_hz": 50}}, r"source\.f0_hz: unknown key"),
    (NOISE | {"snr_db": 5, "source": {"kind": "folder"}}, r"source\.path: this key is missing"),
]


@pytest.mark.parametrize(("step", "message"), BAD_STEPS)
def test_a_step_that_cannot_be_meant_is_refused_with_its_place(step, message, build):
    with pytest.raises(ConditionError, match=message):
        build("bad", {"steps": [step]})


def test_an_utterance_that_is_silent_under_the_weighting_is_refused(step_of, scene, shared_resources):
    hum = Speech(0.2 * np.sin(2 * np.pi * 60 * np.arange(2 * FS) / FS) * np.hanning(2 * FS))
    with pytest.raises(NoActiveSpeechError, match="weighting 'g712'"):
        mixed(step_of("machine", snr_db=10.0), hum, scene, shared_resources, snr_weighting="g712")
    _, audible = mixed(step_of("machine", snr_db=10.0), hum, scene, shared_resources, snr_weighting="a")
    assert audible.snr_db["a"] == pytest.approx(10.0, abs=0.01)
    assert "g712" not in audible.snr_db


def with_track(step, track, offset=0):
    """The same step, whose source has this one track."""
    step._source = SimpleNamespace(
        family="pink", plan=lambda *_: {"track": 0}, track=lambda *_: track, check=lambda *_: None
    )
    step.plan = lambda *_: {"track": 0, "offset": offset}
    return step


@pytest.fixture(scope="module")
def with_pause():
    """Noise that is soft for 5 s and then silent for 5 s: by 25 dB from 10 s on, by 35 dB from 15 s on."""
    gain = np.ones(TRACK_SAMPLES)
    gain[10 * FS : 15 * FS], gain[15 * FS : 20 * FS] = 10 ** (-25 / 20), 10 ** (-35 / 20)
    return noise_track(np.random.RandomState(0).randn(TRACK_SAMPLES) * gain)


def test_a_pause_in_the_noise_is_refused_instead_of_amplified(with_pause, step_of, spoken, scene, shared_resources):
    soft = with_track(step_of("pink", snr_db=10.0), with_pause, offset=11 * FS)
    _, effect = mixed(soft, spoken(3.0)[0], scene, shared_resources)
    assert effect.realised["segment_re_track_db"] == pytest.approx(-25 + 10 * np.log10(30 / 20), abs=0.1)
    assert effect.promises[0].kept
    silent = with_track(step_of("pink", snr_db=10.0), with_pause, offset=16 * FS)
    with pytest.raises(ConditionError, match=r"from 16\.00 s of its track on \(-33 dB against the whole track\)"):
        mixed(silent, spoken(3.0)[0], scene, shared_resources)


@pytest.mark.parametrize("duration_s", [0.6, 3.0])
def test_noise_without_any_power_is_refused(duration_s, step_of, spoken, scene, shared_resources):
    nothing = with_track(step_of("pink", snr_db=10.0), noise_track(np.zeros(TRACK_SAMPLES)))
    with pytest.raises(ConditionError, match="the noise is silent under weighting 'a'"):
        mixed(nothing, spoken(duration_s)[0], scene, shared_resources)


def test_a_track_that_is_not_what_its_sums_say_breaks_the_promise(with_pause, step_of, spoken, scene, shared_resources):
    louder = replace(with_pause, samples=with_pause.samples * np.float32(2.0))
    _, effect = mixed(with_track(step_of("pink", snr_db=10.0), louder), spoken(3.0)[0], scene, shared_resources)
    assert not effect.promises[0].kept
    # the 64 ms at either end are weighed on the spot, so a little of the 6 dB is seen in time
    assert effect.promises[0].got == pytest.approx(10.0 - 6.02, abs=0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_holds_integers_and_hashes_alone(kind, step_of, shared_resources):
    planned = step_of(kind, snr_db=10.0).plan(PlanInput("u", "outsider", 3 * FS), 5, shared_resources)
    assert {"track", "offset"} <= set(planned)
    for name, value in planned.items():
        assert isinstance(value, int) or (name.endswith("sha256") and len(value) == 64)
    assert planned == step_of(kind, snr_db=-3.0).plan(PlanInput("v", "outsider", 9 * FS), 5, shared_resources)
