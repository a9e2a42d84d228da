"""Every codec in turn: length, delay, tail, silence, determinism, and how much of the speech is left."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soxr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FS = 16_000
EVERY = [
    {"name": "g711", "law": "a"},
    {"name": "g711", "law": "mu"},
    {"name": "g722"},
    {"name": "g726", "bitrate": 16_000},
    {"name": "g726", "bitrate": 24_000},
    {"name": "g726"},
    {"name": "g726", "bitrate": 40_000},
    {"name": "gsm_fr"},
    {"name": "amr_nb", "bitrate": 4_750},
    {"name": "amr_nb", "bitrate": 12_200},
    {"name": "amr_wb", "bitrate": 6_600},
    {"name": "amr_wb", "bitrate": 23_850},
    {"name": "opus", "bitrate": 6_000},
    {"name": "opus", "bitrate": 24_000, "complexity": 10},
    {"name": "mp3", "bitrate": 16_000},
    {"name": "mp3", "bitrate": 64_000},
    {"name": "aac", "bitrate": 16_000},
    {"name": "aac", "bitrate": 64_000},
]
ONE_OF_EACH = list({asked["name"]: asked for asked in EVERY}.values())


def named(asked):
    return "_".join(str(value) for value in asked.values())


every = pytest.mark.parametrize("asked", EVERY, ids=named)
one_of_each = pytest.mark.parametrize("asked", ONE_OF_EACH, ids=named)


@pytest.fixture
def through(codec, scene, resources):
    """Return the effect of a codec on samples."""

    def send(samples, name, **values):
        return codec(name, **values).apply(samples, {}, scene(samples, resources))

    return send


def lag(x, y, longest=400):
    """Return by how many samples y comes after x: where their correlation is highest."""
    size = 2 * x.size
    products = np.fft.irfft(np.conj(np.fft.rfft(x, size)) * np.fft.rfft(y, size))
    return int(np.argmax(np.concatenate([products[-longest:], products[: longest + 1]]))) - longest


def level_db(x):
    return 10 * np.log10(np.mean(np.square(x)))


def snr_db(x, y):
    return level_db(x) - level_db(y - x)


def narrowband(x):
    return soxr.resample(soxr.resample(x, FS, 8000, quality="VHQ"), 8000, FS, quality="VHQ")


@every
def test_no_delay_is_left_and_none_too_much_is_taken(asked, through, spoken):
    for seed in range(3):
        x = spoken(seed)
        assert abs(lag(x, through(x, **asked).samples)) <= 3


@every
def test_speech_is_kept_to_the_very_end(asked, through, spoken):
    x = spoken(4, 2.0)
    y = through(x, **asked).samples
    assert level_db(y[-1600:]) == pytest.approx(level_db(x[-1600:]), abs=3)
    assert level_db(y[-160:]) == pytest.approx(level_db(x[-160:]), abs=10)
    assert np.all(y[-4:] != 0.0)


@every
@pytest.mark.parametrize("length", [1, 2, 800, 801, 959, 1600, 16_001, 31_999])
def test_as_many_samples_come_out_as_went_in(asked, length, through):
    y = through(0.1 * np.random.RandomState(length).randn(length), **asked).samples
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))


@pytest.mark.slow
@one_of_each
def test_half_a_minute_keeps_its_length_and_its_place(asked, through, spoken):
    x = spoken(5, 30.0)[:-1]
    y = through(x, **asked).samples
    assert y.size == 479_999
    assert abs(lag(x[-32_000:], y[-32_000:])) <= 3


@one_of_each
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(800, 48_000), pattern=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400))
@example(length=48_000, pattern=[32_767] * 20 + [-32_768] * 20)
@example(length=801, pattern=[-32_768])
def test_any_16_bit_signal_of_any_length_comes_back_finite_and_as_long(asked, length, pattern, through):
    x = np.resize(np.array(pattern) / 32_768.0, length)
    y = through(x, **asked).samples
    assert y.shape == (length,)
    assert np.all(np.isfinite(y))


@every
def test_digital_silence_comes_back_as_no_more_than_idle_noise(asked, through):
    y = through(np.zeros(FS), **asked).samples
    # A-law has no zero: +-8; two-bit ADPCM and linear prediction hunt around it
    assert np.max(np.abs(y)) <= 32 / 32_768


@every
def test_the_same_speech_gives_the_same_samples_whatever_ran_before_or_beside_it(asked, through, spoken):
    x = spoken(6, 1.0)
    first = through(x, **asked).samples
    through(spoken(7, 0.5), **asked)
    with ThreadPoolExecutor(4) as pool:
        again = [future.result().samples for future in [pool.submit(through, x, **asked) for _ in range(4)]]
    for samples in again:
        assert np.array_equal(samples, first)


@every
def test_nobody_puts_the_level_back(asked, through, spoken):
    x = spoken(8, 1.0)
    quiet, loud = (level_db(through(gain * x, **asked).samples) for gain in (0.05, 1.0))
    assert loud - quiet == pytest.approx(20 * np.log10(20), abs=2.5)


@pytest.mark.parametrize(
    ("asked", "at_least"),
    [
        ({"name": "g711"}, 0.99),
        ({"name": "g722"}, 0.99),
        ({"name": "gsm_fr"}, 0.85),
        ({"name": "amr_nb", "bitrate": 5_900}, 0.80),
        ({"name": "amr_nb", "bitrate": 12_200}, 0.92),
        ({"name": "amr_wb", "bitrate": 12_650}, 0.92),
        ({"name": "opus", "bitrate": 16_000}, 0.97),
    ],
    ids=str,
)
def test_the_speech_stays_intelligible_by_stoi(asked, at_least, coder, through, spoken):
    stoi = pytest.importorskip("pystoi").stoi
    x = spoken(9)
    heard = x if coder(**asked).rate_hz == FS else narrowband(x)
    assert stoi(heard, through(x, **asked).samples, FS) >= at_least


@pytest.mark.parametrize(("name", "rates"), [("amr_nb", (4_750, 7_950, 12_200)), ("opus", (6_000, 12_000, 24_000))])
def test_more_bits_are_more_intelligible(name, rates, through, spoken):
    stoi = pytest.importorskip("pystoi").stoi
    x = spoken(9)
    scores = [stoi(narrowband(x), narrowband(through(x, name, bitrate=rate).samples), FS) for rate in rates]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 0.02


@pytest.mark.parametrize("law", ["a", "mu"])
def test_g711_costs_about_38_decibels(law, through, spoken):
    # signal to quantization noise of G.711 is 37 to 38 dB over most of its range
    x = narrowband(spoken(1))
    assert 36 < snr_db(x, through(x, "g711", law=law).samples) < 40


def test_each_bit_of_g726_buys_decibels(through, spoken):
    ratios = []
    for rate in (16_000, 24_000, 32_000, 40_000):
        pairs = [(narrowband(x), through(x, "g726", bitrate=rate).samples) for x in map(spoken, range(4))]
        ratios.append(float(np.mean([snr_db(x, y) for x, y in pairs])))
    # published for speech: 17.6, 24.1, 29.5 and 34.7 dB; how much of that depends on the voice
    assert np.all(np.diff(ratios) > 1)
    assert 12 < ratios[0] < 19
    assert 21 < ratios[2] < 31


def test_g722_keeps_7_khz_and_g711_nothing_above_the_telephone_band(through):
    t = np.arange(FS) / FS
    middle = slice(FS // 4, 3 * FS // 4)
    high = 0.1 * np.sin(2 * np.pi * 6_800 * t)
    assert level_db(through(high, "g722").samples[middle]) == pytest.approx(level_db(high), abs=2)
    above = 0.1 * np.sin(2 * np.pi * 4_400 * t)
    # what is left is G.711's own quantization of silence
    assert np.max(np.abs(through(above, "g711").samples[middle])) < 16 / 32_768
    inside = 0.1 * np.sin(2 * np.pi * 3_400 * t)
    assert level_db(through(inside, "g711").samples[middle]) == pytest.approx(level_db(inside), abs=0.2)


def test_samples_beyond_full_scale_at_the_encoder_are_counted(through):
    loud = 4.0 * np.sin(2 * np.pi * 300 * np.arange(FS) / FS)
    assert through(loud, "g711").clipped_share == pytest.approx(1 - 2 * np.arcsin(0.25) / np.pi, abs=0.02)
    assert through(0.1 * loud, "g711").clipped_share == 0.0


@pytest.mark.parametrize(
    ("asked", "removed_s"),
    [
        ({"name": "g711"}, 0.0),
        ({"name": "g722"}, 22 / 16_000),
        ({"name": "amr_nb", "bitrate": 5_900}, 40 / 8_000),
        ({"name": "amr_wb", "bitrate": 12_650}, 95 / 16_000),
        ({"name": "aac", "bitrate": 32_000}, 1_024 / 16_000),
    ],
    ids=str,
)
def test_the_delay_that_was_removed_is_reported(asked, removed_s, through):
    assert through(np.zeros(800), **asked).delay_removed_s == pytest.approx(removed_s)
