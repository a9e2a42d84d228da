"""Confidences of segments add up to those of the clip by tokens, and the worst segment speaks for the other two."""

import math

import pytest

from pipeline.asr.segments import Segment, confidences


def test_log_probability_is_a_mean_over_tokens_not_over_segments() -> None:
    told = confidences([Segment(9, -0.1, 0.2, 1.1), Segment(1, -2.1, 0.9, 0.7)])
    assert told["avg_logprob"] == pytest.approx((9 * -0.1 + 1 * -2.1) / 10)
    assert told["no_speech_prob"] == 0.9
    assert told["compression_ratio"] == 1.1


def test_segments_without_tokens_weigh_alike() -> None:
    assert confidences([Segment(None, -1.0, None, None), Segment(0, -3.0, None, None)])["avg_logprob"] == -2.0


def test_a_segment_that_does_not_tell_has_no_say() -> None:
    told = confidences([Segment(5, None, 0.3, None), Segment(1, -1.0, None, None)])
    assert told == {"avg_logprob": -1.0, "no_speech_prob": 0.3, "compression_ratio": None}


def test_no_segments_tell_nothing() -> None:
    assert set(confidences([]).values()) == {None}


def test_numbers_too_large_to_add_tell_nothing() -> None:
    huge = confidences([Segment(4, -1e308, None, None), Segment(4, -1e308, None, None)])
    assert huge["avg_logprob"] is None
    assert math.isinf(2 * -1e308)
