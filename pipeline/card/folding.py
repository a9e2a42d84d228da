"""Long tables kept readable: rows that say of every condition that nothing was compared become one sentence."""

from collections.abc import Callable, Sequence

from pipeline.card.model import Row, Sentence
from pipeline.card.wording import count

MOST_EMPTY_ROWS = 5
"""So many rows without a result stay in a table; more are told in one sentence."""
MOST_NAMES = 10
"""So many names stand in a sentence; the others are counted."""


def folded(
    rows: Sequence[Row], says_nothing: Callable[[Row], bool], *, noun: str, file: str
) -> tuple[list[Row], list[Sentence]]:
    """Return the rows worth showing, and a sentence on how many were left out and where they are.

    Args:
        rows: All rows of a table.
        says_nothing: Whether a row holds no result under any condition.
        noun: What one row is, as in ``group``.
        file: The table of results that has every row.
    """
    left = [row for row in rows if says_nothing(row)]
    if len(left) <= MOST_EMPTY_ROWS:
        return list(rows), []
    text = f"{count(len(left), noun)} with nothing to compare under any condition not in this table; see {file}."
    return [row for row in rows if not says_nothing(row)], [Sentence(text=text)]


def first_lines(*texts: str) -> Callable[[Row], bool]:
    """Return a test of rows: does every cell begin with one of ``texts``?"""
    return lambda row: all(cell.lines and cell.lines[0].startswith(texts) for cell in row.cells)


def any_lines(*texts: str) -> Callable[[Row], bool]:
    """Return a test of rows: does some line of every cell begin with one of ``texts``?"""
    return lambda row: all(any(line.startswith(texts) for line in cell.lines) for cell in row.cells)


def some_named(names: Sequence[str], *, separator: str = "; ") -> str:
    """Join ``names``, the first few of many, and say how many more there are."""
    if len(names) <= MOST_NAMES + 1:
        return separator.join(names)
    return f"{separator.join(names[:MOST_NAMES])}{separator}and {len(names) - MOST_NAMES:,} more"
