"""Speech-shaped noise: the spectrum of the pool, in which every accent weighs the same."""

import zlib
from collections import Counter

import numpy as np
import pytest

from augment.errors import ConditionError
from augment.noise.speech_shaped import SpeechShaped, SpeechShapedSettings
from augment.resources import Resources, Talker, TalkerRecording
from augment.step import PlanInput

FS = 16_000
LOW, HIGH = (300, 600), (2500, 3500)
TARGET = PlanInput("u", "outsider", FS)


def in_band(seed, band, duration_s=1.5):
    """Noise of one band, in bursts of four a second, with as much silence as sound."""
    x = np.random.RandomState(seed).randn(round(duration_s * FS))
    spectrum = np.fft.rfft(x)
    f = np.fft.rfftfreq(x.size, 1 / FS)
    spectrum[(f < band[0]) | (f > band[1])] = 0.0
    bursts = np.sin(2 * np.pi * 4 * np.arange(x.size) / FS) > 0
    return (0.2 * np.fft.irfft(spectrum, x.size) * bursts).astype(np.float32)


def power(track, band):
    spectrum = np.abs(np.fft.rfft(track.samples.astype(float))) ** 2
    f = np.fft.rfftfreq(track.samples.size, 1 / FS)
    return spectrum[(f >= band[0] - 50) & (f <= band[1] + 50)].sum()


@pytest.fixture
def shaped():
    return SpeechShaped(SpeechShapedSettings(), "speech_shaped")


def track(source, resources, slot=0):
    return source.track(source.plan(TARGET, slot, resources), resources)


def test_an_accent_with_one_recording_weighs_as_much_as_one_with_thirty(shaped, recording):
    few = [Talker("a-1", "a", "a-1", (recording(in_band(0, LOW)),))]
    many = [
        Talker(f"b-{t}", "b", f"b-{t}", tuple(recording(in_band(100 + 10 * t + n, HIGH)) for n in range(3)))
        for t in range(10)
    ]
    made = track(shaped, Resources(1, 4, [*few, *many]))
    assert 10 * np.log10(power(made, LOW) / power(made, HIGH)) == pytest.approx(0.0, abs=0.2)
    assert power(made, LOW) + power(made, HIGH) > 0.98 * power(made, (50, 7950))


def test_a_hesitant_talker_weighs_as_much_as_a_fluent_one(shaped, recording):
    fluent, hesitant = in_band(1, LOW), np.concatenate([in_band(2, HIGH), np.zeros(6 * FS, np.float32)])
    pool = [Talker("a", "x", "a", (recording(fluent),)), Talker("b", "x", "b", (recording(hesitant),))]
    made = track(shaped, Resources(1, 4, pool))
    assert 10 * np.log10(power(made, LOW) / power(made, HIGH)) == pytest.approx(0.0, abs=0.2)


def test_the_noise_has_the_spectrum_of_the_pool(shaped, shared_resources):
    made = track(shaped, shared_resources).samples.astype(float)
    pool = [
        shared_resources.recording(one).astype(float)
        for talker in shared_resources.talkers
        for one in talker.recordings
    ]
    octaves = [(125 * 2**n, 250 * 2**n) for n in range(5)]

    def shares(x):
        spectrum = np.abs(np.fft.rfft(x)) ** 2
        f = np.fft.rfftfreq(x.size, 1 / FS)
        return np.array([spectrum[(f >= low) & (f < high)].sum() / spectrum.sum() for low, high in octaves])

    expected = np.mean([shares(x) for x in pool], axis=0)
    assert 10 * np.log10(shares(made) / expected) == pytest.approx([0.0] * 5, abs=1.0)  # 64 ms blur the partials


def counted(counts, talker_id, number):
    samples = in_band(zlib.crc32(f"{talker_id} {number}".encode()), LOW, 0.3)

    def load():
        counts[talker_id] += 1
        return samples

    return TalkerRecording(f"{talker_id} {number}", load)


@pytest.mark.parametrize(("talkers", "recordings"), [(40, 2), (2, 40)])
def test_thirty_two_recordings_an_accent_are_read_dealt_over_its_talkers(shaped, talkers, recordings):
    counts = Counter()
    pool = [
        Talker(f"t{t}", "a", f"t{t}", tuple(counted(counts, f"t{t}", n) for n in range(recordings)))
        for t in range(talkers)
    ]
    resources = Resources(1, 4, pool)
    track(shaped, resources, 0)
    track(shaped, resources, 1)
    assert sum(counts.values()) == 32  # once, for all slots
    assert max(counts.values()) == max(1, 32 // talkers)


def test_the_order_of_the_pool_and_of_its_recordings_changes_nothing(shaped, crossed_pool):
    turned = [Talker(t.talker_id, t.accent, t.group, t.recordings[::-1]) for t in reversed(crossed_pool)]
    one, other = (track(shaped, Resources(1, 4, pool)) for pool in (crossed_pool, turned))
    assert np.array_equal(one.samples, other.samples)


def test_slots_share_the_spectrum_and_no_target_is_kept_from_its_own_accent(shaped, shared_resources):
    one, other = (np.abs(np.fft.rfft(track(shaped, shared_resources, slot).samples)) for slot in (1, 2))
    assert np.max(np.abs(one - other)) < 1e-4 * np.max(one)
    plans = [shaped.plan(PlanInput("u", group, FS), 3, shared_resources) for group in ("v0", "v1", "outsider")]
    assert plans[0] == plans[1] == plans[2]
    assert plans[0]["track"] == 3


def test_other_talkers_than_planned_are_refused(shaped, crossed_pool):
    planned = shaped.plan(TARGET, 0, Resources(1, 4, crossed_pool))
    with pytest.raises(ConditionError, match="planned with other talkers than are here: plan again"):
        shaped.track(planned, Resources(1, 4, crossed_pool[:-1]))


def test_without_talkers_it_is_refused_before_anything_is_planned(shaped):
    with pytest.raises(ConditionError, match="there are none: load a corpus with audio"):
        shaped.check(Resources(1, 4))


def test_an_accent_without_active_speech_is_named(shaped, crossed_pool, recording):
    mute = Talker("m", "mumbled", "m", (recording(np.zeros(FS, np.float32)),))
    with pytest.raises(ConditionError, match="accent 'mumbled' has no recording with active speech among 1"):
        track(shaped, Resources(1, 4, [*crossed_pool, mute]))


def test_recordings_shorter_than_the_analysis_window_count_too(shaped, recording):
    pool = [Talker("a", "x", "a", (recording(in_band(1, LOW, 0.063)), recording(in_band(2, LOW))))]
    made = track(shaped, Resources(1, 4, pool))
    assert power(made, LOW) > 0.9 * power(made, (50, 7950))
