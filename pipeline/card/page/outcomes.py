"""What became of the words of one trial: the edits that make its hypothesis of its reference, in visible words."""

from collections.abc import Mapping
from typing import Any

from pipeline.card.said import Counts, Said
from pipeline.card.wording import visible

MOST_WORDS = 300
"""A longer reference or hypothesis is shown by its counts alone."""
MOST_CHARACTERS = 40
"""Of a word."""


def outcome(said: Said) -> Counts | Mapping[str, Any]:
    """Return the edits of a trial; its counts alone where the texts are too long or were counted otherwise."""
    edits = said.edits() if said.longest_words <= MOST_WORDS else None
    return said.counts if edits is None else {"e": [_edit(*edit) for edit in edits]}


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
