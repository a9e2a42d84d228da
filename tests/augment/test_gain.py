"""A fixed gain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.gain import Gain
from augment.step import Law, Stage


def gained(x, gain_db):
    return Gain(Gain.Settings(gain_db=gain_db)).apply(x, {}, None).samples


def test_0_db_gives_the_very_samples_back():
    x = np.random.RandomState(0).randn(1000)
    assert gained(x, 0) is x
    assert gained(x, -0.0) is x


def test_six_decibels_are_a_factor_of_two():
    assert gained(np.array([0.5, -0.1]), -6.0206) == pytest.approx([0.25, -0.05], rel=1e-5)
    assert gained(np.array([0.5, -0.1]), 20) == pytest.approx([5.0, -1.0])  # not held at full scale


@given(gain_db=st.floats(-60, 40), length=st.integers(1, 2000), scale=st.sampled_from([0.0, 1.0, 1e100]))
@settings(deadline=None)
def test_the_level_moves_by_the_gain_whatever_the_signal(gain_db, length, scale):
    x = scale * np.random.RandomState(length).randn(length)
    y = gained(x, gain_db)
    assert y.shape == x.shape
    assert np.all(np.isfinite(y))
    assert np.abs(y).max() == pytest.approx(np.abs(x).max() * 10 ** (gain_db / 20))


@pytest.mark.parametrize("gain_db", [-61, 41, float("nan"), "loud"])
def test_a_gain_out_of_range_is_refused(gain_db):
    with pytest.raises(ValidationError, match="gain_db"):
        Gain.Settings.model_validate({"gain_db": gain_db})


def test_it_is_linear():
    step = Gain(Gain.Settings(gain_db=3))
    assert (step.law, step.stage, step.length_out(77)) == (Law.LINEAR, Stage.GAIN, 77)
