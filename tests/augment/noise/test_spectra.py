"""The colors of steady noise, against their definitions and against published levels."""

import numpy as np
import pytest

from augment.level import weight, weighting_gain
from augment.noise.spectra import TURNS, hoth_magnitude, shaped_noise
from augment.noise.track import TRACK_SAMPLES, track_powers
from augment.plan import generator, uniform

FS = 16_000

# IEEE 269, room noise after Hoth: density in dB at third-octave centers
HOTH_DB = {
    100: 32.4, 125: 30.9, 160: 29.1, 200: 27.6, 250: 26.0, 315: 24.4, 400: 22.7, 500: 21.1, 630: 19.5, 800: 17.8,
    1000: 16.2, 1250: 14.6, 1600: 12.9, 2000: 11.3, 2500: 9.6, 3150: 7.8, 4000: 5.4, 5000: 2.6, 6300: -1.3, 8000: -6.6,
}  # fmt: skip

# how much better the A-weighted SNR is than with white noise, where all have the same unweighted SNR
A_ADVANTAGE_DB = {"pink": 3.7, "hoth": 6.6, "brown": 16.3, "hum": 13.3}


def density(samples, low_hz, high_hz):
    """Mean power per bin of a whole cycle."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    f = np.fft.rfftfreq(samples.size, 1 / FS)
    return np.mean(spectrum[(f >= low_hz) & (f < min(high_hz, FS / 2))])


@pytest.mark.parametrize(("kind", "slope_db"), [("white", 0.0), ("pink", -3.0103), ("brown", -6.0206)])
def test_a_color_falls_by_its_slope_an_octave_from_20_hz_on(kind, slope_db, track_of, shared_resources):
    samples = track_of(kind, shared_resources).samples
    densities_db = [10 * np.log10(density(samples, low, 2 * low)) for low in (20, 40, 80, 160, 320, 640, 1280, 2560)]
    assert np.diff(densities_db) == pytest.approx([slope_db] * 7, abs=0.05)
    below = density(samples, 5, 15) / density(samples, 20, 20.2)
    assert 10 * np.log10(below) == pytest.approx(0.0, abs=0.1)
    assert abs(np.mean(samples)) < 1e-6


def test_hoth_noise_has_its_level_in_every_third_octave(track_of, shared_resources):
    samples = track_of("hoth", shared_resources).samples
    step = 2 ** (1 / 6)
    measured_db = {f: 10 * np.log10(density(samples, f / step, f * step)) for f in HOTH_DB if f < 8000}
    offset_db = measured_db[1000] - HOTH_DB[1000]
    for f, level_db in measured_db.items():
        assert level_db - offset_db == pytest.approx(HOTH_DB[f], abs=0.5)


def test_the_hoth_table_sums_up_to_50_dba_and_its_ends_hold_beyond_it():
    f = np.arange(0.5, 8000, 1.0)
    total = np.sum(hoth_magnitude(f) ** 2 * weighting_gain(f, "a") ** 2)
    assert 10 * np.log10(total) == pytest.approx(50.0, abs=0.1)
    at = np.array(list(HOTH_DB), dtype=float)
    assert 20 * np.log10(hoth_magnitude(at)) == pytest.approx(list(HOTH_DB.values()), abs=1e-9)
    assert hoth_magnitude([0.0, 20.0]) == pytest.approx(hoth_magnitude([100.0, 100.0]))


def test_what_an_unweighted_snr_hides_is_as_published(track_of, shared_resources):
    """At 10 dB unweighted, brown noise and hum leave far more than 10 dB where the ear listens."""

    def a_re_none_db(kind):
        powers = track_powers(track_of(kind, shared_resources))
        return 10 * np.log10(powers["a"] / powers["none"])

    advantage_db = {kind: a_re_none_db("white") - a_re_none_db(kind) for kind in A_ADVANTAGE_DB}
    assert advantage_db == pytest.approx(A_ADVANTAGE_DB, abs=0.35)


def test_the_speech_really_keeps_that_much_more_a_weighted_snr(step_of, scene, shared_resources, speechlike):
    x = speechlike(1).astype(float)
    here = scene(x, shared_resources, snr_weighting="none")
    got = {}
    for kind in ("white", "hoth", "brown", "hum"):
        planned = {"track": 0, "offset": 0}
        got[kind] = step_of(kind, snr_db=10.0).apply(x, planned, here).snr_db
        assert got[kind]["none"] == pytest.approx(10.0, abs=1e-6)
    assert got["brown"]["a"] - got["white"]["a"] == pytest.approx(16.3, abs=1.5)  # 4 s of rumble are never the average
    assert got["hum"]["a"] - got["white"]["a"] == pytest.approx(13.3, abs=0.35)
    assert min(got["brown"]["a"], got["hum"]["a"]) > 10.0 + 5.0


def test_shaped_noise_has_exactly_the_asked_magnitudes_an_rms_of_one_and_no_dc():
    turns = uniform(generator(1, "test", 0, "phases"), TURNS)
    asked = np.linspace(2.0, 0.1, TURNS)
    cycle = shaped_noise(asked, turns)
    assert cycle.shape == (TRACK_SAMPLES,)
    got = np.abs(np.fft.rfft(cycle))
    assert np.max(np.abs(got[1:-1] / got[1] * asked[1] / asked[1:-1] - 1.0)) < 1e-9
    assert got[0] < 1e-9 * got[1]
    assert np.mean(cycle**2) == pytest.approx(1.0)
    by_function = shaped_noise(lambda f: 2.0 - 1.9 * f / 8000.0, turns)
    assert np.max(np.abs(by_function - cycle)) < 1e-9


def test_steady_noise_is_as_loud_in_every_half_second(track_of, shared_resources):
    for kind in ("white", "hoth"):
        a_weighted = weight(track_of(kind, shared_resources).samples, FS, "a")
        levels_db = 10 * np.log10(np.mean(a_weighted.reshape(60, -1) ** 2, axis=1))
        assert np.ptp(levels_db) < 1.5
