"""The band limit of a lower sampling rate: what passes, what does not come back as an alias, what stays in place."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.resample import Resample, fitted, resampled
from augment.step import Law, Stage

FS = 16_000


def through(rate_hz, x, scene=None):
    return Resample(Resample.Settings(rate_hz=rate_hz)).apply(x, {}, scene).samples


def level_db(frequency_hz, rate_hz=8000):
    x = np.sin(2 * np.pi * frequency_hz * np.arange(2 * FS) / FS)
    middle = slice(FS // 2, 3 * FS // 2)
    return 10 * np.log10(np.mean(through(rate_hz, x)[middle] ** 2) / np.mean(x[middle] ** 2))


@pytest.mark.parametrize("frequency_hz", [4100, 4200, 4400, 5000, 6000, 7600])
def test_nothing_above_4_khz_comes_back_as_an_alias(frequency_hz):
    assert level_db(frequency_hz) < -80


def test_what_goes_over_the_line_holds_no_alias_of_a_4400_hz_tone():
    x = np.sin(2 * np.pi * 4400 * np.arange(2 * FS) / FS)
    narrow = resampled(x, FS, 8000)[4000:12_000]
    assert 10 * np.log10(np.mean(narrow**2) / 0.5) < -80


# soxr VHQ from 16 to 8 kHz and back: the -3.0 dB of one way at 3800 Hz count twice
@pytest.mark.parametrize(
    ("frequency_hz", "expected_db", "within_db"), [(100, 0, 0.02), (3400, 0, 0.05), (3600, 0, 0.1), (3800, -6, 3.1)]
)
def test_the_telephone_band_passes(frequency_hz, expected_db, within_db):
    assert level_db(frequency_hz) == pytest.approx(expected_db, abs=within_db)


@pytest.mark.parametrize("rate_hz", [4000, 11_025, 12_000, 15_999])
def test_the_band_ends_below_half_of_any_rate(rate_hz):
    assert level_db(0.44 * rate_hz, rate_hz) == pytest.approx(0.0, abs=0.1)
    assert level_db(min(0.52 * rate_hz, 7990), rate_hz) < -80 or rate_hz > 15_000


def test_16000_gives_the_very_samples_back():
    x = np.random.RandomState(0).randn(1000)
    assert through(FS, x) is x


@pytest.mark.parametrize("rate_hz", [4000, 8000, 11_025])
def test_no_delay_is_left(rate_hz, speechlike):
    x = speechlike(3, 2.0).astype(float)
    y = through(rate_hz, x)
    products = [np.dot(x[100:-100], np.roll(y, -lag)[100:-100]) for lag in range(-50, 51)]
    assert int(np.argmax(products)) == 50


def test_it_is_linear_and_says_so(speechlike):
    x, noise = speechlike(1, 1.0).astype(float), 0.1 * np.random.RandomState(1).randn(FS)
    assert np.allclose(through(8000, x + noise), through(8000, x) + through(8000, noise), atol=1e-12)
    step = Resample(Resample.Settings(rate_hz=8000))
    assert (step.law, step.stage, step.length_out(77)) == (Law.LINEAR, Stage.RESAMPLE, 77)


@pytest.mark.parametrize("rate_hz", [0, 3999, 16_001, 48_000, 8000.5, "8000"])
def test_a_rate_out_of_range_is_refused(rate_hz):
    with pytest.raises(ValidationError, match="rate_hz"):
        Resample.Settings.model_validate({"rate_hz": rate_hz})


def test_a_length_is_fitted_by_silence_or_a_cut_at_the_end():
    x = np.arange(5.0)
    assert fitted(x, 7).tolist() == [0, 1, 2, 3, 4, 0, 0]
    assert fitted(x, 3).tolist() == [0, 1, 2]


@given(
    length=st.integers(1, 40_000),
    rate_hz=st.one_of(st.sampled_from([8000, 16_000]), st.integers(4000, 16_000)),
    scale=st.sampled_from([0.0, 1e-12, 1.0, 1e6]),
    seed=st.integers(0, 99),
)
@example(length=120 * FS, rate_hz=8000, scale=1.0, seed=0)
@settings(max_examples=50, deadline=None)
def test_any_finite_input_comes_out_finite_and_as_long(length, rate_hz, scale, seed):
    y = through(rate_hz, scale * np.random.RandomState(seed).randn(length))
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))
