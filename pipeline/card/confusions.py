"""Which words a recognizer takes for others: the most frequent ones of every group, all conditions together."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pandas as pd

from pipeline.card.explained_measures import Confusion, Kind
from pipeline.card.said import Said
from pipeline.card.view import View

MOST: Mapping[Kind, int] = {"replaced": 5, "left_out": 3, "inserted": 3}
"""Confusions of a group that are told."""
LEAST_WORDS = 2
"""What happened once is no habit."""
WORD_LIMIT = 40
KINDS: Mapping[str, Kind] = {"replace": "replaced", "delete": "left_out", "insert": "inserted"}
Pair = tuple[Kind, str, str]
"""Kind, reference word, heard word."""
COLUMNS = ["normalized_reference", "normalized_hypothesis", "substitutions", "deletions", "insertions", "hits"]


def confusions(view: View) -> list[Confusion]:
    """Return the most frequent confusions of every group, in the order of the card; none where texts are withheld.

    Under a publication floor those that were heard of at least so many named speakers: a word of a few is theirs.
    """
    if not view.may_show_text:
        return []
    groups = {str(accent): group for accent, group in view.scores.groupby("accent")}
    return [one for accent in view.accents if accent in groups for one in _of_group(view, accent, groups[accent])]


def _of_group(view: View, accent: str, group: pd.DataFrame) -> Iterator[Confusion]:
    times: Counter[Pair] = Counter()
    speakers: dict[Pair, set[str]] = {}
    for speaker, pair in _pairs(group[group["errors"] > 0]):
        times[pair] += 1
        if not pd.isna(speaker):
            speakers.setdefault(pair, set()).add(speaker)
    floor = view.source.publication.floor
    told = {
        pair: (number, len(speakers.get(pair, ())))
        for pair, number in times.items()
        if number >= LEAST_WORDS and (floor is None or len(speakers.get(pair, ())) >= floor)
    }
    chosen = [pair for kind, most in MOST.items() for pair in _most(kind, most, told)]
    said = _said(group, {word for _, word, _ in chosen if word}) if floor is None else {}
    for kind, reference_word, heard_word in chosen:
        n_words, n_speakers = told[kind, reference_word, heard_word]
        yield Confusion(
            key=view.key(accent=accent),
            method="minimal word alignment after the main normalizer; all conditions together; no interval",
            kind=kind,
            reference_word=_shown(reference_word),
            heard_word=_shown(heard_word),
            n_words=n_words,
            n_said_words=said.get(reference_word),
            n_speakers=n_speakers,
        )


def _pairs(wrong: pd.DataFrame) -> Iterator[tuple[str, Pair]]:
    rows = zip(wrong["speaker_id"], *(wrong[name].tolist() for name in COLUMNS), strict=True)
    for speaker, *said in rows:
        one = Said(*said)
        words = one.reference.split()
        for kind, at, heard in one.edits() or ():
            yield speaker, (KINDS[kind], "" if kind == "insert" else words[at], heard)


def _most(kind: Kind, most: int, told: Mapping[Pair, tuple[int, int]]) -> list[Pair]:
    """Return the pairs of one kind that were heard of most speakers, then most often; the words decide among equals.

    One speaker under four conditions says a word four times, and is still one speaker.
    """
    of_kind = [pair for pair in told if pair[0] == kind]
    return sorted(of_kind, key=lambda pair: (-told[pair][1], -told[pair][0], pair))[:most]


def _said(group: pd.DataFrame, words: set[str]) -> dict[str, int]:
    said: Counter[str] = Counter()
    for text, times in group["normalized_reference"].value_counts().items():
        for word in str(text).split():
            if word in words:
                said[word] += int(times)
    return dict(said)


def _shown(word: str) -> str:
    return word[:WORD_LIMIT] + "…" if len(word) > WORD_LIMIT else word
