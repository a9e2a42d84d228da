"""What is measured of a response, and what it does to samples."""

import numpy as np
import pytest

from augment.rooms.room import measured

FS = 16_000


def decay(rt60_s, length_s, seed=0, direct=1.0, level=0.05):
    """A direct sound and exponentially decaying Gaussian noise."""
    t = np.arange(round(length_s * FS)) / FS
    tail = level * np.random.RandomState(seed).randn(t.size) * 10 ** (-3 * t / rt60_s)
    return np.concatenate([[direct], np.zeros(39), tail])


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("direct", [0.1, 1.0, 30.0])
def test_the_direct_sound_has_no_part_in_the_reverberation_time(rt60_s, direct):
    assert measured(decay(rt60_s, 1.3 * rt60_s, direct=direct), direct_samples=40).rt60_s == pytest.approx(
        rt60_s, rel=0.05
    )


def test_the_ratio_is_of_energies():
    response = np.array([0.6, 0.8, 0.0, 0.3, -0.4])
    assert measured(response, direct_samples=2).drr_db == pytest.approx(10 * np.log10(1 / 0.25))
    assert measured(response, direct_samples=4).drr_db == pytest.approx(10 * np.log10(1.09 / 0.16))


@pytest.mark.parametrize("noise_db", [-40, -50, -60, -90])
def test_noise_of_the_recording_does_not_pass_for_reverberation(noise_db):
    # a decay of 0.5 s in two seconds of recording; -40 dB is where it would disappear in the noise after 0.33 s
    response = decay(0.5, 2.0)
    response[40:] += 0.05 * 10 ** (noise_db / 20) * np.random.RandomState(9).randn(response.size - 40)
    rt60_s = measured(response, direct_samples=40).rt60_s
    assert rt60_s == pytest.approx(0.5, rel=0.08) or (rt60_s is None and noise_db == -40)


@pytest.mark.parametrize("seed", range(20))
def test_stationary_noise_has_no_reverberation_time(seed):
    assert measured(np.random.RandomState(seed).randn(FS), direct_samples=40).rt60_s is None


@pytest.mark.parametrize("response", [[1.0], [1.0, 0.0, 0.0], [*([0.1] * 40)], [1.0] + 39 * [0.0] + [0.5]])
def test_what_has_no_decay_has_no_reverberation_time(response):
    assert measured(np.array(response), direct_samples=40).rt60_s is None
    assert (measured(np.array(response), direct_samples=40).drr_db is None) == (len(response) <= 40)


@pytest.mark.parametrize("length", [1, 2, 39, 800, 4000, 16001])
def test_what_is_heard_is_the_convolution_up_to_the_end_of_the_clip(length):
    response = measured(decay(0.1, 0.125), direct_samples=40)
    x = np.random.RandomState(length).randn(length)
    heard = response.applied(x)
    assert heard.shape == x.shape
    assert heard == pytest.approx(np.convolve(x, response.samples)[:length], abs=1e-12)


def test_the_direct_sound_is_not_delayed_and_nothing_is_heard_before_it():
    response = measured(decay(0.3, 0.4), direct_samples=40)
    impulse = np.zeros(12_000)
    impulse[5000] = 0.5
    heard = response.applied(impulse)
    assert np.max(np.abs(heard[:5000])) < 1e-15
    assert heard[5000:] == pytest.approx(0.5 * np.pad(response.samples, (0, 7000))[:7000], abs=1e-14)


@pytest.mark.parametrize("zeros", [0, 1, 5000])
def test_a_unit_impulse_gives_back_the_very_samples(zeros):
    x = np.random.RandomState(2).randn(3000)
    assert measured(np.array([1.0] + zeros * [0.0]), direct_samples=1).applied(x) is x


def test_a_response_cannot_be_changed_by_who_has_it():
    response = measured(decay(0.3, 0.4), direct_samples=40)
    with pytest.raises(ValueError, match="read-only"):
        response.samples[0] = 2.0
