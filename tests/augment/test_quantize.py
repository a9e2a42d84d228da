"""A converter with few bits: the grid, the error, what becomes silence, and identity at 16 bits."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from augment.pcm import to_int16
from augment.quantize import Quantize
from augment.step import Law, Stage


def quantized(x, bits):
    return Quantize(Quantize.Settings(bits=bits)).apply(np.asarray(x, dtype=float), {}, None)


def test_two_bits_are_four_values():
    x = [-2.0, -1.0, -0.76, -0.74, -0.26, -0.24, 0.0, 0.24, 0.26, 0.49, 1.0]
    effect = quantized(x, 2)
    assert effect.samples.tolist() == [-1.0, -1.0, -1.0, -0.5, -0.5, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5]
    assert effect.clipped_share == pytest.approx(1 / 11)
    assert effect.realised["zero_share"] == pytest.approx(3 / 11)


@pytest.mark.parametrize("bits", [4, 8, 10, 12, 14])
def test_each_bit_is_worth_six_decibels(bits):
    x = np.linspace(-0.875, 0.8749, 50_000)
    error = quantized(x, bits).samples - x
    step = 2.0 ** (1 - bits)
    # error of uniform quantization: step^2 / 12
    assert 10 * np.log10(np.mean(error**2)) == pytest.approx(10 * np.log10(step**2 / 12), abs=0.05)
    assert np.abs(error).max() <= step / 2
    assert np.array_equal(np.rint(x / step + error / step) * step, x + error)


def test_what_stays_below_half_a_step_becomes_silence():
    x = 0.99 * 2.0**-8 * np.sin(np.arange(1000))
    effect = quantized(x, 8)
    assert np.count_nonzero(effect.samples) == 0
    assert effect.realised["zero_share"] == 1.0


@given(arrays(np.int16, st.integers(1, 200)))
@settings(deadline=None)
def test_16_bits_give_16_bit_samples_back_bit_exactly(samples):
    x = samples / 32768.0
    assert quantized(x, 16).samples.tobytes() == x.tobytes()


@given(arrays(np.float64, 50, elements=st.floats(-2, 2)))
@settings(deadline=None)
def test_16_bits_are_those_of_every_other_step(x):
    integers, beyond = to_int16(x)
    effect = quantized(x, 16)
    assert np.array_equal(effect.samples, integers / 32768.0)
    assert effect.clipped_share == beyond


@given(arrays(np.float64, 50, elements=st.floats(-1, 1)), st.integers(2, 16))
@settings(deadline=None)
def test_a_second_time_changes_nothing_and_order_is_kept(x, bits):
    once = quantized(np.sort(x), bits).samples
    assert np.array_equal(quantized(once, bits).samples, once)
    assert np.all(np.diff(once) >= 0)


@pytest.mark.parametrize("bits", [1, 17, 8.5, "8"])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValidationError, match="bits"):
        Quantize.Settings.model_validate({"bits": bits})


def test_it_is_not_linear():
    step = Quantize(Quantize.Settings(bits=8))
    assert (step.law, step.stage, step.length_out(77)) == (Law.NONLINEAR, Stage.QUANTIZE, 77)


@given(length=st.integers(1, 40_000), bits=st.integers(2, 16), scale=st.sampled_from([0.0, 1.0, 1e6]))
@example(length=120 * 16_000, bits=8, scale=1.0)
@settings(max_examples=30, deadline=None)
def test_any_finite_input_comes_out_within_full_scale_and_as_long(length, bits, scale):
    y = quantized(scale * np.random.RandomState(length).randn(length), bits).samples
    assert y.shape == (length,)
    assert y.min() >= -1.0
    assert y.max() < 1.0
