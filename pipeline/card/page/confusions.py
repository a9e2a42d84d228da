"""The words that a recognizer takes for others, most frequent first, one row a group."""

from dataclasses import dataclass

from pipeline.card.model import CardContent


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One group: what was replaced, left out and inserted, one a line."""

    name: str
    kinds: tuple[tuple[str, ...], ...]


def confusion_rows(content: CardContent) -> list[ConfusionRow]:
    """Return a row for each group of which a confusion may be told."""
    return []
