"""Overload against the talker's own level: the dose falls with the headroom, alike for loud and quiet talkers."""

import csv

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.clip import Clip
from augment.errors import NoActiveSpeechError
from augment.level import active_speech_level
from augment.recordings import read
from augment.resources import Resources
from augment.source import Speech
from augment.step import Acoustics, Law, Scene, Stage

FS = 16_000


def clip(headroom_db):
    return Clip(Clip.Settings(headroom_db=headroom_db))


def share(x, headroom_db, here):
    return clip(headroom_db).apply(x, {}, here).realised["overload_share"]


def test_the_limit_lies_the_headroom_above_the_active_level(scene, resources, speechlike):
    x = speechlike(1).astype(float)
    effect = clip(6.0).apply(x, {}, scene(x, resources))
    limit = 10 ** ((active_speech_level(x, FS).level_dbov + 6.0) / 20)
    assert np.abs(effect.samples).max() == pytest.approx(limit)
    assert effect.realised["threshold_dbov"] == pytest.approx(20 * np.log10(limit))
    assert effect.realised["overload_share"] == np.mean(np.abs(x) > limit)
    inside = np.abs(x) <= limit
    assert np.array_equal(effect.samples[inside], x[inside])


def test_the_dose_falls_with_the_headroom_to_nothing(scene, resources, speechlike):
    x = speechlike(2).astype(float)
    here = scene(x, resources)
    doses = [share(x, headroom_db, here) for headroom_db in (0, 3, 6, 9, 12, 15)]
    assert doses == sorted(doses, reverse=True)
    assert doses[0] > 2 * doses[2] > 0
    assert share(x, 60, here) == 0.0


def test_a_gain_before_it_changes_nothing_but_the_gain(scene, resources, speechlike):
    x = speechlike(2).astype(float)
    loud, quiet = (clip(6.0).apply(gain * x, {}, scene(gain * x, resources)) for gain in (1.0, 0.25))
    assert np.allclose(quiet.samples, 0.25 * loud.samples, rtol=1e-3, atol=1e-9)
    assert quiet.realised["overload_share"] == pytest.approx(loud.realised["overload_share"], abs=1e-3)


def test_a_limit_above_the_peak_gives_the_samples_back(scene, resources, speechlike):
    x = speechlike(1).astype(float)
    assert np.array_equal(clip(60).apply(x, {}, scene(x, resources)).samples, x)


def test_the_limit_is_that_of_the_talker_and_not_of_the_noise(scene, resources, speechlike):
    x = speechlike(1).astype(float)
    here, noise = scene(x, resources), np.random.RandomState(0).randn(x.size)
    threshold_dbov = clip(6.0).apply(x, {}, here).realised["threshold_dbov"]
    for samples in (x + noise, noise, np.zeros_like(x)):
        effect = clip(6.0).apply(samples, {}, here)
        assert effect.realised["threshold_dbov"] == threshold_dbov
        assert np.abs(effect.samples).max() <= 10 ** (threshold_dbov / 20)


@pytest.mark.parametrize("name", ["timit_sample", "speechocean762", "speech_accent_archive"])
def test_six_decibels_cut_off_about_five_per_cent_of_real_speech(name, optional_corpus, resources):
    manifest = optional_corpus(name)
    with manifest.open(newline="", encoding="utf-8") as file:
        paths = [manifest.parent / row["audio_path"] for row in csv.DictReader(file)]
    speech = [read(path).astype(float) for path in paths[:: max(1, len(paths) // 10)][:10]]
    doses = [share(x, 6.0, Scene(Acoustics(), resources, Speech(x))) for x in speech]
    # measured on other recordings by an independent program: 5.3 % (5.0 to 5.7 %)
    assert np.mean(doses) == pytest.approx(0.053, abs=0.01)


def test_without_speech_there_is_no_limit_to_set(scene, resources):
    with pytest.raises(NoActiveSpeechError):
        clip(6.0).apply(np.zeros(FS), {}, scene(np.zeros(FS), resources))


@pytest.mark.parametrize("headroom_db", [-11, 61, float("nan"), float("inf"), "6"])
def test_a_headroom_out_of_range_is_refused(headroom_db):
    with pytest.raises(ValidationError, match="headroom_db"):
        Clip.Settings.model_validate({"headroom_db": headroom_db})


def test_it_needs_the_talkers_level_and_is_not_linear():
    assert (clip(6.0).law, clip(6.0).stage, clip(6.0).needs_speech_level) == (Law.NONLINEAR, Stage.OVERLOAD, True)


@given(
    length=st.integers(800, 40_000),
    headroom_db=st.floats(-10, 60),
    scale=st.sampled_from([1e-3, 1.0, 1e6]),
    seed=st.integers(0, 99),
)
@example(length=120 * FS, headroom_db=6.0, scale=1.0, seed=0)
@settings(max_examples=40, deadline=None)
def test_any_finite_input_comes_out_finite_and_as_long(length, headroom_db, scale, seed):
    x = scale * np.random.RandomState(seed).randn(length)
    talker = Speech(0.1 * np.random.RandomState(0).randn(FS))
    y = clip(headroom_db).apply(x, {}, Scene(Acoustics(), Resources(1, 1), talker)).samples
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))
