"""MAPSSWE against its published form, and the segments it is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.error_slots import ErrorSlots
from pipeline.stats.segments import mapsswe, segment_sums
from pipeline.text.alignment import all_error_slots, count_errors

REFERENCE = "a b c d e f g h"


def sums(reference: str, first: str, second: str) -> list[int]:
    return segment_sums(slots(reference, first), slots(reference, second))[0].tolist()


def slots(reference: str, *said: str) -> ErrorSlots:
    return all_error_slots(([reference] * len(said), said))


def test_the_golden_value():
    found = mapsswe(3, 1 + 1 + 0, 1 + 1 + 0)
    assert found.z == pytest.approx(2.0, abs=1e-12)
    assert found.p == pytest.approx(0.0455, abs=5e-5)


def test_it_is_undefined_for_one_segment_and_for_segments_that_are_all_alike():
    assert mapsswe(1, 1, 1).z is None
    assert mapsswe(0, 0, 0).p is None
    assert mapsswe(3, 6, 12).z is None


def test_two_words_in_a_row_that_both_got_right_part_two_segments():
    # both err in b; f is wrong in the second only: c d e lie between
    assert sums(REFERENCE, "a x c d e f g h", "a y c d e z g h") == [2, 1, 1]
    # one word between two errors is not enough: one segment with d = 1
    assert sums(REFERENCE, "a x c d e f g h", "a y c z e f g h") == [1, 1, 1]
    # two words are
    assert sums(REFERENCE, "a x c d e f g h", "a y c d z f g h") == [2, 1, 1]


def test_a_word_that_only_one_side_got_right_does_not_part_segments():
    assert sums(REFERENCE, "a x c y e f g h", "a b x d y f g h") == [1, 0, 0]


def test_an_insertion_between_two_right_words_breaks_their_run():
    # errors in b and e, c d right in both, but one side says a word between c and d
    assert sums(REFERENCE, "a x c d y f g h", "a x c and d y f g h") == [1, 1, 1]
    assert sums(REFERENCE, "a x c d y f g h", "a x c d y f g h") == [2, 0, 0]


def test_insertions_before_the_first_word_and_after_the_last_are_segments_of_their_own():
    assert sums("a b", "a b", "um a b er") == [2, 2, 2]


def test_an_utterance_is_a_border_and_one_without_errors_adds_no_segment():
    one, other = slots("a b", "a b", "x b", "a b"), slots("a b", "a x", "a b", "a b")
    assert segment_sums(one, other).tolist() == [[1, 1, 1], [1, -1, 1], [0, 0, 0]]
    assert segment_sums(slots(""), slots("")).shape == (0, 3)


def test_an_empty_answer_is_one_segment_of_deletions():
    assert sums(REFERENCE, REFERENCE, "") == [1, 8, 64]


words = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)


@given(words, words, words)
def test_every_error_is_in_a_segment_and_swapping_sides_swaps_the_sign(reference, first, second):
    sides = [slots(reference, said) for said in (first, second)]
    errors = [count_errors(reference, said).errors for said in (first, second)]
    assert [side.counts.tolist() for side in sides] == [[count] for count in errors]
    assert all(side.slots.tolist() == sorted(side.slots.tolist()) for side in sides)
    n, total, squares = segment_sums(*sides)[0].tolist()
    assert total == errors[1] - errors[0]
    assert segment_sums(*sides[::-1])[0].tolist() == [n, -total, squares]
    assert (n > 0) == (sum(errors) > 0)
