"""Added silence: where it goes, how loud it is, and that the utterance itself is not touched."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.errors import NoActiveSpeechError
from augment.resources import Resources
from augment.silence import Silence
from augment.source import Speech
from augment.step import Acoustics, Law, PlanInput, Scene, Stage

FS = 16_000


def silence(**values):
    return Silence(Silence.Settings.model_validate(values))


@pytest.fixture(scope="module")
def pool():
    """Kept over the file, so that a slot's noise is made once."""
    return Resources(20261122, 8)


def applied(step, x, resources, *, slot=2, speech=None):
    planned = step.plan(PlanInput("u", "v", x.size), slot, resources)
    here = Scene(Acoustics(), resources, Speech(x if speech is None else speech))
    return step.apply(x, planned, here)


def words(*intervals_s, seconds=4.0):
    """Noise that speaks during the intervals, over a quiet floor."""
    rng = np.random.RandomState(7)
    t = np.arange(round(seconds * FS)) / FS
    on = sum(((t >= begin) & (t < end)).astype(float) for begin, end in intervals_s)
    return (0.1 * on + 1e-5) * rng.randn(t.size)


def rms_dbov(x):
    return 10 * np.log10(np.mean(np.square(x)))


def test_three_seconds_before_and_after_and_two_in_the_longest_pause(pool):
    x = words((0.5, 1.2), (1.7, 2.3), (3.1, 3.6))
    step = silence(before_s=3, after_s=3, gap_s=2)
    effect = applied(step, x, pool)
    assert effect.samples.size == step.length_out(x.size) == x.size + 8 * FS
    # the pause lasts from 2.3 to 3.1 s; P.56 follows the end of a word about 0.1 s late
    at_s = effect.realised["gap_at_s"]
    assert at_s == pytest.approx(2.75, abs=0.06)
    assert effect.realised["gap_in"] == "pause"
    assert effect.realised["pause_s"] == pytest.approx(0.8, abs=0.1)
    at = round(at_s * FS)
    y = effect.samples
    kept = np.concatenate([y[3 * FS : 3 * FS + at], y[5 * FS + at : -3 * FS]])
    assert np.array_equal(kept, x)


@pytest.mark.parametrize("floor_dbov", [-70.0, -50.0])
def test_what_is_added_has_the_stated_level_and_the_color_of_a_room(floor_dbov, pool):
    x = words((0.5, 3.5))
    y = applied(silence(before_s=10, floor_dbov=floor_dbov), x, pool).samples[: 10 * FS]
    assert rms_dbov(y) == pytest.approx(floor_dbov, abs=1e-6)
    power = np.abs(np.fft.rfft(y)) ** 2
    f = np.fft.rfftfreq(y.size, 1 / FS)
    # IEEE 269: density in dB/Hz at third-octave centers
    hoth = {125: 30.9, 250: 26.0, 500: 21.1, 1000: 16.2, 2000: 11.3, 4000: 5.4}
    density = {c: 10 * np.log10(np.mean(power[(f > c / 1.1) & (f < c * 1.1)])) for c in hoth}
    assert [density[c] - density[1000] for c in hoth] == pytest.approx([hoth[c] - 16.2 for c in hoth], abs=1.0)


def test_nothing_added_gives_the_very_samples_back(pool):
    x = words((0.5, 3.5))
    step = silence(before_s=0, after_s=0, gap_s=0)
    assert applied(step, x, pool).samples is x
    assert step.length_out(x.size) == x.size


def test_speech_without_a_pause_is_parted_where_it_is_quietest_and_that_is_recorded(pool):
    rng = np.random.RandomState(3)
    t = np.arange(3 * FS) / FS
    dip = 1.0 - 0.9 * np.exp(-(((t - 1.7) / 0.03) ** 2))  # too short to be a pause
    x = 0.1 * dip * rng.randn(t.size)
    effect = applied(silence(gap_s=1), x, pool)
    assert effect.realised["gap_in"] == "quietest_50ms"
    assert effect.realised["gap_at_s"] == pytest.approx(1.7, abs=0.02)
    assert "pause_s" not in effect.realised


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5])
def test_the_shortest_utterances_are_parted_inside(seconds, pool):
    x = 0.5 * np.random.RandomState(0).randn(round(seconds * FS))
    effect = applied(silence(gap_s=0.5), x, pool)
    assert effect.samples.size == x.size + FS // 2
    assert 0 < effect.realised["gap_at_s"] < seconds


def test_a_gap_never_goes_before_the_first_word_or_behind_the_last(pool):
    x = words((2.0, 2.8), (3.1, 3.9), seconds=8.0)  # 2 s and 4 s of quiet around, 0.3 s inside
    at_s = applied(silence(gap_s=1), x, pool).realised["gap_at_s"]
    assert at_s == pytest.approx(2.98, abs=0.06)


def test_places_come_from_the_talker_and_not_from_what_is_mixed_in(pool):
    speech = words((0.5, 1.2), (2.0, 3.5))
    step = silence(before_s=1, gap_s=1)
    alone = applied(step, speech, pool)
    for samples in (speech + 0.2 * np.random.RandomState(1).randn(speech.size), np.zeros_like(speech)):
        effect = applied(step, samples, pool, speech=speech)
        assert effect.realised == alone.realised
        # beside what is added, the difference is the difference that went in
        at = FS + round(alone.realised["gap_at_s"] * FS)
        taken = np.concatenate([np.arange(FS, at), np.arange(at + FS, effect.samples.size)])
        assert np.array_equal(effect.samples[taken], samples)
        assert np.array_equal(effect.samples[:FS], alone.samples[:FS])


def test_a_slot_adds_the_same_noise_to_everyone_and_another_slot_another(pool):
    step = silence(before_s=1)
    one, other = (applied(step, words((0.5, end), seconds=seconds), pool).samples for end, seconds in ((2, 3), (3, 5)))
    assert np.array_equal(one[:FS], other[:FS])
    assert not np.array_equal(applied(step, words((0.5, 2)), pool, slot=3).samples[:FS], one[:FS])
    again = applied(step, words((0.5, 2)), Resources(20261122, 32)).samples
    assert np.array_equal(again[:FS], one[:FS])


def test_the_plan_is_a_track_and_an_offset(pool):
    planned = silence(before_s=3).plan(PlanInput("u", "v", FS), 5, pool)
    assert planned["track"] == 5
    assert set(planned) == {"track", "offset"}
    assert all(type(value) is int for value in planned.values())


def test_without_speech_there_is_no_pause_to_find_and_none_is_needed_outside(pool):
    for x in (np.zeros(FS), 0.1 * np.random.RandomState(0).randn(800)):  # 50 ms are no speech to P.56
        assert applied(silence(before_s=1), x, pool).samples.size == FS + x.size
        with pytest.raises(NoActiveSpeechError, match="no active speech is left in which to find a pause"):
            applied(silence(gap_s=1), x, pool)


@pytest.mark.parametrize(
    "values", [{"before_s": -1}, {"after_s": 61}, {"gap_s": "long"}, {"floor_dbov": -20}, {"floor_dbov": -100}]
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(ValidationError, match=next(iter(values))):
        Silence.Settings.model_validate(values)


def test_it_comes_first_and_can_be_followed():
    assert (silence().stage, silence().law) == (Stage.SILENCE, Law.LINEAR)


@given(
    length=st.integers(800, 40_000),
    before_s=st.floats(0, 2),
    after_s=st.floats(0, 40),
    gap_s=st.floats(0, 2),
    scale=st.sampled_from([1e-2, 1.0, 1e4]),
    seed=st.integers(0, 99),
)
@example(length=120 * FS, before_s=3.0, after_s=3.0, gap_s=2.0, scale=1.0, seed=0)
@settings(max_examples=30, deadline=None)
def test_any_finite_input_comes_out_finite_and_exactly_as_long_as_declared(
    length, before_s, after_s, gap_s, scale, seed, pool
):
    rng = np.random.RandomState(seed)
    x = scale * rng.randn(length) * np.repeat(rng.rand(-(-length // 2000)) > 0.4, 2000)[:length]
    x[:800] = scale * rng.randn(800)  # someone speaks
    step = silence(before_s=before_s, after_s=after_s, gap_s=gap_s)
    try:
        y = applied(step, x, pool).samples
    except NoActiveSpeechError:
        assert gap_s > 0
        return
    assert y.shape == (step.length_out(length),)
    assert np.all(np.isfinite(y))
