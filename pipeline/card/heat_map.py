"""The heat map: one square an accent x condition, with its WER, interval and support printed in it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card.evidence import accent_name, interval_of
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.palette import BAND, INK, LINE, PAGE
from pipeline.card.panels import (
    GROUP_CHARACTERS,
    MARGIN_IN,
    fitted,
    folded,
    height_in,
    lines_in,
    title_in,
    titled,
    width_in,
)
from pipeline.card.plot_data import as_table, drawn_cell, main_cells
from pipeline.card.publication import SUPPRESSED
from pipeline.card.wording import NOT_EVALUATED, label, percent
from pipeline.tables import POOLED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "Table of squares, one row a group and one column a condition; a darker square is a higher word error rate. Each "
    "square prints the rate, its interval and its speakers; in a large study the rate alone. Hatched squares have no "
    "interval. The same numbers are in the table of section 7."
)
COLORS = "YlGnBu"  # a ColorBrewer sequential map: ordered in lightness, safe for color-blind readers and for gray print
LEAST_DARKEST = 0.3  # so that small differences between low rates do not look like a chasm
CELL_WIDTH_IN, CELL_HEIGHT_IN = 1.5, 0.62
SMALL_WIDTH_IN, SMALL_HEIGHT_IN, SMALL_CHARACTERS = 0.72, 0.3, 10
MOST_TOLD_CELLS = 150
"""With more cells a square prints its rate alone: the rest is in the tables, and the picture stays small."""
BLACK, WHITE = "#000000", "#fefefe"  # on a square, whose color no page changes


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: one row a square that has a WER."""
    columns = ("accent", "condition", "wer", "ci_low", "ci_high", "n_speakers", "n_ref_words", "support")
    rows = [drawn_cell(cell) for cell in main_cells(content).values() if cell.wer is not None]
    return as_table(rows, columns, texts=("accent", "condition", "support"))


def draw(content: CardContent, title: str) -> "Figure":
    """Draw the heat map; colors run from 0 to the highest WER shown, or from 0 to 30% if all are lower."""
    cells = main_cells(content)
    pooled = [POOLED] if any(accent == POOLED for accent, _ in cells) else []
    accents, conditions = [*content.accents, *pooled], content.conditions
    small = len(accents) * len(conditions) > MOST_TOLD_CELLS
    axes = _frame(title, [accent_name(accent) for accent in accents], [label(name) for name in conditions], small)
    places = {(accent, name): (x, y) for y, accent in enumerate(accents) for x, name in enumerate(conditions)}
    found = {place: cells.get(key) for key, place in places.items()}
    colors = _colors(found)
    _squares(axes, found, colors)
    hidden = content.numbers.publication.hidden
    for key, place in places.items():
        absent = SUPPRESSED if key in hidden else NOT_EVALUATED
        _print(axes, place, found[place], colors.get(place), absent, small=small, known=content.speakers_known)
    figure = axes.get_figure(root=True)
    if figure is None:
        raise RuntimeError("axes without a figure")
    return figure


def _frame(title: str, accents: list[str], conditions: list[str], small: bool) -> "Axes":
    from matplotlib.figure import Figure

    wide, tall = (SMALL_WIDTH_IN, SMALL_HEIGHT_IN) if small else (CELL_WIDTH_IN, CELL_HEIGHT_IN)
    rows = [folded(accent, 2 * GROUP_CHARACTERS if small else GROUP_CHARACTERS) for accent in accents]
    size = 7.5 if small else 9
    heads = [fitted(name, wide - 0.05, size) for name in conditions]
    left = MARGIN_IN + width_in(rows, size) + 0.1
    width = max(6.4, left + wide * len(conditions) + MARGIN_IN)
    top = title_in(title, width) + 0.1 + height_in(lines_in(heads), size) + 0.1
    height = top + tall * len(accents) + MARGIN_IN
    figure = Figure(figsize=(width, height), facecolor=PAGE)
    titled(figure, title)
    box = (left / width, MARGIN_IN / height, wide * len(conditions) / width, tall * len(accents) / height)
    axes = figure.add_axes(box, facecolor=PAGE)
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    axes.set_ylim(len(accents) - 0.5, -0.5)
    axes.set_axis_off()
    for x, head in enumerate(heads):
        axes.text(x, -0.5 - 0.08 / tall, head, fontsize=size, color=INK, ha="center", va="bottom")
    for y, row in enumerate(rows):
        axes.text(-0.5 - 0.08 / wide, y, row, fontsize=size, color=INK, ha="right", va="center")
    return axes


def darkest(wers: Iterable[float]) -> float:
    """Return the WER that has the darkest color: the highest, here and in the table of the page."""
    return max([LEAST_DARKEST, *wers])


def _colors(found: dict[tuple[int, int], Cell | None]) -> dict[tuple[int, int], tuple[float, float, float, float]]:
    """Return the color of every square that has a WER."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    wers = {place: cell.wer for place, cell in found.items() if cell is not None and cell.wer is not None}
    norm = Normalize(0.0, darkest(wers.values()), clip=True)
    return {place: colormaps[COLORS](norm(wer)) for place, wer in wers.items()}


def _squares(
    axes: "Axes",
    found: dict[tuple[int, int], Cell | None],
    colors: dict[tuple[int, int], tuple[float, float, float, float]],
) -> None:
    from matplotlib.patches import Rectangle

    for (x, y), cell in found.items():
        color = colors.get((x, y), BAND)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor=PAGE, linewidth=1.5))
        if cell is None or cell.ci_low is None:
            # the hatch is its own patch: its color is that of an edge, and must stay faint behind the text
            ink = "#bbbbbb" if (x, y) in colors else LINE
            axes.add_patch(Rectangle((x - 0.49, y - 0.48), 0.98, 0.96, fill=False, hatch="////", edgecolor=ink, lw=0))


def _print(
    axes: "Axes",
    at: tuple[int, int],
    cell: Cell | None,
    color: tuple[float, float, float, float] | None,
    absent: str,
    *,
    small: bool,
    known: bool,
) -> None:
    x, y = at
    if cell is None or cell.wer is None or color is None:
        behind = {"facecolor": BAND, "edgecolor": "none", "pad": 1.0}
        text = folded(absent, SMALL_CHARACTERS) if small else absent
        axes.text(x, y, text, ha="center", va="center", fontsize=5.5 if small else 7.5, color=INK, bbox=behind)
        return
    ink = _ink(color)
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.5} if cell.ci_low is None else None
    if small:
        axes.text(x, y, percent(cell.wer), ha="center", va="center", fontsize=8, color=ink, bbox=box)
        return
    people = f"{cell.n_speakers:,} spk, " if known else ""
    axes.text(x, y - 0.22, percent(cell.wer), ha="center", va="center", fontsize=11, weight="bold", color=ink, bbox=box)
    lines = (interval_of(cell) or "no interval", f"{people}{cell.n_ref_words:,} words")
    for line, below in zip(lines, (0.1, 0.3), strict=True):
        axes.text(x, y + below, line, ha="center", va="center", fontsize=7, color=ink, bbox=box)


def _ink(color: tuple[float, float, float, float]) -> str:
    # black or white, whichever has the higher contrast ratio (WCAG 2.2, relative luminance of sRGB)
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return BLACK if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else WHITE
