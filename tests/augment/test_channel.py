"""The telephone channel: the handset against P.48, the codec's band, both without delay or change of length."""

import numpy as np
import pytest

from augment.chain import Acoustics
from augment.codecs import Codec, CodecSettings
from augment.handset import Handset, HandsetSettings, table

FS = 16000
# ITU-T P.48 Table 1, nominal sending sensitivity
P48 = {200: -19.2, 250: -14.3, 300: -11.3, 315: -10.8, 400: -8.4, 500: -6.9, 600: -6.3, 630: -6.1, 800: -4.9}
P48 |= {1000: -3.7, 1250: -2.3, 1600: -0.6, 2000: 0.3, 2500: 1.8, 3000: 1.5, 3150: 1.8}


def through(step, x, resources):
    return step.apply(x, {}, Acoustics(), resources).samples


def handset():
    return Handset(HandsetSettings(curve="irs_send"))


def codec(law="a"):
    return Codec(CodecSettings(name="g711", law=law))


def tone(frequency_hz, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(FS) / FS)


def gain_db(step, frequency_hz, resources):
    x = tone(frequency_hz)
    middle = slice(FS // 4, 3 * FS // 4)
    return 10 * np.log10(np.mean(through(step, x, resources)[middle] ** 2) / np.mean(x[middle] ** 2))


@pytest.mark.parametrize(("frequency_hz", "nominal_db"), P48.items())
def test_the_handset_follows_p48_within_half_a_decibel(frequency_hz, nominal_db, resources):
    expected = nominal_db - P48[1000]  # 0 dB at 1 kHz
    assert gain_db(handset(), frequency_hz, resources) == pytest.approx(expected, abs=0.5)


def test_the_handset_is_steep_at_the_edges_of_the_telephone_band(resources):
    assert gain_db(handset(), 3400, resources) == pytest.approx(-4.8 + 3.7, abs=0.5)  # between 3150 and 3500 Hz
    assert gain_db(handset(), 100, resources) < -38
    assert gain_db(handset(), 4000, resources) < -32
    assert gain_db(handset(), 60, resources) < -38


def test_the_table_names_its_source_and_rises_in_frequency():
    frequency_hz, gain = table("irs_send")
    assert len(frequency_hz) == 24
    assert np.all(np.diff(frequency_hz) > 0)
    assert dict(zip(frequency_hz, gain, strict=True))[1000] == -3.7


@pytest.mark.parametrize("make", [handset, codec])
def test_a_channel_removes_its_delay(make, speechlike, resources):
    x = speechlike(5, 2.0).astype(float)
    y = through(make(), x, resources)
    lags = np.arange(-50, 51)
    products = [np.sum(x[100:-100] * np.roll(y, -lag)[100:-100]) for lag in lags]
    assert lags[int(np.argmax(products))] == 0


@pytest.mark.parametrize("make", [handset, codec])
@pytest.mark.parametrize("length", [1, 2, 799, 800, 801, 16000, 16001, 31999])
def test_a_channel_keeps_the_length(make, length, resources):
    y = through(make(), 0.1 * np.random.RandomState(length).randn(length), resources)
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))


def test_nothing_above_the_telephone_band_comes_back_as_an_alias(resources):
    # what is left is G.711's own quantization of silence
    assert np.max(np.abs(through(codec(), tone(4400), resources)[1000:-1000])) < 16 / 32768
    assert gain_db(codec(), 3400, resources) == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize("law", ["a", "mu"])
def test_the_codec_costs_about_38_decibels(law, speechlike, resources):
    # signal to quantization noise of G.711 is 37 to 38 dB over most of its range
    x = through(handset(), speechlike(6).astype(float), resources)
    error = through(codec(law), x, resources) - x
    assert 33 < 10 * np.log10(np.mean(x**2) / np.mean(error**2)) < 41


def test_samples_beyond_full_scale_at_the_encoder_are_counted(resources):
    effect = codec().apply(4.0 * tone(300, 1.0), {}, Acoustics(), resources)
    assert effect.clipped_share == pytest.approx(1 - 2 * np.arcsin(0.25) / np.pi, abs=0.02)
