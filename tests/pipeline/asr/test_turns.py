"""Processes that hear at the same time begin at different places, and give their place back when they end."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.asr.turns import in_turn, turn


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 4), max_size=12), number=st.integers(0, 9))
def test_every_order_holds_all_trials_and_keeps_those_of_an_utterance_together(sizes: list[int], number: int) -> None:
    rows = [{"utterance_id": f"u{at}", "trial": (at, trial)} for at, size in enumerate(sizes) for trial in range(size)]
    ordered = in_turn(rows, number)
    assert sorted(row["trial"] for row in ordered) == [row["trial"] for row in rows]
    names = [row["utterance_id"] for row in ordered]
    assert len(set(names)) == sum(one != other for one, other in zip(names, ["", *names], strict=False))


def test_the_first_goes_forwards_the_second_backwards_and_the_third_begins_between() -> None:
    rows = [{"utterance_id": str(at)} for at in range(100)]
    assert in_turn(rows, 0) == rows
    assert in_turn(rows, 1) == rows[::-1]
    assert in_turn(rows, 2)[0] not in (rows[0], rows[-1])


def test_a_place_is_free_again_when_its_process_ends(tmp_path: Path) -> None:
    with turn(tmp_path) as first, turn(tmp_path) as second:
        assert (first, second) == (0, 1)
    with turn(tmp_path) as again:
        assert again == 0


def test_an_error_gives_the_place_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), turn(tmp_path):
        raise ValueError("broken")
    with turn(tmp_path) as again:
        assert again == 0


def test_where_nothing_can_be_locked_hearing_goes_on(tmp_path: Path) -> None:
    with turn(tmp_path / "is" / "not" / "there") as number:
        assert number == 0
