"""Many texts at once give what one at a time gives, and each distinct one is worked on once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import processors
from pipeline.error_slots import ErrorSlots
from pipeline.errors import TableError
from pipeline.text import pairs
from pipeline.text.alignment import COUNTED, align, count_all, count_characters, count_errors
from pipeline.text.normalizers import NoSettings, Verbatim

texts = st.lists(st.sampled_from(["a", "b", "c", "null", "é"]), max_size=9).map(" ".join)


def columns(references: list[str], hypotheses: list[str]) -> tuple[pairs.Texts, pairs.Texts]:
    return pairs.Texts.of(pd.Series(references, dtype="str")), pairs.Texts.of(pd.Series(hypotheses, dtype="str"))


@given(st.lists(st.tuples(texts, texts), max_size=12))
def test_many_pairs_are_counted_as_one_at_a_time_is(both: list[tuple[str, str]]) -> None:
    references, hypotheses = [one for one, _ in both], [other for _, other in both]
    words = [count_errors(one, other) for one, other in both]
    expected = [
        (*(getattr(one, name) for name in COUNTED[:4]), *count_characters(*texts))
        for one, texts in zip(words, both, strict=True)
    ]
    alone, _ = count_all((references, hypotheses))
    together, _ = pairs.count_pairs(*columns(references, hypotheses))
    for place, name in enumerate(COUNTED):
        assert alone[:, place].tolist() == [one[place] for one in expected]
        assert together[name].tolist() == [one[place] for one in expected]


def test_white_space_of_any_kind_parts_words() -> None:
    assert count_all((["a\tb\n c"], ["a b  c"]))[0].tolist() == [[3, 0, 0, 0, 5, 0]]


def test_a_pair_that_occurs_in_many_rows_is_aligned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    aligned = []

    def counting(both: tuple[list[str], list[str]]) -> tuple[np.ndarray, ErrorSlots]:
        aligned.extend(zip(*both, strict=True))
        return count_all(both)

    monkeypatch.setattr(pairs, "count_all", counting)
    found, _ = pairs.count_pairs(*columns(["a b"] * 500 + ["c"], ["a"] * 500 + ["a"]))
    assert sorted(aligned) == [("a b", "a"), ("c", "a")]
    assert found["deletions"].tolist() == [1] * 500 + [0]


def test_a_text_that_occurs_in_many_rows_is_normalized_once() -> None:
    seen = []

    def shout(text: str) -> str:
        seen.append(text)
        return text.upper().strip()

    made = pairs.Texts.of(pd.Series(["a", "b", "a", " a"], dtype="str")).normalized(shout)
    assert sorted(seen) == [" a", "a", "b"]
    assert made.column().tolist() == ["A", "B", "A", "A"]
    assert sorted(made.distinct) == ["A", "B"]


def test_several_processes_say_what_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = [f"The {word}, the 'tis {word}!" for word in "abcdefgh"]
    references, hypotheses = columns(raw, raw[1:] + raw[:1])
    here = [one.normalized(Verbatim(NoSettings())) for one in (references, hypotheses)]
    expected = {name: values.tolist() for name, values in pairs.count_pairs(*here)[0].items()}
    monkeypatch.setattr(pairs, "PART", 3)
    monkeypatch.setattr(processors, "usable", lambda: 2)
    there = [one.normalized(Verbatim(NoSettings())) for one in (references, hypotheses)]
    assert [one.column().tolist() for one in there] == [one.column().tolist() for one in here]
    assert {name: values.tolist() for name, values in pairs.count_pairs(*there)[0].items()} == expected


def test_a_normalizer_that_cannot_be_sent_to_a_process_is_used_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PART", 1)
    monkeypatch.setattr(processors, "usable", lambda: 2)
    made = pairs.Texts.of(pd.Series(["A", "B"], dtype="str")).normalized(lambda text: text.lower())
    assert made.column().tolist() == ["a", "b"]


def slots_of(pair: tuple[str, str]) -> list[int]:
    """Say where the errors of one pair lie, from jiwer's own account of its alignment."""
    slots = []
    for stretch in align([pair])[pair]:
        if stretch.kind == "insert":
            slots += [2 * stretch.ref_start] * (stretch.hyp_end - stretch.hyp_start)
        elif stretch.kind != "equal":
            slots += [2 * place + 1 for place in range(stretch.ref_start, stretch.ref_end)]
    return slots


def scored(both: list[tuple[str, str]], **stored: "pd.Series[str]") -> pd.DataFrame:
    texts = {"normalized_reference": [one for one, _ in both], "normalized_hypothesis": [other for _, other in both]}
    counts = pairs.count_pairs(*columns(*texts.values()))[0]
    return pd.DataFrame({name: pd.Series(column, dtype="str") for name, column in texts.items()} | counts | stored)


@given(st.lists(st.tuples(*[st.lists(st.sampled_from("abc"), max_size=7).map(" ".join)] * 2), max_size=12))
def test_slots_and_insertion_runs_of_many_pairs_are_those_of_each(both: list[tuple[str, str]]) -> None:
    runs = [max((s.hyp_end - s.hyp_start for s in align([p])[p] if s.kind == "insert"), default=0) for p in both]
    stored = pairs.count_pairs(*columns([one for one, _ in both], [other for _, other in both]))[1].column()
    assert stored.tolist() == [" ".join(map(str, slots_of(pair))) for pair in both]
    for scores in (scored(both), scored(both, error_slots=stored)):
        found = pairs.error_slots(scores)
        assert found.column().tolist() == stored.tolist()
        assert found.longest_insertions().tolist() == runs


@given(st.lists(st.lists(st.integers(0, 60), max_size=4), max_size=9), st.data())
def test_slots_of_chosen_rows_are_those_rows_in_that_order(rows: list[list[int]], data: st.DataObject) -> None:
    written = pd.Series([" ".join(map(str, row)) for row in rows], dtype="str")
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=12)) if rows else []
    found = ErrorSlots.read(written).take(np.array(chosen, dtype=np.int64))
    assert found.column().tolist() == [written[row] for row in chosen]


def test_slots_are_the_same_whatever_part_of_the_work_a_pair_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = scored([("a b", "a"), ("c", "c x x"), ("a b", "a"), ("d e f", "")])
    monkeypatch.setattr("pipeline.text.pairs.LIGHT_PART", 1)
    monkeypatch.setattr("pipeline.processors.usable", lambda: 1)
    found = pairs.error_slots(scores)
    assert found.column().tolist() == ["3", "2 2", "3", "1 3 5"]
    assert found.longest_insertions().tolist() == [0, 2, 0, 0]


def test_slots_are_read_from_a_column_that_was_put_together_of_several(tmp_path: Path) -> None:
    halves = [scored([("a b", "a"), ("c", "c")]), scored([("d e", "x")])]
    stored = [pd.Series(slots, dtype="str") for slots in (["3", ""], ["1 3"])]
    for half, slots in zip(halves, stored, strict=True):
        half.assign(error_slots=slots).to_parquet(tmp_path / f"{len(slots)}.parquet")
    scores = pd.concat([pd.read_parquet(tmp_path / f"{size}.parquet") for size in (2, 1)], ignore_index=True)
    assert pairs.error_slots(scores).slots.tolist() == [3, 1, 3]
    assert pairs.error_slots(scores).counts.tolist() == [1, 0, 2]


def test_slots_that_are_not_as_many_as_the_errors_are_refused() -> None:
    with pytest.raises(TableError, match="Score again"):
        pairs.error_slots(scored([("a b", "a")], error_slots=pd.Series(["1 3"], dtype="str")))
