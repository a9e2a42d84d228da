"""What is heard where packets are missing."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augment.errors import ConditionError
from augment.loss.concealment import conceal
from augment.loss.pattern import LossSettings, lost_packets, plan_losses

HOWS = ["pitch", "repeat", "zero"]


def voiced(frequency_hz, fs, seconds=0.4):
    """Harmonics with the phases of no particular place, up to 3 kHz."""
    t = np.arange(round(seconds * fs)) / fs
    return sum(0.1 / k * np.sin(2 * np.pi * frequency_hz * k * t + k * k) for k in range(1, int(3000 / frequency_hz)))


def losing(packets, *lost):
    mask = np.zeros(packets, dtype=bool)
    mask[list(lost)] = True
    return mask


def bridged(x, fs, *lost, packet_ms=20, how="pitch"):
    packet = fs * packet_ms // 1000
    mask = losing(-(-x.size // packet), *lost)
    return conceal(x, mask, packet_samples=packet, sample_rate_hz=fs, how=how)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.parametrize("fs", [8000, 16000])
@pytest.mark.parametrize("frequency_hz", [80, 100, 125, 160, 200, 250, 320])
def test_a_steady_voice_goes_on_through_a_loss_of_10_ms(frequency_hz, fs):
    x = voiced(frequency_hz, fs)
    y = bridged(x, fs, 20, packet_ms=10)
    hole = slice(fs // 5, fs // 5 + fs // 100)
    # the period is found to a whole sample: at most half a sample off at the upper harmonics
    assert rms(y[hole] - x[hole]) < 0.1 * rms(x[hole])


@pytest.mark.parametrize("frequency_hz", [70, 90, 100, 150, 190, 240, 310])
@pytest.mark.parametrize("fs", [8000, 16000])
def test_what_is_repeated_is_one_or_more_pitch_periods(frequency_hz, fs):
    y = bridged(voiced(frequency_hz, fs), fs, 10, 11)
    time_s = np.arange(fs // 25) / fs
    filling = y[fs // 5 :][: time_s.size] / np.minimum(1.0, (0.06 - time_s) / 0.05)  # the fade undone
    lags = range(fs // 200, fs * 3 // 200 + 1)
    repeated = next(lag for lag in lags if np.allclose(filling[lag:], filling[:-lag]))
    period = fs / frequency_hz
    assert abs(repeated - period * round(repeated / period)) < 1.0


@pytest.mark.parametrize("how", ["pitch", "repeat"])
def test_a_long_loss_is_full_for_10_ms_fades_and_is_silent_from_60_ms_on(how):
    fs = 16000
    x = voiced(100, fs, 0.8)  # 10 ms periods: each sees one gain
    y = bridged(x, fs, *range(20, 26), how=how)  # 400 to 520 ms
    level = rms(x[: fs // 100])
    envelope = [rms(y[start : start + fs // 100]) / level for start in range(6400, 8320, fs // 100)]
    assert envelope[0] == pytest.approx(1.0, abs=0.01)
    assert envelope[1:6] == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1], abs=0.04)
    assert np.count_nonzero(y[7360:8320]) == 0


@pytest.mark.parametrize("fs", [8000, 16000])
def test_received_signal_changes_only_within_3_75_ms_of_a_loss(fs):
    x = voiced(130, fs)
    y = bridged(x, fs, 8, 9, 14)
    changed = np.flatnonzero(y != x) / fs
    near = ((changed >= 0.16 - 0.00375) & (changed < 0.2 + 0.00375)) | (
        (changed >= 0.28 - 0.00375) & (changed < 0.3 + 0.00375)
    )
    assert np.all(near)


@pytest.mark.parametrize("how", ["repeat", "zero"])
def test_repeat_and_zero_leave_received_packets_alone(how):
    x = voiced(130, 16000)
    y = bridged(x, 16000, 8, 9, 14, how=how)
    kept = np.repeat(~losing(20, 8, 9, 14), 320)
    assert np.array_equal(y[kept], x[kept])
    assert not np.array_equal(y[~kept], x[~kept])


def test_the_first_packet_after_a_loss_fades_in_over_3_75_ms():
    fs = 16000
    x = np.where(np.arange(6400) < 3200, 0.0, 0.5)  # silence, then a packet that comes after the loss
    y = bridged(x, fs, 9)
    assert np.allclose(y[3200:3260], 0.5 * np.arange(1, 61) / 61)
    assert np.array_equal(y[3260:], x[3260:])


@pytest.mark.parametrize("seed", range(4))
def test_a_pitch_bridge_makes_no_step_even_in_a_signal_without_pitch(seed):
    x = np.convolve(np.random.RandomState(seed).randn(64_000), np.hanning(64), mode="same")  # smooth, and never repeats
    lost = np.arange(200) % 5 == 4
    edges = np.flatnonzero(np.diff(lost.astype(int))) * 320 + 320
    largest = {
        how: np.abs(np.diff(conceal(x, lost, packet_samples=320, sample_rate_hz=16_000, how=how)))[edges - 1].max()
        for how in HOWS
    }
    assert largest["pitch"] <= np.abs(np.diff(x)).max()
    assert min(largest["zero"], largest["repeat"]) > 4 * np.abs(np.diff(x)).max()


@pytest.mark.parametrize("seed", range(4))
def test_repeating_the_pitch_is_nearer_to_what_was_lost_than_nothing_is(seed, speechlike):
    x = speechlike(seed, 4.0).astype(float)
    lost = lost_packets(plan_losses(LossSettings(rate=0.2, mean_burst=2), seed=1, slot=seed, packets=200), 200)
    error = {how: rms(conceal(x, lost, packet_samples=320, sample_rate_hz=16_000, how=how) - x) for how in HOWS}
    assert error["pitch"] < 0.9 * error["zero"]


def test_repeat_plays_the_last_packet_again():
    x = np.random.RandomState(0).randn(3200)
    y = bridged(x, 16000, 4, 5, 9, how="repeat")
    assert np.array_equal(y[1280:1440], x[960:1120])  # 10 ms at full gain
    assert np.allclose(y[1600:1920], x[960:1280] * np.linspace(0.8, 0.4, 320, endpoint=False))
    assert np.array_equal(y[2880:3040], x[2560:2720])


def test_zero_plays_nothing():
    y = bridged(np.ones(3200), 16000, 4, 5, 9, how="zero")
    assert np.flatnonzero(y == 0.0).tolist() == [*range(1280, 1920), *range(2880, 3200)]


@pytest.mark.parametrize("how", HOWS)
def test_before_anything_was_heard_there_is_nothing_to_repeat(how):
    y = bridged(voiced(100, 16000), 16000, 0, 1, how=how)
    assert np.count_nonzero(y[:640]) == 0
    assert np.any(y[640:700])


@pytest.mark.parametrize("how", HOWS)
def test_what_was_in_a_lost_packet_is_never_looked_at(how):
    x = voiced(110, 16000)
    spoiled = x.copy()
    mask = losing(20, 0, 3, 4, 5, 11, 19)
    spoiled[np.repeat(mask, 320)] = np.nan
    clean, blind = (conceal(s, mask, packet_samples=320, sample_rate_hz=16000, how=how) for s in (x, spoiled))
    assert np.array_equal(clean, blind)


@pytest.mark.parametrize("how", HOWS)
def test_the_input_is_not_written_to_and_returned_itself_when_nothing_is_lost(how):
    x = voiced(110, 16000)
    x.setflags(write=False)
    bridged(x, 16000, 5, how=how)
    assert bridged(x, 16000, how=how) is x


def test_silence_is_concealed_with_silence():
    for how in HOWS:
        assert np.count_nonzero(bridged(np.zeros(3200), 16000, 3, 4, how=how)) == 0


def test_a_mask_for_another_length_is_refused():
    with pytest.raises(
        ConditionError, match="961 samples are 4 packets of 320, but losses are planned for 3: plan again"
    ):
        conceal(np.zeros(961), losing(3, 1), packet_samples=320, sample_rate_hz=16000, how="zero")


@given(
    length=st.integers(400, 48_000),
    scale=st.sampled_from([0.0, 1e-9, 1.0, 1e6]),
    packet_ms=st.sampled_from([5, 10, 20, 60, 120]),
    rate=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
    fs=st.sampled_from([8000, 16000]),
    how=st.sampled_from(HOWS),
)
@settings(max_examples=60, deadline=None)
@example(length=120 * 16_000, scale=1.0, packet_ms=20, rate=0.2, seed=1, fs=16_000, how="pitch")
def test_any_signal_comes_back_finite_and_as_long(length, scale, packet_ms, rate, seed, fs, how):
    rng = np.random.RandomState(seed)
    x = scale * rng.randn(length)
    packet = fs * packet_ms // 1000
    lost = rng.rand(-(-length // packet)) < rate
    y = conceal(x, lost, packet_samples=packet, sample_rate_hz=fs, how=how)
    assert y.shape == x.shape
    assert np.all(np.isfinite(y))
    assert np.abs(y).max() <= np.abs(x).max() * (1 + 1e-12)
