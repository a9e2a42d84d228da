"""What several figures take from the numbers of the card: its main cells, and rows for the CSV beside the picture."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.palette import LINES, MARKERS, SERIES

Value = str | float | int | None


def main_cells(content: CardContent) -> dict[tuple[str, str], Cell]:
    """Return the cells of the main normalizer by accent and condition, pooled ones too."""
    return {
        (cell.key.accent, cell.key.condition): cell
        for cell in content.numbers.cells
        if cell.key.normalizer == content.main_normalizer
    }


def style_of(index: int) -> tuple[str, str, Literal["-", "--", "-.", ":"]]:
    """Return color, marker and line of the group at a place: three ways to tell it from its neighbors."""
    return SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)], LINES[index % len(LINES)]


def drawn_cell(cell: Cell) -> dict[str, Value]:
    """Return a cell as a row of the CSV: rates are shares, as everywhere but in the picture."""
    return {
        "accent": cell.key.accent,
        "condition": cell.key.condition,
        "wer": cell.wer,
        "ci_low": cell.ci_low,
        "ci_high": cell.ci_high,
        "n_speakers": cell.n_speakers,
        "n_ref_words": cell.n_ref_words,
        "support": cell.support,
    }


def as_table(rows: Iterable[Mapping[str, Value]], columns: Iterable[str], *, texts: Iterable[str]) -> pd.DataFrame:
    """Return rows as a table for ``spreadsheet.csv_text``, which neutralizes formulas in columns of text."""
    table = pd.DataFrame.from_records([dict(row) for row in rows], columns=list(columns))
    kinds: dict[Any, Any] = dict.fromkeys(texts, "str")
    return table.astype(kinds)
