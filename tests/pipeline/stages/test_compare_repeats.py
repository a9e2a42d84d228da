"""Repeats against each other and against the reference: planted differences come out exactly, whatever the order."""

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import tables
from pipeline.asr.base import Hypothesis, RepeatSettings, Request
from pipeline.config import build
from pipeline.errors import StudyError
from pipeline.records import ErrorCounts, Status
from pipeline.run import Outcome, run
from pipeline.stages.compare_repeats import between, compare_repeats
from pipeline.stats.settings import StatsSettings
from pipeline.stats.variability import RepeatedTrial, variability
from pipeline.text.alignment import count_errors
from pipeline.text.normalizers import NoSettings

REFERENCE = "one two three four five six seven eight"
SCRIPT = {
    "r": [REFERENCE, REFERENCE, REFERENCE],
    "s": [REFERENCE, REFERENCE.replace("eight", "ate"), REFERENCE],
    "e": ["", REFERENCE, ""],
}
LABELS = ["null", "no, really", "two\nlines", '"quoted"', "=1+1", "<b>bold</b>", "\u202e", "\U0001f442 ear"]


def lower(text: str) -> str:
    return text.lower()


def key(utterance: str) -> str:
    return hashlib.sha256(utterance.encode()).hexdigest()


def made(
    said: dict[str, Sequence[str]], *, accent: str = "a", temperatures: Sequence[float] = (0.4,)
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Scores, trials and repeats of one scored trial for each entry, its repeats as told."""
    trials, scores, repeats = [], [], []
    for utterance, texts in said.items():
        trials.append({"utterance_id": utterance, "condition": "clean", "trial_key": key(utterance)})
        counts = count_errors(REFERENCE, REFERENCE)
        scores.append(
            {"utterance_id": utterance, "condition": "clean", "backend": "engine", "normalizer": "lower",
             "speaker_id": f"s {utterance}", "accent": accent, "hits": counts.hits, "substitutions": 0, "deletions": 0,
             "insertions": 0, "normalized_reference": REFERENCE, "normalized_hypothesis": REFERENCE}
        )  # fmt: skip
        repeats += [
            {"trial_key": key(utterance), "backend": "engine", "repeat": number, "seed": number, "hypothesis": text,
             "temperature": temperatures[(number - 1) % len(temperatures)]}
            for number, text in enumerate(texts, start=1)
        ]  # fmt: skip
    return (
        tables.build(scores, tables.Scores, where="test"),
        tables.build([one | {"slot": 0, "plan": "{}"} for one in trials], tables.Trials, where="test"),
        tables.build(repeats, tables.Repeats, where="test"),
    )


def compared(said: dict[str, Sequence[str]], **options: Any) -> dict[str, RepeatedTrial]:
    found = compare_repeats(*made(said, **options), {"lower": lower})
    return {one.utterance_id: one for one in found}


def test_planted_differences_are_counted_exactly() -> None:
    found = compared(SCRIPT)
    same, one_word, empties = found["r"], found["s"], found["e"]
    assert (same.between.errors, same.between.ref_words, same.alike) == (0, 3 * 2 * 8, True)
    # of the three pairs two differ, in one of eight words, read both ways
    assert (one_word.between.errors, one_word.between.ref_words, one_word.alike) == (4, 48, False)
    assert one_word.between.substitutions == 4
    # two pairs of eight words and nothing: all deleted the one way, all inserted the other
    assert empties.between == ErrorCounts(0, 0, 16, 16)
    assert (empties.between.ref_words, empties.repeated) == (16, ErrorCounts(8, 0, 16, 0))
    assert one_word.repeated == ErrorCounts(23, 1, 0, 0)
    assert one_word.scored == ErrorCounts(8, 0, 0, 0)
    table = variability(list(found.values()), StatsSettings(), synthetic=False)
    row = tables.rows(table[table["accent"] == "a"])[0]
    assert (row["pair_errors"], row["pair_words"], row["n_alike"]) == (4 + 32, 48 + 48 + 16, 1)
    assert row["disagreement"] == 36 / 112


def test_texts_are_compared_as_the_normalizer_leaves_them() -> None:
    one = compared({"u": ["Hello There", "hello there"]})["u"]
    assert one.alike
    assert one.between.errors == 0
    raw = compare_repeats(*made({"u": ["Hello There", "hello there"]}), {"lower": str})[0]
    assert (raw.alike, raw.between.errors) == (False, 4)


words = st.lists(st.sampled_from("abc"), max_size=5).map(" ".join)


@given(st.lists(words, max_size=6))
def test_every_ordered_pair_counts_once(texts: list[str]) -> None:
    pairs = sum((count_errors(one, other) for one, other in permutations(texts, 2)), ErrorCounts.zero())
    found = between(texts)
    assert (found.errors, found.ref_words) == (pairs.errors, pairs.ref_words)
    assert found.deletions == found.insertions


@pytest.mark.parametrize(("n", "partners"), [(2, 1), (10, 9), (11, 10), (12, 10), (100, 10)])
def test_every_repeat_meets_as_many_others_and_of_many_repeats_not_all(n: int, partners: int) -> None:
    alike = between(["one two"] * n)
    assert (alike.errors, alike.ref_words) == (0, n * partners * 2)
    for odd in (0, n // 2, n - 1):
        found = between(["one three" if place == odd else "one two" for place in range(n)])
        assert (found.errors, found.ref_words) == (2 * partners, n * partners * 2)


def test_the_order_of_the_rows_changes_nothing() -> None:
    said = {f"u{place}": [f"{REFERENCE} {(place * number) % 5}" for number in range(28)] for place in range(6)}
    given_tables = made(said, temperatures=(0.2, 0.8))
    shuffled = [table.sample(frac=1, random_state=3).reset_index(drop=True) for table in given_tables]
    one, other = (compare_repeats(*some, {"lower": lower}) for some in (given_tables, shuffled))
    assert len(one) == 12
    assert sorted(map(repr, one)) == sorted(map(repr, other))


def test_repeats_of_one_temperature_are_never_compared_with_another() -> None:
    texts = [REFERENCE, REFERENCE.replace("one", "none"), REFERENCE, REFERENCE]
    found = compare_repeats(*made({"u": texts}, temperatures=(0.2, 0.8)), {"lower": lower})
    assert [(one.temperature, one.n_repeats, one.between.errors) for one in found] == [(0.2, 2, 0), (0.8, 2, 2)]


def test_a_trial_that_lost_its_repeats_is_handed_on_with_what_it_has() -> None:
    found = compared({"whole": [REFERENCE] * 3, "one": [REFERENCE], "none": []})
    assert {name: one.n_repeats for name, one in found.items()} == {"whole": 3, "one": 1, "none": 0}
    assert found["one"].between == found["none"].between == ErrorCounts.zero()
    assert not found["none"].alike


def test_nothing_repeated_gives_nothing() -> None:
    assert compared({"u": []}) == {}


@pytest.mark.parametrize("label", LABELS)
def test_hostile_labels_and_words_come_through_unchanged(label: str) -> None:
    one = compared({label: [label, REFERENCE]}, accent=label)[label]
    assert (one.accent, one.speaker_id) == (label, f"s {label}")
    assert one.between.ref_words == 8 + len(label.split())


# accent, by the first letters of the utterance: what repeats 1 to 3 make of a reference; its own words at most
PLANTED: dict[str, Callable[[str, int], str]] = {
    "a0": lambda reference, repeat: reference,
    "a1": lambda reference, repeat: f"x {reference.split(maxsplit=1)[1]}" if repeat == 2 else reference,
    "a2": lambda reference, repeat: "" if repeat == 3 else reference,
}


class Repeater:
    """A recognizer that says the reference, and of each repeat what is planted for its accent."""

    Settings = NoSettings
    needs_audio = True
    name = "repeater"
    device = "cpu"
    batch_size = 7

    def __init__(self, repeats: int = 3, fail: str = "") -> None:
        self.repeating = RepeatSettings(repeats=repeats)
        self.fail = fail

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> dict[str, str]:
        return {"kind": "repeater"}

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        return [self._answer(request) for request in batch]

    def _answer(self, request: Request) -> Hypothesis:
        if request.draw is None:
            return Hypothesis(request.reference, Status.OK)
        if self.fail and request.utterance_id.startswith(self.fail) and request.draw.repeat > 1:
            return Hypothesis("", Status.FAILED, "the engine said no")
        return Hypothesis(PLANTED[request.utterance_id[:2]](request.reference, request.draw.repeat), Status.OK)


SUMMARIZED = "stages=[load_utterances,plan_trials,transcribe,score,summarize]"
"""As far as the tables go, without the card and its figures."""


@pytest.fixture
def study(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Callable[..., Outcome]:
    manifest = make_corpus(accents=("same", "one word", "silent"), speakers=3)
    fixed = [*manifest_overrides(manifest), "asr=scripted", "conditions=[clean,machine_tonal_5]", "render.workers=0"]

    def run_it(backend: Repeater, *overrides: str) -> Outcome:
        checked = build(composed(*fixed, *overrides))
        object.__setattr__(checked, "backend", backend)
        return run(checked, store_path=tmp_path / "store.db", overrides=[])

    return run_it


def test_a_run_recovers_what_was_planted_and_the_card_says_it(study: Callable[..., Outcome]) -> None:
    outcome = study(Repeater())
    found = pd.read_parquet(outcome.folder / "variability.parquet")
    assert len(found) == 4 * 2 * 2
    rows = found[(found["condition"] == "machine_tonal_5") & (found["normalizer"] == "verbatim")].set_index("accent")
    # three speakers who read a sentence of 7 and one of 9 words
    trials, words = 6, 3 * (7 + 9)
    assert rows["n_trials"].to_dict() == {"same": trials, "one word": trials, "silent": trials, "ALL": 3 * trials}
    assert rows["n_repeats"].to_dict() == {"same": 18, "one word": 18, "silent": 18, "ALL": 54}
    assert rows["pair_errors"].to_dict() == {"same": 0, "one word": 4 * trials, "silent": 4 * words,
                                             "ALL": 4 * trials + 4 * words}  # fmt: skip
    assert rows["pair_words"].to_dict() == {"same": 6 * words, "one word": 6 * words, "silent": 4 * words,
                                            "ALL": 16 * words}  # fmt: skip
    assert rows["n_alike"].to_dict() == {"same": trials, "one word": 0, "silent": 0, "ALL": trials}
    assert rows.loc["silent", "disagreement"] == 1
    assert rows.loc["silent", "repeat_wer"] == pytest.approx(1 / 3)
    assert (rows["scored_errors"] == 0).all()
    assert (outcome.folder / "variability.csv").exists()
    numbers = json.loads((outcome.folder / "card.json").read_text())["numbers"]["variability"]
    assert len(numbers) == len(found)
    assert "Variability of repeated transcripts" in (outcome.folder / "card.md").read_text()


def test_repeats_that_fail_are_listed_and_their_trials_left_out(study: Callable[..., Outcome]) -> None:
    outcome = study(Repeater(fail="a1_s001"))
    found = pd.read_parquet(outcome.folder / "variability.parquet")
    own = found[(found["accent"] == "one word") & (found["normalizer"] == "verbatim")].set_index("condition")
    assert (own["n_trials"] == 4).all()
    assert (own["n_left_out"] == 2).all()
    lost = pd.read_parquet(outcome.folder / "exclusions.parquet")
    assert lost["stage"].tolist() == ["transcribe.repeats"] * 8
    assert "2 trials left out: fewer than two repeats" in (outcome.folder / "card.md").read_text()


@pytest.mark.long
def test_without_repeats_the_table_is_empty_and_nothing_else_differs(study: Callable[..., Outcome]) -> None:
    without, repeated = study(Repeater(0), "run_name=without"), study(Repeater(), "run_name=with", SUMMARIZED)
    assert pd.read_parquet(without.folder / "variability.parquet").empty
    assert "Variability of repeated transcripts: not evaluated" in (without.folder / "card.md").read_text()
    for name in ("scores", "cells", "disparities", "interactions"):
        one, other = (pd.read_parquet(outcome.folder / f"{name}.parquet") for outcome in (without, repeated))
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.long
def test_recomputing_from_stored_repeats_gives_the_same_table(study: Callable[..., Outcome]) -> None:
    first = pd.read_parquet(study(Repeater(), "run_name=one", SUMMARIZED).folder / "variability.parquet")
    again = study(Repeater(0), "run_name=one", "stages=[score,summarize]")
    pd.testing.assert_frame_equal(first, pd.read_parquet(again.folder / "variability.parquet"))


def test_a_run_made_before_there_were_repeats_says_which_table_is_missing(study: Callable[..., Outcome]) -> None:
    outcome = study(Repeater(), "run_name=old", SUMMARIZED)
    (outcome.folder / "repeats.parquet").unlink()
    with pytest.raises(StudyError, match=r"repeats\.parquet: .* it is not here\. Run the earlier stages first"):
        study(Repeater(), "run_name=old", "stages=[summarize,write_card]")
