"""What must not be published, and that it cannot be worked out from what is."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.crossings import crossing_name, group_names
from pipeline.stats.suppression import Floor, hidden_groups, merged, protect, relabeled, under_floor

TEN = Floor(10, 500)


def of_sizes(make_speakers, sizes, *, conditions=("clean",), words=100):
    return make_speakers(
        [(a, f"s{s}", c, words, s + 1) for a, k in sizes.items() for s in range(k) for c in conditions]
    )


def planned(scores):
    return set(zip(scores["accent"], scores["condition"], strict=True))


@pytest.mark.parametrize(("speakers", "words", "hidden"), [(10, 50, False), (9, 100, True), (10, 49, True)])
def test_a_cell_needs_ten_speakers_and_500_words(make_speakers, speakers, words, hidden):
    scores = of_sizes(make_speakers, {"a": speakers}, words=words)
    assert bool(under_floor(scores, planned(scores), TEN, reference_condition="clean")) is hidden


def test_speakers_without_names_cannot_be_counted_and_are_hidden(make_speakers):
    scores = make_speakers([("a", None, "clean", 100, 3)] * 40)
    assert under_floor(scores, planned(scores), TEN, reference_condition="clean") == {("a", "clean")}


def test_what_was_planned_and_never_scored_is_hidden(make_speakers):
    scores = of_sizes(make_speakers, {"a": 12})
    found = under_floor(scores, planned(scores) | {("b", "clean")}, TEN, reference_condition="clean")
    assert found == {("b", "clean")}


def test_an_accent_hidden_under_the_reference_condition_is_hidden_everywhere(make_speakers):
    scores = of_sizes(make_speakers, {"a": 12}, conditions=("clean", "noise"))
    gone = scores["speaker_id"].isin(["s0", "s1", "s2"])
    few_clean = scores[~(gone & (scores["condition"] == "clean"))]
    every = {("a", "clean"), ("a", "noise")}
    assert under_floor(few_clean, every, TEN, reference_condition="clean") == every
    few_noise = scores[~(gone & (scores["condition"] == "noise"))]
    assert under_floor(few_noise, every, TEN, reference_condition="clean") == {("a", "noise")}


def test_hidden_accents_are_merged_in_the_narrowest_wider_group_that_reaches_the_floor(make_speakers):
    scores = of_sizes(make_speakers, {"a": 6, "b": 5, "c": 4, "d": 4, "e": 3, "f": 9})
    parents = {"a": "near", "b": "near", "c": "one", "d": "two", "e": "two", "one": "far", "two": "far"}
    found = merged(scores, ["a", "b", "c", "d", "e", "f"], TEN, parents, reference_condition="clean")
    assert found == {"a": "near (merged)", "b": "near (merged)"} | dict.fromkeys("cde", "far (merged)")
    joined = relabeled(scores, found)
    assert joined[joined["accent"] == "far (merged)"]["speaker_id"].nunique() == 11  # "s0" of c, d and e are three


def numbers(cells, atoms):
    """Return whether each hidden cell follows from the total and the shown cells, by ranks."""
    rank = np.linalg.matrix_rank
    known = np.vstack([np.ones(atoms), *cells["shown"]]) if len(cells["shown"]) else np.ones((1, atoms))
    return [rank(np.vstack([known, cell])) == rank(known) for cell in cells["secret"]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=12, max_size=12),
    st.sampled_from([[0], [0, 1], [0, 1, 2], [0, 2], [1, 2]]),
)
def test_no_hidden_count_can_be_solved_from_the_shown_ones(speakers, chosen):
    """Twelve atoms, the values of a 3 x 4 table; crossings are its rows, its columns and its cells."""
    rows, columns = np.divmod(np.arange(12), 4)
    labels = [rows, columns, np.arange(12)]
    cells = [(labels[which] == value, which) for which in chosen for value in sorted(set(labels[which]))]
    members, crossings = np.array([cell for cell, _ in cells]), np.array([which for _, which in cells])
    counts = np.array(speakers)

    def unsafe(atoms):
        return 0 < counts[atoms].sum() < 10

    hidden = protect(members, crossings, unsafe, counts)
    secret = [cell for cell in members if unsafe(cell)]
    assert not any(numbers({"shown": members[~hidden], "secret": secret}, 12))
    for which in chosen:
        left = ~members[(crossings == which) & ~hidden].any(axis=0)
        if counts.sum() >= 10:
            assert not unsafe(left)


def test_a_single_thin_group_takes_a_second_with_it_and_never_more_than_is_needed():
    members, crossing = np.eye(4, dtype=bool), np.zeros(4, dtype=int)
    counts = np.array([4, 40, 12, 30])

    def unsafe(atoms):
        return 0 < counts[atoms].sum() < 10

    assert protect(members, crossing, unsafe, counts).tolist() == [True, False, True, False]


def test_two_thin_groups_that_make_up_enough_need_no_third():
    members, crossing = np.eye(4, dtype=bool), np.zeros(4, dtype=int)
    counts = np.array([5, 40, 6, 30])

    def unsafe(atoms):
        return 0 < counts[atoms].sum() < 10

    assert protect(members, crossing, unsafe, counts).tolist() == [True, False, True, False]


def test_a_group_of_an_intersection_is_hidden_with_its_complement(make_speakers):
    scores = of_sizes(make_speakers, {"a": 40, "b": 40}, conditions=("clean", "noise"))
    ids = sorted(set(scores["utterance_id"]))
    of_b = [name.startswith("b") for name in ids]
    gender = ["f" if (not b and place < 4) or (b and place % 2) else "m" for place, b in enumerate(of_b)]
    utterances = pd.DataFrame({"utterance_id": ids, "attr_gender": gender})
    name = crossing_name(("accent", "gender"))
    found = hidden_groups(scores, utterances, [("accent", "gender")], TEN)
    assert found == {(name, "a", json.dumps({"gender": value})) for value in "fm"}
    assert set(group_names(utterances, ("accent", "gender")).values()) == {'{"gender": "f"}', '{"gender": "m"}'}
