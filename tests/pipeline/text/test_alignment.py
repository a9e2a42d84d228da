"""Golden counts worked by hand, and what must hold for any two texts."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import ErrorCounts
from pipeline.text.alignment import count_characters, count_errors

words = st.lists(st.sampled_from(["a", "b", "c", "null", "é"]), max_size=12)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("seven two nine", "seven two nine", ErrorCounts(3, 0, 0, 0)),
        ("seven two nine", "seven to nine", ErrorCounts(2, 1, 0, 0)),
        ("seven a three", "seven b three", ErrorCounts(2, 1, 0, 0)),
        ("the cat sat", "the sat", ErrorCounts(2, 0, 1, 0)),
        ("the cat sat", "the the cat sat", ErrorCounts(3, 0, 0, 1)),
        ("a b c", "", ErrorCounts(0, 0, 3, 0)),
        ("", "hello world", ErrorCounts(0, 0, 0, 2)),
        ("", "", ErrorCounts(0, 0, 0, 0)),
        ("none", "null", ErrorCounts(0, 1, 0, 0)),
    ],
)
def test_counts_agree_with_an_alignment_by_hand(reference: str, hypothesis: str, expected: ErrorCounts) -> None:
    assert count_errors(reference, hypothesis) == expected


@given(words, words)
def test_the_words_of_both_texts_are_accounted_for(reference: list[str], hypothesis: list[str]) -> None:
    counts = count_errors(" ".join(reference), " ".join(hypothesis))
    assert counts.ref_words == len(reference)
    assert counts.hyp_words == len(hypothesis)


@given(words, words)
def test_the_errors_are_the_levenshtein_distance(reference: list[str], hypothesis: list[str]) -> None:
    row = list(range(len(hypothesis) + 1))
    for i, ref_word in enumerate(reference, 1):
        previous, row = row, [i]
        for j, hyp_word in enumerate(hypothesis, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (ref_word != hyp_word)))
    assert count_errors(" ".join(reference), " ".join(hypothesis)).errors == row[-1]


@given(words)
def test_the_rate_is_zero_for_equal_texts(reference: list[str]) -> None:
    assert count_errors(" ".join(reference), " ".join(reference)).errors == 0


@given(words.filter(bool), words)
def test_characters_are_counted_as_jiwer_counts_them_and_a_space_is_one(
    reference: list[str], hypothesis: list[str]
) -> None:
    characters, errors = count_characters(" ".join(reference), " ".join(hypothesis))
    out = jiwer.process_characters(" ".join(reference), " ".join(hypothesis))
    assert characters == out.hits + out.substitutions + out.deletions
    assert errors == out.substitutions + out.deletions + out.insertions


def test_a_word_that_was_split_costs_one_character() -> None:
    assert count_characters("everyday life", "every day life") == (13, 1)
