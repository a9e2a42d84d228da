"""Sequences, loops, alignments and terms: cases worked by hand, and what must hold for any text."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.alignment import Stretch, align, count_errors
from pipeline.text.loops import compression_ratio, has_loop, may_loop
from pipeline.text.sequences import Occurrence, Sequences
from pipeline.text.terms import TermCounts, count_terms

texts = st.lists(st.sampled_from(["a", "b", "c", "null", "é"]), max_size=12).map(" ".join)

DRUGS = Sequences(
    {
        "insulin": [("insulin",)],
        "insulin glargine": [("insulin", "glargine"), ("lantus",)],
        "co-codamol": [("co", "codamol"), ("cocodamol",)],
        "nothing": [()],
    }
)


def counted(reference: str, hypothesis: str) -> dict[str, tuple[int, int, int]]:
    stretches = align([(reference, hypothesis)])[reference, hypothesis]
    found = count_terms(DRUGS.find(reference), DRUGS.find(hypothesis), stretches)
    return {name: (one.said, one.found, one.false) for name, one in found.items()}


@given(st.lists(st.tuples(texts, texts), max_size=4))
def test_the_stretches_cover_both_texts_and_hold_the_counts_of_the_score(pairs: list[tuple[str, str]]) -> None:
    for (reference, hypothesis), stretches in align(pairs).items():
        ref_words = [word for s in stretches for word in reference.split()[s.ref_start : s.ref_end]]
        hyp_words = [word for s in stretches for word in hypothesis.split()[s.hyp_start : s.hyp_end]]
        assert (ref_words, hyp_words) == (reference.split(), hypothesis.split())
        counts = count_errors(reference, hypothesis)
        assert sum(s.hyp_end - s.hyp_start for s in stretches if s.kind == "insert") == counts.insertions
        assert sum(s.ref_end - s.ref_start for s in stretches if s.kind == "delete") == counts.deletions
        assert sum(s.ref_end - s.ref_start for s in stretches if s.kind == "equal") == counts.hits


def test_texts_without_words_are_one_stretch_or_none() -> None:
    found = align([("", "a b"), ("a b", ""), ("", "")])
    assert found["", "a b"] == (Stretch("insert", 0, 0, 0, 2),)
    assert found["a b", ""] == (Stretch("delete", 0, 2, 0, 0),)
    assert found["", ""] == ()


def test_the_longest_form_wins_from_left_to_right() -> None:
    assert DRUGS.find("take insulin glargine and insulin") == (
        Occurrence("insulin glargine", 1, 3),
        Occurrence("insulin", 4, 5),
    )
    assert DRUGS.find("insulins are not listed") == ()
    assert DRUGS.find("") == ()


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("no no no no", True),
        ("no no no yes no", False),
        ("i see and i see and i see and i see and", True),
        ("i see and i see and i see and i see", False),
        ("a b c d e f a b c d e f a b c d e f a b c d e f", False),
        ("so a b c d e a b c d e a b c d e a b c d e then", True),
        ("", False),
    ],
)
def test_a_loop_is_up_to_five_words_four_times_in_a_row(text: str, loops: bool) -> None:
    assert has_loop(text.split(), longest=5, times=4) is loops


@given(texts, st.integers(1, 5), st.integers(2, 5))
def test_a_loop_is_found_wherever_a_group_is_repeated(text: str, longest: int, times: int) -> None:
    words = text.split()
    expected = any(
        words[at : at + size] * times == words[at : at + size * times]
        for size in range(1, longest + 1)
        for at in range(len(words) - size * times + 1)
    )
    assert has_loop(words, longest=longest, times=times) == expected
    assert may_loop(words, times=times) or not expected


def test_the_compression_ratio_is_whispers_own() -> None:
    loop = "i do not know " * 20
    assert compression_ratio(loop) == len(loop) / len(zlib.compress(loop.encode()))
    assert compression_ratio(loop) > 2.4 > compression_ratio("we counted seven ducks beside the frozen pond")
    assert compression_ratio("") == 0
    assert compression_ratio("\ud800") > 0


@given(st.integers(3, 200), st.sampled_from(["the cat sat ", "ha", "no "]))
def test_no_loop_is_spared_the_look(times: int, piece: str) -> None:
    words = (piece * times).split()
    if compression_ratio(" ".join(words)) > 2.4 or has_loop(words, longest=5, times=times):
        assert may_loop(words, times=times)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("take insulin now", "take insulin now", {"insulin": (1, 1, 0)}),
        ("take insulin now", "take it now", {"insulin": (1, 0, 0)}),
        ("take insulin now", "", {"insulin": (1, 0, 0)}),
        ("take it now", "take insulin now", {"insulin": (0, 0, 1)}),
        # another form of the term, of more or fewer words, at its place
        ("take cocodamol now", "take co codamol now", {"co-codamol": (1, 1, 0)}),
        ("take co codamol now", "take cocodamol now", {"co-codamol": (1, 1, 0)}),
        ("take lantus now", "take insulin glargine now", {"insulin glargine": (1, 1, 0)}),
        # heard elsewhere: missed there, invented here
        ("insulin was given to her this morning", "was given to her this morning insulin", {"insulin": (1, 0, 1)}),
        # part of a longer term that was said is not invented
        ("take insulin glargine now", "take insulin now", {"insulin": (0, 0, 0), "insulin glargine": (1, 0, 0)}),
        # a term that only a deletion brings about is invented
        ("insulin and glargine", "insulin glargine", {"insulin": (1, 0, 0), "insulin glargine": (0, 0, 1)}),
        # said twice, heard once; said once, heard three times
        ("insulin or insulin", "insulin or", {"insulin": (2, 1, 0)}),
        ("insulin", "insulin insulin insulin", {"insulin": (1, 1, 2)}),
        ("take it", "take it", {}),
    ],
)
def test_terms_are_found_at_the_aligned_place(
    reference: str, hypothesis: str, expected: dict[str, tuple[int, int, int]]
) -> None:
    assert counted(reference, hypothesis) == expected


said_or_heard = st.lists(st.sampled_from(["insulin", "glargine", "co", "codamol", "cocodamol", "x"]), max_size=9)


@given(said_or_heard.map(" ".join), said_or_heard.map(" ".join))
def test_no_term_is_found_more_often_than_it_was_said_or_heard(reference: str, hypothesis: str) -> None:
    heard = [one.name for one in DRUGS.find(hypothesis)]
    for name, (said, found, false) in counted(reference, hypothesis).items():
        assert found <= said
        assert found + false <= heard.count(name)


@given(said_or_heard.map(" ".join))
def test_a_right_transcript_finds_every_term_and_invents_none(text: str) -> None:
    assert all(said == found and not false for said, found, false in counted(text, text).values())


def test_without_an_alignment_everything_said_is_missed_or_everything_heard_invented() -> None:
    assert count_terms(DRUGS.find("insulin"), (), None) == {"insulin": TermCounts(1, 0, 0)}
    assert count_terms((), DRUGS.find("insulin"), None) == {"insulin": TermCounts(0, 0, 1)}
