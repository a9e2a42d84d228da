"""The handset as a step: settings, level, length, place in time, any input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.errors import ConditionError
from augment.handset import Handset
from augment.handset.curves import table
from augment.handset.step import HandsetSettings
from augment.level import active_speech_level
from augment.recordings import read
from augment.resources import Resources
from augment.source import Speech
from augment.step import Acoustics, Law, PlanInput, Scene, Stage

FS = 16_000
EACH = [{"curve": name} for name in ("irs_send", "mirs_send", "msin", "p341")] + [{"pool": "ts26131_hf"}]
RESOURCES = Resources(7, 8)


def render(condition, x, resources):
    return condition.render(x, condition.plan(PlanInput("u", "g", x.size), 1, resources), resources)


@pytest.mark.parametrize("each", EACH)
def test_a_handset_removes_its_delay(each, handset):
    impulse = np.zeros(4001)
    impulse[2000] = 1.0
    effect = handset(impulse, **each)
    assert np.argmax(np.abs(effect.samples)) == 2000
    assert effect.samples == pytest.approx(effect.samples[::-1], abs=1e-12)  # linear phase
    assert effect.delay_removed_s == 0.025


@pytest.mark.parametrize("each", EACH)
@pytest.mark.parametrize("length", [1, 2, 400, 799, 800, 801, 16001, 31999])
def test_a_handset_keeps_the_length(each, length, handset):
    y = handset(0.1 * np.random.RandomState(length).randn(length), **each).samples
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))


@given(
    duration_s=st.floats(0.05, 2.0),
    seed=st.integers(0, 2**31),
    level=st.sampled_from([0.0, 1e-9, 0.1, 1.0, 1e6]),
    each=st.sampled_from(EACH),
    slot=st.integers(0, 7),
)
@settings(max_examples=30, deadline=None)
def test_any_finite_input_comes_out_finite_as_long_and_linear(duration_s, seed, level, each, slot):
    x = level * np.random.RandomState(seed).randn(round(duration_s * FS))
    step = Handset(HandsetSettings(**each))
    plan = step.plan(PlanInput("u", "g", x.size), slot, RESOURCES)
    scene = Scene(Acoustics(), RESOURCES, Speech(x))
    y = step.apply(x, plan, scene).samples
    assert y.shape == x.shape
    assert np.all(np.isfinite(y))
    assert step.length_out(x.size) == x.size
    assert step.apply(-3.0 * x, plan, scene).samples == pytest.approx(-3.0 * y, abs=1e-9 * max(level, 1e-9))


@pytest.mark.slow
def test_two_minutes_come_out_whole(handset):
    x = 0.1 * np.random.RandomState(0).randn(120 * FS)
    y = handset(x, curve="mirs_send").samples
    assert y.shape == x.shape
    # what comes after the first second does not depend on where the blocks of the filter fall
    short = handset(x[: 2 * FS], curve="mirs_send").samples
    assert y[: 2 * FS - 500] == pytest.approx(short[: 2 * FS - 500], abs=1e-12)


def test_silence_stays_silent(handset):
    assert not np.any(handset(np.zeros(FS), curve="irs_send").samples)


def test_speech_and_noise_can_be_told_apart_behind_a_handset():
    step = Handset(HandsetSettings(curve="irs_send"))
    assert step.law == Law.LINEAR
    assert step.stage == Stage.HANDSET
    assert not step.needs_speech_level


def nominal_change_db(x, curve):
    """By how much the nominal response, 0 dB at 1 kHz, changes the power of a signal with this spectrum."""
    known_hz, known_db = table(curve)
    hz = np.maximum(np.fft.rfftfreq(x.size, 1 / FS), known_hz[0])
    response_db = np.interp(np.log(hz), np.log(known_hz), known_db) + 3.7
    power = np.abs(np.fft.rfft(x)) ** 2
    return 10 * np.log10(np.sum(power * 10 ** (response_db / 10)) / np.sum(power))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("curve", ["irs_send", "mirs_send"])
def test_the_level_that_a_telephone_takes_from_speech_is_recorded_and_not_made_up_for(
    curve, seed, build, resources, speechlike
):
    x = speechlike(seed, 6.0)
    condition = build("phone", {"steps": [{"kind": "handset", "curve": curve}]})
    rendering = render(condition, x, resources)
    out = active_speech_level(rendering.samples / 32768, FS).level_dbov
    assert rendering.realised.active_level_out_dbov == pytest.approx(out)
    assert out + 26.0 == pytest.approx(nominal_change_db(x, curve), abs=0.3)
    assert out + 26.0 < -2.0


def test_recorded_speech_loses_a_few_decibels_according_to_its_low_frequencies(optional_corpus, build, resources):
    # by corpus, the median of P.48 is -1 to -5 dB: how much there is below 300 Hz depends on microphones and voices
    manifest = optional_corpus("timit_sample")
    condition = build("phone", {"steps": [{"kind": "handset", "curve": "irs_send"}]})
    for path in sorted((manifest.parent / "audio").glob("*.flac"))[::40]:
        x = read(path)
        change_db = render(condition, x, resources).realised.active_level_out_dbov + 26.0
        assert change_db == pytest.approx(nominal_change_db(x, "irs_send"), abs=0.5)
        assert -6 < change_db < 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({}, r"conditions\.phone\.steps\.0: .*say one of curve, pool and file, not none of them"),
        ({"curve": "msin", "pool": "ts26131_hf"}, r"say one of curve, pool and file, not curve and pool"),
        ({"curve": "msin", "file": "a.csv"}, r"not curve and file"),
        ({"curve": "msin", "size": 4}, r"size is the number of phones in a pool and has no meaning beside curve"),
        ({"file": "a.csv", "size": 4}, r"no meaning beside file"),
        ({"curve": "irs_sent"}, r"steps\.0\.curve: .*'irs_send', 'mirs_send', 'msin' or 'p341'"),
        ({"pool": "ts26131"}, r"steps\.0\.pool: .*'ts26131_hf'"),
        ({"pool": "ts26131_hf", "size": 0}, r"steps\.0\.size: .*greater than or equal to 1"),
        ({"pool": "ts26131_hf", "size": 2.5}, r"steps\.0\.size: .*integer"),
        ({"file": ""}, r"steps\.0\.file: .*at least 1 character"),
        ({"curves": "msin"}, r"steps\.0\.curves: unknown key\. Did you mean 'curve'\?"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(step, message, build):
    with pytest.raises(ConditionError, match=message):
        build("phone", {"steps": [{"kind": "handset"} | step]})


def test_a_file_that_cannot_be_used_is_named_with_its_place_before_any_audio(build, tmp_path, resources):
    (tmp_path / "phone.csv").write_text("1000,0\n")
    condition = build("ward7", {"steps": [{"kind": "handset", "file": str(tmp_path / "phone.csv")}]})
    with pytest.raises(ConditionError, match=r"conditions\.ward7\.steps\.0.*phone\.csv has 1 rows"):
        condition.check(resources)


def test_the_plan_of_a_pool_is_followed(build, resources, speechlike):
    x = speechlike(2)
    condition = build("pool", {"steps": [{"kind": "handset", "pool": "ts26131_hf"}]})
    plans = [condition.plan(PlanInput("u", "g", x.size), slot, resources) for slot in range(8)]
    assert plans == [{"0.handset": slot} for slot in range(8)]
    hashes = {condition.render(x, plan, resources).realised.audio_sha256 for plan in plans}
    assert len(hashes) == 8
    with pytest.raises(ConditionError, match="plan again"):
        condition.render(x, {}, resources)
