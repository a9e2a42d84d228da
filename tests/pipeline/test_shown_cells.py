"""What several runs all publish: no cell, merged group or remainder of one that a run hides."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipeline.card.publication import HiddenCell, Publication
from pipeline.shown_cells import shown_by_all, unpaired
from pipeline.stats.suppression import Floor

ACCENTS = ("east", "north", "south", "west")


def run(*cells: tuple[str, str], floor: int | None = 5, words: int = 20, rounded: bool = True) -> Any:
    """Return what is looked at of a run whose answers hold one trial of each accent under two conditions."""
    hidden = tuple(
        HiddenCell(accent=accent, condition=condition, merged_into=into)
        for accent, into in cells
        for condition in ("clean", "noisy")
    )
    rule = Publication(floor=floor, words=words, rounded=rounded, cells=hidden)
    index = pd.MultiIndex.from_product([ACCENTS, ("clean", "noisy")], names=["utterance_id", "condition"])
    table = pd.DataFrame({"accent": index.get_level_values(0), "speaker_id": "s"}, index=index, dtype="str")
    return SimpleNamespace(card=SimpleNamespace(numbers=SimpleNamespace(publication=rule)), answers=table)


def labels(*runs: Any) -> list[set[str]]:
    return [set(answers["accent"]) for answers in shown_by_all(runs).answers]


def test_what_one_run_hides_is_in_no_run():
    assert labels(run(("east", "")), run(("west", ""))) == [{"north", "south"}] * 2


def test_a_group_merged_in_one_run_is_merged_in_all_under_one_name_with_speakers_told_apart():
    found = shown_by_all([run(("east", "sides"), ("west", "sides")), run()])
    for answers in found.answers:
        assert set(answers["accent"]) == {"sides", "north", "south"}
        assert set(answers.loc[answers["accent"] == "sides", "speaker_id"]) == {"east/s", "west/s"}


def test_a_cell_hidden_in_one_run_hides_the_group_that_another_run_merges_it_into():
    assert labels(run(("east", "")), run(("east", "sides"), ("west", "sides"))) == [{"north", "south"}] * 2


def test_accents_merged_in_two_ways_are_hidden_with_both_groups():
    one, other = run(("east", "sides"), ("west", "sides")), run(("east", "coast"), ("north", "coast"))
    # with east gone, "sides" would be west alone, which neither run tells
    assert labels(one, other) == [{"south"}] * 2


def test_trials_that_one_run_lost_are_counted_by_group_and_never_those_of_a_hidden_group():
    whole, lossy = run(("east", "")), run()
    for name, one in (("whole", whole), ("lossy", lossy)):
        one.job, one.card.main_normalizer = SimpleNamespace(run_name=name), "verbatim"
    gone = lossy.answers["accent"].isin(["east", "north"]) & (
        lossy.answers.index.get_level_values("condition") == "clean"
    )
    lossy.answers = lossy.answers[~gone]
    (found,) = unpaired([whole, lossy], shown_by_all([whole, lossy]))
    assert (found.key.accent, found.key.condition) == ("north", "clean")
    assert (found.first, found.second, found.n_first, found.n_second, found.n_both) == ("whole", "lossy", 1, 0, 0)
    assert unpaired([whole, whole], shown_by_all([whole, whole])) == []


@pytest.mark.parametrize(
    ("runs", "floor", "rounded"),
    [
        ((run(floor=None, rounded=False), run(floor=None, rounded=False)), None, False),
        ((run(floor=None, rounded=False), run(floor=7, words=30)), Floor(7, 30), True),
        ((run(floor=9, words=10, rounded=False), run(floor=7, words=30, rounded=False)), Floor(9, 30), False),
    ],
)
def test_the_strictest_floor_holds_and_numbers_are_rounded_where_one_run_rounds(runs, floor, rounded):
    found = shown_by_all(runs)
    assert (found.floor, found.rounded) == (floor, rounded)
