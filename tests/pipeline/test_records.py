"""Counts add up; rates never do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import ErrorCounts, significance_level

counts = st.builds(ErrorCounts, *(st.integers(0, 10_000) for _ in range(4)))


@given(counts, counts, counts)
def test_counts_are_associative_and_commutative_with_zero(a: ErrorCounts, b: ErrorCounts, c: ErrorCounts) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + ErrorCounts.zero() == a


@given(st.lists(counts, min_size=1))
def test_the_pooled_rate_is_the_rate_of_the_summed_counts(several: list[ErrorCounts]) -> None:
    errors, words = sum(one.errors for one in several), sum(one.ref_words for one in several)
    assert sum(several, start=ErrorCounts.zero()).wer == (errors / words if words else None)


def test_the_rate_without_reference_words_is_undefined_and_not_zero() -> None:
    assert ErrorCounts(0, 0, 0, 3).wer is None
    assert ErrorCounts(0, 0, 0, 3).f1 is None


def test_the_rate_may_exceed_one() -> None:
    assert ErrorCounts(1, 0, 0, 28).wer == 28


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    counts = ErrorCounts(hits=6, substitutions=1, deletions=3, insertions=1)
    precision, recall = 6 / 8, 6 / 10
    assert counts.f1 == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("bad", [-1, 0.5, True, None, "1"])
def test_a_count_that_is_no_count_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="non-negative integer"):
        ErrorCounts(0, bad, 0, 0)  # type: ignore[arg-type]


def test_there_is_no_way_to_divide_or_average_counts() -> None:
    with pytest.raises(TypeError):
        ErrorCounts(1, 1, 1, 1) / 2  # type: ignore[operator]


@pytest.mark.parametrize(("confidence", "level"), [(0.95, 0.05), (0.9, 0.1), (0.99, 0.01)])
def test_a_p_that_equals_the_level_is_not_below_it(confidence: float, level: float) -> None:
    assert not level < significance_level(confidence)
    assert level - 1e-9 < significance_level(confidence)
