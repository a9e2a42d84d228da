"""ITU-T P.56 against the reference program's readings, and the weightings against their standards."""

import numpy as np
import pytest

from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import active_speech_level, gain_to_level, weight, weighted_powers


def golden_signal(name: str, fs: int) -> np.ndarray:
    t = np.arange(8 * fs) / fs
    tone = 0.5 * np.sin(2 * np.pi * 1000 * t)

    def noise(seed):
        return np.random.RandomState(seed).randn(8 * fs)

    def fading():
        return 0.1 * noise(1) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)) * (t < 4)

    def voiced():
        return sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 31))

    recipes = {
        "A": lambda: tone,
        "B": lambda: tone * ((t % 2) < 1),
        "C": lambda: tone * ((t % 2) < 0.4),
        "C2": lambda: tone * ((t % 1) < 0.05),
        "D": lambda: 0.25 * np.sin(2 * np.pi * 400 * t) * ((t % 0.5) < 0.35),
        "E": lambda: 0.1 * noise(0),
        "F": fading,
        "F2": lambda: fading() + 0.001 * noise(2),
        "G": lambda: 0.05 * noise(4) * (t >= 2),
        "H": lambda: 1e-4 * noise(3),
        "I": lambda: voiced() * 0.1 * np.maximum(0, np.sin(2 * np.pi * 1.5 * t)) ** 2 * ((t % 4) < 3),
        "J": lambda: np.clip(4 * np.sin(2 * np.pi * 300 * t), -1, 1),
        "Z": lambda: np.zeros_like(t),
    }
    return np.clip(np.round(32768 * recipes[name]()), -32768, 32767) / 32768


# (recipe, rate, RMS dBov, active level dBov, activity %) as the ITU-T G.191 reference program reports them
GOLDEN = [
    ("A", 16000, -9.031, -9.018, 99.706),
    ("A", 8000, -9.031, -9.018, 99.698),
    ("A", 48000, -9.031, -9.018, 99.708),
    ("B", 16000, -12.041, -10.083, 63.709),
    ("B", 8000, -12.041, -10.076, 63.600),
    ("C", 16000, -16.021, -11.354, 34.148),
    ("C", 8000, -16.021, -11.341, 34.041),
    ("C2", 16000, -22.041, -17.546, 35.517),
    ("D", 16000, -16.601, -16.589, 99.722),
    ("E", 16000, -20.018, -20.005, 99.699),
    ("E", 8000, -20.040, -20.027, 99.708),
    ("F", 16000, -27.261, -24.485, 52.770),
    ("F", 8000, -27.266, -24.480, 52.642),
    ("F2", 16000, -27.259, -24.486, 52.809),
    ("G", 16000, -27.259, -25.992, 74.698),
    ("I", 16000, -28.998, -27.049, 63.837),
    ("I", 8000, -28.998, -27.049, 63.834),
    ("I", 48000, -28.998, -27.049, 63.836),
    ("J", 16000, -0.492, -0.480, 99.724),
]


@pytest.mark.parametrize(("name", "fs", "rms_dbov", "level_dbov", "activity_percent"), GOLDEN)
def test_the_active_level_is_that_of_the_reference_program(name, fs, rms_dbov, level_dbov, activity_percent):
    measured = active_speech_level(golden_signal(name, fs), fs)
    assert measured.level_dbov == pytest.approx(level_dbov, abs=0.05)
    assert measured.rms_dbov == pytest.approx(rms_dbov, abs=0.002)
    assert 100 * measured.activity == pytest.approx(activity_percent, abs=0.5)


@pytest.mark.parametrize("name", ["H", "Z"])
@pytest.mark.parametrize("fs", [8000, 16000, 48000])
def test_silence_has_no_level_instead_of_minus_100(name, fs):
    with pytest.raises(NoActiveSpeechError, match="no active speech"):
        active_speech_level(golden_signal(name, fs), fs)


def plain_p56(x: np.ndarray, fs: int) -> float:
    """P.56 sample by sample, as the Recommendation words it: counters and a hangover."""
    g, hang = np.exp(-1 / (fs * 0.03)), int(np.floor(0.2 * fs + 0.5))
    thresholds = [2.0**j for j in range(-15, 0)]
    counts, expired = [0] * 15, [hang] * 15
    p = q = 0.0
    for value in np.abs(x):
        p = g * p + (1 - g) * value
        q = g * q + (1 - g) * p
        for j, threshold in enumerate(thresholds):
            if q >= threshold:
                counts[j] += 1
                expired[j] = 0
            elif expired[j] < hang:
                counts[j] += 1
                expired[j] += 1
    levels = [10 * np.log10(np.sum(x**2) / c) for c in counts if c]
    excess = [level - 20 * np.log10(c) - 15.9 for level, c in zip(levels, thresholds, strict=False)]
    j = next(j for j, value in enumerate(excess) if value <= 0)
    return float(np.interp(0.0, [excess[j], excess[j - 1]], [levels[j], levels[j - 1]]))


@pytest.mark.parametrize("fs", [8000, 11025])
def test_the_running_maximum_counts_like_the_sample_loop(fs, speechlike):
    for seed in range(3):
        x = speechlike(seed, 1.6)[: int(0.7 * fs)].astype(float)
        assert active_speech_level(x, fs).level_dbov == pytest.approx(plain_p56(x, fs), abs=1e-9)


def test_a_gain_moves_the_level_by_that_gain_also_beyond_full_scale(speechlike):
    x = speechlike(1).astype(float)
    reference = active_speech_level(x, 16000)
    for doublings in (-3, 2, 13, 500):  # a doubling moves the signal from one threshold to the next
        scaled = active_speech_level(np.ldexp(x, doublings), 16000)
        assert scaled.level_dbov - reference.level_dbov == pytest.approx(doublings * 6.0206, abs=0.002)
        assert scaled.activity == pytest.approx(reference.activity, abs=0.001)


@pytest.mark.parametrize("scale", [1e-2, 0.3, 1.0, 7.0, 3e4])
def test_leveling_reads_the_target_whatever_the_level_before(scale, speechlike):
    x = scale * speechlike(1).astype(float)
    gain, before = gain_to_level(x, 16000, target_dbov=-26.0)
    assert active_speech_level(gain * x, 16000).level_dbov == pytest.approx(-26.0, abs=0.002)
    assert before == active_speech_level(x, 16000)


def test_silence_around_speech_does_not_change_its_level(speechlike):
    x = speechlike(2).astype(float)
    padded = np.concatenate([np.zeros(5 * 16000), x, np.zeros(5 * 16000)])
    assert active_speech_level(padded, 16000).level_dbov == pytest.approx(
        active_speech_level(x, 16000).level_dbov, abs=0.02
    )
    assert active_speech_level(padded, 16000).rms_dbov < active_speech_level(x, 16000).rms_dbov - 5


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.zeros(0), NoActiveSpeechError, "no samples"),
        (np.array([0.1, np.nan, np.inf]), ConditionError, "2 of 3 samples are not finite"),
        (np.zeros((2, 100)), ConditionError, "one channel"),
        (np.zeros(100, dtype=np.int16), ConditionError, "divide integers by full scale"),
        (np.eye(1, 16000, 100)[0], NoActiveSpeechError, "no active speech"),
    ],
    ids=["empty", "not finite", "stereo", "integers", "one click"],
)
def test_what_is_not_speech_is_refused_by_name(samples, error, message):
    with pytest.raises(error, match=message):
        active_speech_level(samples, 16000)


def tone_gain_db(frequency_hz: float, weighting: str, fs: int = 16000) -> float:
    x = np.sin(2 * np.pi * frequency_hz * np.arange(2 * fs) / fs)
    middle = slice(fs // 2, fs + fs // 2)
    return 10 * np.log10(np.mean(weight(x, fs, weighting)[middle] ** 2) / np.mean(x[middle] ** 2))


# IEC 61672-1, table of A-weightings at nominal frequencies; each nominal frequency is 10^(n/10) Hz exactly
A_TABLE = {20: -19.1, 21: -16.1, 22: -13.4, 23: -10.9, 24: -8.6, 25: -6.6, 26: -4.8, 27: -3.2, 28: -1.9, 29: -0.8}
A_TABLE |= {30: 0.0, 31: 0.6, 32: 1.0, 33: 1.2, 34: 1.3, 35: 1.2, 36: 1.0, 37: 0.5, 38: -0.1}


@pytest.mark.parametrize(("tenth_decade", "expected_db"), A_TABLE.items())
def test_the_a_weighting_is_that_of_the_standard(tenth_decade, expected_db):
    assert tone_gain_db(10 ** (tenth_decade / 10), "a") == pytest.approx(expected_db, abs=0.1)


@pytest.mark.parametrize(
    ("weighting", "inside_hz", "outside_hz"),
    [("g712", (310, 1000, 3390), (100, 190, 3700, 7000)), ("wb", (105, 1000, 6990), (20, 45, 7500))],
)
def test_a_band_weighting_passes_its_band_only(weighting, inside_hz, outside_hz):
    assert [tone_gain_db(f, weighting) for f in inside_hz] == pytest.approx([0.0] * len(inside_hz), abs=0.05)
    assert max(tone_gain_db(f, weighting) for f in outside_hz) < -40


# speech and white noise through pre-filters: 10 log10 of the band's share of 8 kHz
@pytest.mark.parametrize(("weighting", "expected_db"), [("none", 0.0), ("g712", -3.97), ("wb", -0.6)])
def test_white_noise_keeps_the_share_of_its_power_that_lies_in_the_band(weighting, expected_db):
    noise = np.random.RandomState(0).randn(20 * 16000)
    assert 10 * np.log10(weighted_powers(noise, 16000)[weighting]) == pytest.approx(expected_db, abs=0.15)


def test_powers_from_the_spectrum_equal_powers_of_the_filtered_samples(speechlike):
    x = speechlike(3).astype(float)
    for weighting, power in weighted_powers(x, 16000).items():
        assert power == pytest.approx(np.mean(weight(x, 16000, weighting) ** 2), rel=1e-3)
