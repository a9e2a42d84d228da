"""Work that is spread over processes comes back whole and in order, or says why not."""

import math
import os

import pytest

from pipeline import processors
from pipeline.errors import StudyError


@pytest.fixture(autouse=True)
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "usable", lambda: 2)


def test_answers_come_in_the_order_of_the_parts() -> None:
    assert processors.spread(math.factorial, [5, 1, 4, 2]) == [120, 1, 24, 2]


def test_one_part_is_worked_on_in_this_process() -> None:
    assert processors.spread(lambda _: os.getpid(), [0]) == [os.getpid()]
    assert processors.spread(math.sqrt, []) == []


def test_several_parts_are_worked_on_elsewhere_and_a_mistake_there_is_one_here() -> None:
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        processors.spread(math.sqrt, [4.0, -1.0])


def test_a_process_that_dies_is_told_in_a_sentence() -> None:
    with pytest.raises(StudyError, match="most often the memory"):
        processors.spread(os._exit, [3, 3])
