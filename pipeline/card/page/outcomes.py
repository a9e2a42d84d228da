"""What became of the words of one trial: the edits that make its hypothesis of its reference, in visible words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.card.wording import visible
from pipeline.word_edits import word_edits

MOST_WORDS = 300
"""A longer reference or hypothesis is shown by its counts alone."""
MOST_CHARACTERS = 40
"""Of a word."""
Counts = tuple[int, int, int, int]
"""Substitutions, deletions, insertions, words of the reference."""


class Said(NamedTuple):
    """One scored trial: normalized texts, words between spaces, and what was counted of them."""

    reference: str
    hypothesis: str
    substitutions: int
    deletions: int
    insertions: int
    hits: int

    @property
    def counts(self) -> Counts:
        """What is shown where words are not."""
        return self.substitutions, self.deletions, self.insertions, self.hits + self.substitutions + self.deletions


def outcome(said: Said) -> Counts | Mapping[str, Any]:
    """Return the edits of a trial; its counts alone where the texts are too long or their alignment is another one."""
    counts = said.counts
    if not any(counts[:3]):
        return {"e": []} if counts[3] <= MOST_WORDS else counts
    if max(counts[3], said.hits + said.substitutions + said.insertions) > MOST_WORDS:
        return counts
    words = said.hypothesis.split()
    edits = word_edits(said.reference.split(), words)
    kinds = [kind for kind, _, _ in edits]
    if (kinds.count("replace"), kinds.count("delete"), kinds.count("insert")) != counts[:3]:
        return counts  # counted by another version: what is drawn must add up to what is said
    return {"e": [_edit(kind, at, words[said_at] if kind != "delete" else "") for kind, at, said_at in edits]}


def _edit(kind: str, at: int, word: str) -> list[int | str]:
    if kind == "delete":
        return [at]
    return [at, shown_word(word)] if kind == "replace" else [at, shown_word(word), 1]


def shown_words(text: str) -> str:
    """Return a reference as visible words between single spaces, cut with a mark that says so."""
    words = text.split()
    if len(words) <= MOST_WORDS:
        return " ".join(map(shown_word, words))
    return " ".join(map(shown_word, words[:MOST_WORDS])) + f" … (cut, {len(words):,} words)"


def shown_word(word: str) -> str:
    """Return one word, visible and cut; it never holds a space."""
    return visible(word[:MOST_CHARACTERS]) + "…" if len(word) > MOST_CHARACTERS else visible(word)
