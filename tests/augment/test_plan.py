"""Slots and keys: every accent meets every realization equally often, whatever the order of rows."""

import hashlib
import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.errors import ConditionError
from augment.plan import SlotInput, assign_slots, generator, integers, permutation


def utterances(per_accent: dict[str, int], prompts: int = 5) -> list[SlotInput]:
    return [
        SlotInput(f"{accent}-{n}", accent, f"Sentence {n % prompts}.")
        for accent, k in per_accent.items()
        for n in range(k)
    ]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 80), min_size=1),
    st.integers(1, 32),
    st.integers(0, 2**63),
)
def test_within_an_accent_every_slot_is_met_equally_often_within_one(per_accent, slots, seed):
    assigned = assign_slots(utterances(per_accent), by="slot", slots=slots, seed=seed)
    for accent, size in per_accent.items():
        met = Counter(assigned[f"{accent}-{n}"] for n in range(size))
        counts = [met[slot] for slot in range(slots)]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("by", ["slot", "prompt", "utterance"])
def test_the_order_of_rows_changes_no_slot(by):
    rows = utterances({"a": 40, "b": 17})
    shuffled = random.Random(1).sample(rows, len(rows))
    assigned = assign_slots(rows, by=by, slots=8, seed=3)
    assert assigned == assign_slots(shuffled, by=by, slots=8, seed=3)
    assert assigned != assign_slots(rows, by=by, slots=8, seed=4)
    assert set(assigned.values()) <= set(range(8))


def test_by_prompt_the_same_words_meet_the_same_slot_in_every_accent():
    rows = [
        SlotInput("1", "a", "Please  call Stella."),
        SlotInput("2", "b", "please call stella."),
        *utterances({"a": 9}),
    ]
    assigned = assign_slots(rows, by="prompt", slots=4, seed=0)
    assert assigned["1"] == assigned["2"]
    by_prompt = defaultdict(set)
    for row in rows[2:]:
        by_prompt[row.prompt].add(assigned[row.utterance_id])
    assert all(len(slots) == 1 for slots in by_prompt.values())


def test_by_utterance_a_slot_does_not_depend_on_who_else_is_there():
    rows = utterances({"a": 40})
    whole = assign_slots(rows, by="utterance", slots=32, seed=0)
    half = assign_slots(rows[::2], by="utterance", slots=32, seed=0)
    assert half.items() <= whole.items()


def test_a_repeated_utterance_id_is_refused():
    with pytest.raises(ConditionError, match="unique utterance ids"):
        assign_slots([*utterances({"a": 2}), SlotInput("a-0", "b", "")], by="slot", slots=4, seed=0)


def test_a_key_gives_the_same_draws_for_ever():
    # NumPy promises never to change a bit generator's stream; a study's plans rest on these integers
    first = generator(20261122, "babble", 3, "offset").bit_generator.random_raw(2)
    assert list(first) == [13918461364596243543, 1543113860875149690]
    key = hashlib.blake2b(b"20261122\x1fbabble\x1f3\x1foffset", digest_size=16).digest()
    assert np.random.Philox(key=int.from_bytes(key, "little")).random_raw() == first[0]
    assert permutation(generator(1, "x", 0, "y"), 8) == [6, 3, 2, 4, 5, 1, 7, 0]
    others = [
        generator(seed, family, slot, purpose).bit_generator.random_raw()
        for seed, family, slot, purpose in [
            (20261123, "babble", 3, "offset"),
            (20261122, "machine", 3, "offset"),
            (20261122, "babble", 4, "offset"),
            (20261122, "babble", 3, "talkers"),
        ]
    ]
    assert len({int(first[0]), *map(int, others)}) == 5


def test_neither_global_random_state_is_read_or_changed():
    states = np.random.get_state()[1].copy(), random.getstate()
    drawn = permutation(generator(1, "x", 0, "y"), 50)
    assert np.array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]
    np.random.seed(7)
    assert permutation(generator(1, "x", 0, "y"), 50) == drawn


@given(st.integers(0, 60), st.integers(0, 2**32))
def test_a_permutation_holds_everything_once(length, seed):
    assert sorted(permutation(generator(seed, "t", 0, "p"), length)) == list(range(length))


@given(st.lists(st.integers(1, 2**63), max_size=20))
def test_integers_stay_below_their_bounds(bounds):
    drawn = integers(generator(1, "t", 0, "i"), bounds)
    assert all(0 <= value < bound for value, bound in zip(drawn, bounds, strict=True))
