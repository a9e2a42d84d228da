"""Setting the talker's level again: read back by P.56, the same gain for whatever is mixed in."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.errors import NoActiveSpeechError
from augment.level import active_speech_level, gain_to_level
from augment.leveling import Level
from augment.resources import Resources
from augment.source import Speech
from augment.step import Acoustics, Law, Scene, Stage

FS = 16_000


def level(target_dbov=-26.0):
    return Level(Level.Settings(target_dbov=target_dbov))


@pytest.mark.parametrize("target_dbov", [-40.0, -26.0, -20.0])
@pytest.mark.parametrize("scale", [0.05, 1.0, 3.0])
def test_the_talker_comes_out_at_the_target(target_dbov, scale, scene, resources, speechlike):
    x = scale * speechlike(1).astype(float)
    effect = level(target_dbov).apply(x, {}, scene(x, resources))
    assert active_speech_level(effect.samples, FS).level_dbov == pytest.approx(target_dbov, abs=0.002)
    assert effect.realised["level_before_dbov"] == pytest.approx(active_speech_level(x, FS).level_dbov)


def test_a_talker_who_is_there_gets_the_very_samples_back(scene, resources, speechlike):
    x = speechlike(1).astype(float)
    x = x * gain_to_level(x, FS, target_dbov=-26.0)[0]
    assert level().apply(x, {}, scene(x, resources)).samples is x


def test_the_gain_is_that_of_the_talker_whatever_else_is_heard(scene, resources, speechlike):
    x, noise = speechlike(1).astype(float), 0.3 * np.random.RandomState(0).randn(64_000)
    here = scene(x, resources)
    alone, both, other = (level().apply(samples, {}, here).samples for samples in (x, x + noise, noise))
    assert np.allclose(both, alone + other, atol=1e-12)
    assert not np.any(level().apply(np.zeros_like(x), {}, here).samples)


def test_without_speech_there_is_no_level_to_set(scene, resources):
    with pytest.raises(NoActiveSpeechError):
        level().apply(np.zeros(FS), {}, scene(np.zeros(FS), resources))


@pytest.mark.parametrize("target_dbov", [-61, -9, float("nan"), "-26"])
def test_a_target_out_of_range_is_refused(target_dbov):
    with pytest.raises(ValidationError, match="target_dbov"):
        Level.Settings.model_validate({"target_dbov": target_dbov})


def test_it_is_linear_and_needs_the_talkers_level():
    assert (level().law, level().stage, level().needs_speech_level) == (Law.LINEAR, Stage.LEVEL, True)


@given(length=st.integers(800, 32_000), scale=st.sampled_from([1e-2, 1.0, 1e6]), seed=st.integers(0, 99))
@example(length=120 * FS, scale=1.0, seed=0)
@settings(max_examples=20, deadline=None)
def test_any_finite_input_comes_out_finite_and_as_long(length, scale, seed):
    x = scale * np.random.RandomState(seed).randn(length)
    try:
        y = level().apply(x, {}, Scene(Acoustics(), Resources(1, 1), Speech(x))).samples
    except NoActiveSpeechError:
        assert length < FS // 8  # shorter than the envelope of P.56 needs to rise
        return
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))
