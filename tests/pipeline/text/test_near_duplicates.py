"""Nearly equal texts are found, others are not, and in no more comparisons than there are texts."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.text import near_duplicates
from pipeline.text.near_duplicates import near_duplicates as alike

BASE = "the old boat left the small harbor before sunrise and nobody noticed it at all that morning"


def test_a_typing_error_and_another_order_of_words_are_nearly_the_same() -> None:
    typo, turned = BASE.replace("noticed", "notice"), " ".join(reversed(BASE.split()))
    found = alike([BASE, typo, turned, "she counted seven grey ducks beside a frozen pond"], similarity=90)
    assert {pair[:2] for pair in found} == {(0, 1), (0, 2), (1, 2)}
    assert max(likeness for _, _, likeness in found) == 100


def test_short_texts_are_never_called_nearly_the_same() -> None:
    assert alike(["one two three", "one two thre", "yes", "yes yes"], similarity=50) == []


def test_texts_that_differ_in_more_than_is_asked_are_not_told() -> None:
    assert alike([BASE, BASE.replace("boat", "motorcycle").replace("harbor", "village")], similarity=95) == []


@given(st.lists(st.text(alphabet="abcde ", max_size=30), max_size=12, unique=True))
@settings(max_examples=50, deadline=None)
def test_every_pair_is_of_two_places_once_and_does_not_depend_on_order(texts: list[str]) -> None:
    found = alike(texts, similarity=50)
    assert all(one < other for one, other, _ in found)
    assert len({pair[:2] for pair in found}) == len(found)
    turned = alike(texts[::-1], similarity=50)
    assert {frozenset((texts[a], texts[b])) for a, b, _ in found} == {
        frozenset((texts[::-1][a], texts[::-1][b])) for a, b, _ in turned
    }


def test_comparisons_grow_with_the_texts_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    real = near_duplicates._likeness

    def counted(first: list[str], second: list[str]) -> object:
        nonlocal compared
        compared += len(first)
        return real(first, second)

    monkeypatch.setattr(near_duplicates, "_likeness", counted)
    rng = random.Random(1)
    words = [f"w{at}" for at in range(30)]
    texts = list({" ".join(rng.choices(words, k=12)) for _ in range(2_000)})
    alike(texts, similarity=90)
    assert compared <= near_duplicates.BANDS * near_duplicates.NEIGHBORS * len(texts)


def test_of_more_pairs_than_anybody_reads_the_most_alike_are_told() -> None:
    texts = [f"turn the light in the kitchen to level {at} now" for at in (10, 11, 12)] + [BASE, f"{BASE} too"]
    every = alike(texts, similarity=80)
    assert len(every) > 1
    assert alike(texts, similarity=80, most=1) == [max(every, key=lambda pair: pair[2])]
