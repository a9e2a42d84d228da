"""The band filter against its own statement: -6 dB at a corner, 0 and -80 dB on the sides, no delay."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.bandpass import Filter
from augment.step import Law, Stage

FS = 16_000


def band(**corners):
    return Filter(Filter.Settings.model_validate(corners))


def gain_db(step, frequency_hz):
    x = np.sin(2 * np.pi * frequency_hz * np.arange(3 * FS) / FS)
    middle = slice(FS, 2 * FS)
    return 10 * np.log10(np.mean(step.apply(x, {}, None).samples[middle] ** 2) / np.mean(x[middle] ** 2) + 1e-12)


@pytest.mark.parametrize(
    ("corners", "passed_hz", "stopped_hz"),
    [
        ({"high_pass_hz": 300}, (350, 1000, 7900), (20, 150, 250)),
        ({"low_pass_hz": 3400}, (20, 1000, 3350), (3450, 4000, 7900)),
        ({"high_pass_hz": 300, "low_pass_hz": 3400}, (350, 1000, 3350), (50, 250, 3450, 7000)),
        ({"high_pass_hz": 1000, "low_pass_hz": 1100}, (1050,), (950, 1150)),
        ({"high_pass_hz": 20}, (30, 1000), (10, 2)),
        ({"low_pass_hz": 7950}, (100, 7900), ()),
    ],
)
def test_a_band_passes_whole_and_the_rest_is_80_db_down(corners, passed_hz, stopped_hz):
    step = band(**corners)
    assert [gain_db(step, f) for f in passed_hz] == pytest.approx([0.0] * len(passed_hz), abs=0.05)
    assert all(gain_db(step, f) < -75 for f in stopped_hz)
    assert [gain_db(step, f) for f in corners.values()] == pytest.approx([-6.0] * len(corners), abs=0.1)


def test_the_delay_is_removed_and_reported(speechlike):
    x = speechlike(3, 2.0).astype(float)
    effect = band(low_pass_hz=3400).apply(x, {}, None)
    products = [np.dot(x[100:-100], np.roll(effect.samples, -lag)[100:-100]) for lag in range(-50, 51)]
    assert int(np.argmax(products)) == 50
    assert effect.delay_removed_s == pytest.approx(0.025, abs=0.001)


def test_it_is_linear_and_says_so(speechlike):
    x, noise = speechlike(1, 1.0).astype(float), 0.1 * np.random.RandomState(1).randn(FS)
    step = band(high_pass_hz=300)
    parts = step.apply(x, {}, None).samples + step.apply(noise, {}, None).samples
    assert np.allclose(step.apply(x + noise, {}, None).samples, parts, atol=1e-12)
    assert (step.law, step.stage, step.length_out(77)) == (Law.LINEAR, Stage.FILTER, 77)


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ({}, "no corner: give high_pass_hz, low_pass_hz or both"),
        (
            {"high_pass_hz": 3400, "low_pass_hz": 300},
            "low_pass_hz 300 must lie at least 100 Hz above high_pass_hz 3400",
        ),
        ({"high_pass_hz": 300, "low_pass_hz": 350}, "nothing passes whole"),
        ({"low_pass_hz": 8000}, "less than or equal to 7950"),
        ({"high_pass_hz": 19}, "greater than or equal to 20"),
        ({"high_pass_hz": 0}, "greater than or equal to 20"),
        ({"highpass_hz": 300}, "Extra inputs"),
    ],
)
def test_corners_that_make_no_band_are_refused(corners, message):
    with pytest.raises(ValidationError, match=message):
        Filter.Settings.model_validate(corners)


@given(
    length=st.integers(1, 40_000),
    high_hz=st.one_of(st.none(), st.floats(20, 3000)),
    width_hz=st.floats(100, 4900),
    scale=st.sampled_from([0.0, 1.0, 1e6]),
    seed=st.integers(0, 99),
)
@example(length=120 * FS, high_hz=300.0, width_hz=3100.0, scale=1.0, seed=0)
@settings(max_examples=40, deadline=None)
def test_any_finite_input_comes_out_finite_and_as_long(length, high_hz, width_hz, scale, seed):
    step = band(high_pass_hz=high_hz, low_pass_hz=(high_hz or 0.0) + width_hz)
    y = step.apply(scale * np.random.RandomState(seed).randn(length), {}, None).samples
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))
