"""Rearrangements, their keys and p-values."""

import numpy as np
import pytest

from pipeline.stats.permutation import generator, group_sums, p_value, rearrangements


def test_the_same_names_and_seed_give_the_same_numbers():
    first, second = (generator(3, "engine", "verbatim", "clean").random(4) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("other", [(4, "ab", "c"), (3, "a", "bc"), (3, "ab"), (3, "c", "ab"), (3, "ab", "\U0001f600")])
def test_another_seed_or_other_names_give_other_numbers(other):
    assert generator(3, "ab", "c").random() != generator(*other).random()


def test_every_rearrangement_keeps_the_group_sizes():
    labels = np.repeat(np.arange(3), [2, 3, 4])
    batches = list(rearrangements(labels, 50, rng=generator(0)))
    drawn = np.concatenate(batches)
    assert drawn.shape == (50, 9)
    assert (np.sort(drawn, axis=1) == labels).all()


def test_memory_is_bounded_by_batches():
    labels = np.repeat(np.arange(4), 1000)
    sizes = [len(batch) for batch in rearrangements(labels, 600, rng=generator(0))]
    assert sum(sizes) == 600
    assert max(sizes) * len(labels) <= 1 << 20


def test_sums_by_group_by_hand():
    labels = np.array([[0, 1, 1], [1, 0, 1]])
    assert group_sums(labels, np.array([5.0, 7.0, 11.0]), groups=2).tolist() == [[5, 18], [7, 16]]


def test_the_p_value_counts_ties_and_the_observed_arrangement():
    assert p_value(2.0, np.array([1.0, 2.0, 3.0])) == 3 / 4
    assert p_value(9.0, np.array([1.0, 2.0, 3.0])) == 1 / 4
    assert p_value(0.3, np.array([0.1 + 0.2] * 4)) == 1
