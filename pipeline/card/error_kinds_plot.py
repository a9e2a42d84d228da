"""The kinds of errors: substitutions, deletions and insertions of each group under each condition, as stacked bars."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.card.evidence import accent_name
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.palette import INK, PAGE, SERIES
from pipeline.card.panels import SMALL_PT, scale, sheet
from pipeline.card.plot_data import as_table, main_cells
from pipeline.card.wording import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One panel a condition and one row a group: a bar of substitutions (plain), deletions (hatched) and insertions "
    "(crossed) per 100 reference words, whose length is the word error rate. The same numbers are in error_kinds.csv."
)
KINDS = (("substitutions", SERIES[0], ""), ("deletions", SERIES[1], "/////"), ("insertions", SERIES[4], "xxxx"))
MOST_NUMBERS = 150
"""Of bars that print their WER beside them."""


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: the counts of each group under each condition."""
    columns = ("condition", "accent", "substitutions", "deletions", "insertions", "wer", "n_speakers", "n_ref_words")
    rows = [
        {
            "condition": cell.key.condition,
            "accent": cell.key.accent,
            "substitutions": cell.substitutions,
            "deletions": cell.deletions,
            "insertions": cell.insertions,
            "wer": cell.wer,
            "n_speakers": cell.n_speakers,
            "n_ref_words": cell.n_ref_words,
        }
        for cell in _drawn(content)
    ]
    return as_table(rows, columns, texts=("condition", "accent"))


def _drawn(content: CardContent) -> list[Cell]:
    cells = main_cells(content)
    found = [cells.get((accent, condition)) for condition in content.conditions for accent in content.accents]
    return [cell for cell in found if cell is not None and cell.n_ref_words > 0]


def draw(content: CardContent, title: str) -> "Figure":
    """Draw a panel a condition, all on one scale."""
    cells = _drawn(content)
    known = {cell.key.accent for cell in cells}
    accents = [accent for accent in content.accents if accent in known]
    conditions = [name for name in content.conditions if any(cell.key.condition == name for cell in cells)]
    names = list(map(accent_name, accents))
    made = sheet(
        title, names, list(map(label, conditions)), x_label="errors per 100 reference words", handles=_handles()
    )
    longest = max([1.0, *(_per_100(cell, cell.substitutions + cell.deletions + cell.insertions) for cell in cells)])
    for axes, condition in zip(made.axes, conditions, strict=True):
        scale(axes, (0, longest * 1.18))
        here = [(accents.index(cell.key.accent), cell) for cell in cells if cell.key.condition == condition]
        _bars(axes, here)
        if len(cells) <= MOST_NUMBERS:
            _numbers(axes, here, 0.02 * longest)
    return made.figure


def _per_100(cell: Cell, errors: int) -> float:
    return 100 * errors / cell.n_ref_words


def _bars(axes: "Axes", places: list[tuple[int, Cell]]) -> None:
    """Draw each kind as one path of all of its bars: a study of 600 cells stays small as SVG."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    ends = dict.fromkeys((row for row, _ in places), 0.0)
    for kind, color, hatch in KINDS:
        boxes = []
        for row, cell in places:
            start, end = ends[row], ends[row] + _per_100(cell, getattr(cell, kind))
            ends[row] = end
            if end > start:
                low, high = row - 0.32, row + 0.32
                boxes.append(Path([(start, low), (end, low), (end, high), (start, high), (start, low)], closed=True))
        if boxes:
            axes.add_patch(PathPatch(Path.make_compound_path(*boxes), hatch=hatch, **_look(color)))


def _look(color: str) -> dict[str, Any]:
    return {"facecolor": color, "edgecolor": PAGE, "linewidth": 0.4}


def _handles() -> "list[Artist]":
    from matplotlib.patches import Patch

    return [Patch(hatch=hatch, label=kind, **_look(color)) for kind, color, hatch in KINDS]


def _numbers(axes: "Axes", places: list[tuple[int, Cell]], gap: float) -> None:
    for row, cell in places:
        total = _per_100(cell, cell.substitutions + cell.deletions + cell.insertions)
        axes.text(total + gap, row, f"{total:.1f}", fontsize=SMALL_PT, color=INK, va="center", ha="left")
