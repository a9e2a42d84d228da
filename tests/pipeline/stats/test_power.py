"""The formulas of a plan, against the published tables and against themselves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.stats.power import (
    Spread,
    accent_change_variance,
    accent_variance,
    change_variance,
    detectable_log_ratio,
    few_paired_words,
    few_words,
    speaker_variance,
    speakers_needed,
)

UTTERANCE_WORDS, LENGTH_CV2, THETA = math.exp(2.6 + 0.5**2 / 2), math.expm1(0.5**2), 2.0
"""of the simulation behind the published tables: log-normal lengths (2.6, .5), negative binomial errors"""


def phi(wer):
    return 1 + wer * UTTERANCE_WORDS * (1 + LENGTH_CV2) / THETA


def spread(wer):
    return Spread(sigma=0.45, phi=phi(wer), slope_sd=0.2, paired_phi=phi(wer))


@pytest.mark.parametrize(
    ("wer", "ratio", "published"),
    [
        (0.1, 1.25, (173, 92, 79)),
        (0.1, 1.5, (52, 29, 25)),
        (0.1, 2.0, (19, 11, 10)),
        (0.2, 1.25, (150, 88, 77)),
        (0.2, 1.5, (46, 28, 24)),
        (0.2, 2.0, (17, 10, 9)),
    ],
)
def test_the_unpaired_formula_gives_the_published_speakers_to_four_percent(wer, ratio, published):
    for words, wanted in zip((62, 310, 930), published, strict=True):
        v = speaker_variance(spread(wer), words, wer)
        assert math.ceil(speakers_needed(ratio, (v, v), power=0.8)) == pytest.approx(wanted, rel=0.04)


@pytest.mark.parametrize(("harm", "published"), [(1.2, (187, 62, 34)), (1.4, (56, 19, 11)), (1.8, (19, 7, 5))])
def test_the_paired_formula_gives_the_published_speakers(harm, published):
    # WER .2 in the reference condition and 1.8 times that in the other one, errors of the two drawn anew
    for words, wanted in zip((77, 310, 930), published, strict=True):
        v = 0.2**2 + phi(0.2) / (words * 0.2) + phi(0.36) / (words * 0.36)
        assert math.ceil(speakers_needed(harm, (v, v), power=0.8)) == pytest.approx(wanted, abs=1)


def test_the_change_of_a_speaker_loses_the_speakers_own_level():
    given = Spread(sigma=3.0, phi=4.0, slope_sd=0.2, paired_phi=2.0)
    assert change_variance(given, 100, 0.2, 0.4) == pytest.approx(0.04 + 2 / 20 + 2 / 40)


def test_beyond_a_few_hundred_words_a_speaker_only_speakers_help():
    v = [speaker_variance(spread(0.2), words, 0.2) for words in (310, 3100)]
    few, many = (speakers_needed(1.25, (one, one), power=0.8) for one in v)
    assert few / many < 1.2


def test_a_formula_that_counts_words_alone_would_ask_for_far_too_little():
    # published: 1,419 words an accent at WER .2 and a ratio of 1.25, which 88 speakers of 310 words exceed nineteenfold
    words = 2 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 / (0.2 * math.log(1.25) ** 2)
    v = speaker_variance(spread(0.2), 310, 0.2)
    assert speakers_needed(1.25, (v, v), power=0.8) * 310 > 15 * words


def test_speakers_who_all_say_as_much_have_the_variance_of_the_formula_over_their_number():
    words = np.full(12, 200)
    given = spread(0.2)
    assert accent_variance(given, words, 0.2) == pytest.approx(speaker_variance(given, 200, 0.2) / 12)
    few = np.full(12, 80)
    assert accent_variance(given, few, 0.2) == pytest.approx(1.1 * speaker_variance(given, 80, 0.2) / 12)
    changed = change_variance(given, 80, 0.2, 0.3)
    assert accent_change_variance(given, few, 0.2, 0.3) == pytest.approx(1.2 * changed / 12)


def test_a_speaker_who_says_most_of_the_words_makes_log_wer_less_certain():
    even, uneven = np.full(10, 100), np.array([910] + [10] * 9)
    assert even.sum() == uneven.sum()
    assert accent_variance(spread(0.2), uneven, 0.2) > 4 * accent_variance(spread(0.2), even, 0.2)


def test_the_corrections_begin_where_the_specification_says():
    assert [few_words(n) for n in (99, 100)] == [1.1, 1.0]
    assert [few_paired_words(n) for n in (399, 400)] == [1.2, 1.0]


@given(ratio=st.floats(1.05, 5), v=st.floats(0.01, 5), power=st.floats(0.5, 0.99), alpha=st.floats(0.0001, 0.2))
def test_what_is_needed_is_exactly_what_detects(ratio, v, power, alpha):
    k = speakers_needed(ratio, (v, v), power=power, alpha=alpha)
    if k <= 1.5 or math.isinf(k):
        return
    error = math.sqrt(2 * v / k)
    found = detectable_log_ratio(error, 2 * k - 2, power=power, alpha=alpha)
    assert found == pytest.approx(math.log(ratio), rel=1e-3)


@given(ratio=st.floats(1.05, 3), v=st.floats(0.01, 5), power=st.floats(0.5, 0.9))
def test_more_power_smaller_ratios_and_more_scatter_need_more_speakers(ratio, v, power):
    base = speakers_needed(ratio, (v, v), power=power)
    assert speakers_needed(ratio, (v, v), power=power + 0.05) >= base
    assert speakers_needed(ratio * 1.1, (v, v), power=power) <= base
    assert speakers_needed(ratio, (v, 2 * v), power=power) >= base


def test_an_effect_of_almost_nothing_cannot_be_reached():
    assert math.isinf(speakers_needed(1.000001, (1.0, 1.0), power=0.8))
