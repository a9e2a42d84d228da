"""What is counted in texts, by hand."""

import math

import pytest

from pipeline.text.difficulty import collect, difficulty, expected_types, spelled_letters


@pytest.mark.parametrize(("text", "letters"), [
    ("A L I N A", 5),
    ("I saw a cat", 0),
    ("my name is J. Smith", 1),
    ("the B.B.C. said so", 1),
    ("vitamin C, o clock", 2),
    ("zero 7 8", 0),
])  # fmt: skip
def test_letters_that_are_spelled_out_are_told_from_words_of_one_letter(text: str, letters: int) -> None:
    assert spelled_letters(text.split()) == letters


def test_each_group_is_counted_by_its_own_texts() -> None:
    rows = [
        ("north", "Call 12 now", "call 12 now"),
        ("north", "The boat", "the boat"),
        ("south", "The boat", "the boat"),
        ("south", "the boat", "the boat"),
    ]
    north, south, everybody = difficulty(collect(rows), pooled="ALL", known={"the", "call", "now"})
    assert (north["n_texts"], north["shared_share"], north["own_word_share"]) == (2, 0.5, 3 / 5)
    assert (south["n_texts"], south["shared_share"], south["own_word_share"]) == (1, 1.0, 0.0)
    assert north["digit_share"] == 1 / 5
    assert (north["out_of_list_share"], south["out_of_list_share"]) == (2 / 5, 2 / 4)
    assert north["words_per_utterance"] == 2.5
    assert north["drawn_words"] == south["drawn_words"] == 4
    assert (everybody["accent"], everybody["n_words"], everybody["shared_share"]) == ("ALL", 9, 3 / 4)
    assert difficulty(collect(rows), pooled="ALL", known=None)[0]["out_of_list_share"] is None


def test_expected_distinct_words_are_those_of_drawing_without_replacement() -> None:
    # of a, a, b, c two words: 6 pairs, of which aa alone holds one distinct word
    assert expected_types([2, 1, 1], 2) == pytest.approx((5 * 2 + 1) / 6)
    assert expected_types([3, 2, 5], 10) == pytest.approx(3)
    assert expected_types([5] * 10, 1) == pytest.approx(1)
    assert math.isclose(expected_types([1] * 7, 4), 4)


def test_no_texts_give_no_shares() -> None:
    (everybody,) = difficulty({}, pooled="ALL", known=None)
    assert everybody["words_per_utterance"] is None
    assert everybody["drawn_words"] == 0
