"""SNR: measured again, from outside, on the noise that was really mixed."""

from types import SimpleNamespace

import numpy as np
import pytest

from augment.chain import Acoustics, PlanInput
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import active_speech_level, gain_to_level, weight
from augment.noise.track import TRACK_SAMPLES, cut, joins, planned_offset

FS = 16000


def mixed(condition, x, resources, *, slot=2):
    """Render in floating point and return the leveled speech and the noise in it, taken apart again."""
    plan = condition.plan(PlanInput("u", "outsider", x.size), slot, resources)
    gain, _ = gain_to_level(x, FS, target_dbov=-26.0)
    speech = x.astype(float) * gain
    planned = {key.removeprefix("0."): value for key, value in plan.items()}
    effect = condition.steps[0].apply(speech, planned, condition.acoustics, resources)
    return speech, effect.samples - speech, effect


def snr_db(speech, noise, weighting):
    rms_db = 10 * np.log10(np.mean(weight(noise, FS, weighting) ** 2))
    return active_speech_level(weight(speech, FS, weighting), FS).level_dbov - rms_db


@pytest.mark.parametrize("kind", ["babble", "machine"])
@pytest.mark.parametrize("weighting", ["none", "a", "g712", "wb"])
@pytest.mark.parametrize("requested_db", [-5.0, 0.0, 10.0, 30.0])
def test_the_requested_snr_is_in_the_mixture(kind, weighting, requested_db, noisy, shared_resources, speechlike):
    condition = noisy(requested_db, kind, snr_weighting=weighting)
    speech, noise, effect = mixed(condition, speechlike(4, 6.0), shared_resources)
    assert snr_db(speech, noise, weighting) == pytest.approx(requested_db, abs=0.05)
    for name, reported_db in effect.snr_db.items():
        assert reported_db == pytest.approx(snr_db(speech, noise, name), abs=0.05)
    assert set(effect.snr_db) == {"none", "a", "g712", "wb"}


def test_the_rendering_reports_all_four_measured_snrs(shipped, shared_resources, speechlike):
    x = speechlike(5)
    condition = shipped("machine_tonal_5")
    plan = condition.plan(PlanInput("u", "outsider", x.size), 1, shared_resources)
    realised = condition.render(x, plan, shared_resources).realised
    assert realised.snr_a_db == pytest.approx(5.0, abs=0.001)
    speech, noise, _ = mixed(condition, x, shared_resources, slot=1)
    assert realised.snr_g712_db == pytest.approx(snr_db(speech, noise, "g712"), abs=0.05)
    assert realised.snr_wb_db == pytest.approx(snr_db(speech, noise, "wb"), abs=0.05)
    assert realised.snr_none_db == pytest.approx(snr_db(speech, noise, "none"), abs=0.05)


def test_ten_seconds_of_silence_change_the_noise_gain_by_less_than_a_twentieth_decibel(
    noisy, shared_resources, speechlike
):
    x = speechlike(6, 8.0).astype(float)
    padded = np.concatenate([x, np.zeros(10 * FS)])
    _, noise, _ = mixed(noisy(5.0, "machine"), x, shared_resources)
    _, longer, _ = mixed(noisy(5.0, "machine"), padded, shared_resources)
    gain = np.sum(noise * longer[: x.size]) / np.sum(noise**2)
    assert 20 * np.log10(gain) == pytest.approx(0.0, abs=0.05)
    # speech is silent half of the time: by RMS over the clip the padding alone would have cost 3.5 dB
    assert np.mean(x**2) / np.mean(padded**2) == pytest.approx(18 / 8)


def test_padding_leaves_the_level_of_babble_where_it_was(noisy, shared_resources, speechlike):
    x = speechlike(6, 8.0).astype(float)
    levels_db = []
    for clip in (x, np.concatenate([x, np.zeros(10 * FS)])):
        _, noise, _ = mixed(noisy(10.0), clip, shared_resources)
        levels_db.append(10 * np.log10(np.mean(weight(noise, FS, "a") ** 2)))
    assert levels_db[1] == pytest.approx(levels_db[0], abs=0.05)


@pytest.mark.parametrize("kind", ["babble", "machine"])
def test_one_slot_at_two_snrs_is_one_waveform_scaled(kind, noisy, shared_resources, speechlike):
    x = speechlike(7)
    _, loud, _ = mixed(noisy(0.0, kind), x, shared_resources)
    _, soft, _ = mixed(noisy(20.0, kind), x, shared_resources)
    assert np.max(np.abs(loud - 10.0 * soft)) < 1e-12


def test_clips_of_one_slot_hear_the_same_noise_from_the_same_place(noisy, shared_resources, speechlike):
    _, short, _ = mixed(noisy(10.0), speechlike(8, 2.0), shared_resources)
    _, long, _ = mixed(noisy(10.0), speechlike(9, 5.0), shared_resources)
    assert np.corrcoef(short, long[: short.size])[0, 1] == pytest.approx(1.0, abs=1e-9)


def test_an_utterance_that_is_silent_under_the_weighting_is_refused(noisy, shared_resources):
    hum = 0.2 * np.sin(2 * np.pi * 60 * np.arange(2 * FS) / FS) * np.hanning(2 * FS)
    condition = noisy(10.0, "machine", snr_weighting="g712")
    plan = condition.plan(PlanInput("u", "outsider", hum.size), 0, shared_resources)
    with pytest.raises(NoActiveSpeechError, match="weighting 'g712'"):
        condition.render(hum, plan, shared_resources)
    audible = noisy(10.0, "machine").render(hum, plan, shared_resources).realised
    assert audible.snr_a_db == pytest.approx(10.0, abs=0.01)
    assert audible.snr_g712_db is None


def test_silent_noise_is_refused_instead_of_amplified(noisy, shared_resources, speechlike):
    step = noisy(10.0, "machine").steps[0]
    silent = SimpleNamespace(track=lambda planned, resources: np.zeros(TRACK_SAMPLES, np.float32))
    step._source = silent
    with pytest.raises(ConditionError, match="noise segment is silent"):
        step.apply(0.1 * speechlike(1).astype(float), {"track": 0, "offset": 0}, Acoustics(), shared_resources)


def test_a_segment_that_passes_the_end_goes_on_at_the_start_with_constant_power():
    track = np.random.RandomState(0).randn(TRACK_SAMPLES).astype(np.float32)
    fade, cycle = FS // 20, TRACK_SAMPLES - FS // 20
    segment = cut(track, cycle - 1000, length=4000)
    assert np.array_equal(segment[:1000], track[cycle - 1000 : cycle])
    assert np.array_equal(segment[1000 + fade :], track[fade : 4000 - 1000])
    assert np.std(segment[1000 : 1000 + fade]) == pytest.approx(1.0, abs=0.1)
    assert joins(cycle - 1000, 1000) == 0
    assert joins(cycle - 1000, 1001) == 1


@pytest.mark.parametrize("length", [1, 800, 15 * FS, 30 * FS, 120 * FS])
def test_a_segment_of_any_length_begins_like_a_longer_one(length):
    track = np.random.RandomState(1).randn(TRACK_SAMPLES).astype(np.float32)
    offset = planned_offset(1, "babble", slot=5)
    assert 0 <= offset < TRACK_SAMPLES // 2
    segment = cut(track, offset, length=length)
    assert segment.size == length
    assert np.array_equal(segment, cut(track, offset, length=length + 5000)[:length])
