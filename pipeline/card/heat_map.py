"""The heat map: one square an accent x condition, with its WER, interval and support printed in it."""

from textwrap import fill
from typing import TYPE_CHECKING

from pipeline.card.evidence import accent_name, interval_of
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.publication import SUPPRESSED
from pipeline.card.wording import label, percent
from pipeline.tables import POOLED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "Table of squares, one row a group and one column a condition; a darker square is a higher word error rate. Each "
    "square prints the rate, its interval and its speakers. Hatched squares have no interval. The same numbers are in "
    "the table of section 7."
)
COLORS = "YlGnBu"  # a ColorBrewer sequential map: ordered in lightness, safe for color-blind readers and for gray print
LEAST_DARKEST = 0.3  # so that small differences between low rates do not look like a chasm
NAME_CHARACTERS, CONDITION_CHARACTERS = 30, 20  # a line of a label that fits beside or above a square
CELL_WIDTH_IN, CELL_HEIGHT_IN = 1.55, 0.72


def draw(content: CardContent, title: str) -> "Figure":
    """Draw the heat map; colors run from 0 to the highest WER shown, or from 0 to 30% if all are lower."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    cells = {(cell.key.accent, cell.key.condition): cell for cell in _main(content)}
    pooled = [POOLED] if any(accent == POOLED for accent, _ in cells) else []
    accents, conditions = [*content.accents, *pooled], content.conditions
    hidden = content.numbers.publication.hidden
    highest = max(cell.wer or 0.0 for cell in cells.values())
    norm, colors = Normalize(0.0, min(1.0, max(LEAST_DARKEST, highest)), clip=True), colormaps[COLORS]
    size = (2.8 + CELL_WIDTH_IN * len(conditions), 1.4 + CELL_HEIGHT_IN * len(accents))
    figure = Figure(figsize=(max(size[0], 6.4), size[1]), layout="constrained")
    figure.suptitle(title, fontsize=10, wrap=True)
    axes = figure.add_subplot()
    for y, accent in enumerate(accents):
        for x, condition in enumerate(conditions):
            cell = cells.get((accent, condition))
            color = colors(norm(cell.wer)) if cell is not None and cell.wer is not None else (0.94, 0.94, 0.94, 1.0)
            absent = SUPPRESSED if (accent, condition) in hidden else "not evaluated"
            _square(axes, (x, y), cell, color, known=content.speakers_known, absent=absent)
    rows = [fill(accent_name(accent), NAME_CHARACTERS) for accent in accents]
    _frame(axes, rows, [fill(label(name), CONDITION_CHARACTERS) for name in conditions])
    return figure


def _main(content: CardContent) -> list[Cell]:
    return [cell for cell in content.numbers.cells if cell.key.normalizer == content.main_normalizer]


def _square(
    axes: "Axes",
    at: tuple[int, int],
    cell: Cell | None,
    color: tuple[float, float, float, float],
    *,
    known: bool,
    absent: str,
) -> None:
    from matplotlib.patches import Rectangle

    x, y = at
    hatch = None if cell is not None and cell.ci_low is not None else "////"
    square = Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor="white", linewidth=1.5)
    axes.add_patch(square)
    if hatch:
        # the hatch is its own patch: its color is that of an edge, and must stay faint behind the text
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch=hatch, edgecolor="#bbbbbb", linewidth=0))
    ink = _ink(color)
    if cell is None or cell.wer is None:
        axes.text(x, y, absent, ha="center", va="center", fontsize=7.5, color=ink)
        return
    people = f"{cell.n_speakers:,} spk, " if known else ""
    lines = [interval_of(cell) or "no interval", f"{people}{cell.n_ref_words:,} words"]
    behind = {"facecolor": color, "edgecolor": "none", "pad": 1.5} if hatch else None
    axes.text(
        x, y - 0.2, percent(cell.wer), ha="center", va="center", fontsize=11, weight="bold", color=ink, bbox=behind
    )
    axes.text(x, y + 0.2, "\n".join(lines), ha="center", va="center", fontsize=7, color=ink, bbox=behind)


def _ink(color: tuple[float, float, float, float]) -> str:
    # black or white, whichever has the higher contrast ratio (WCAG 2.2, relative luminance of sRGB)
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "white"


def _frame(axes: "Axes", accents: list[str], conditions: list[str]) -> None:
    axes.set_xlim(-0.5, len(conditions) - 0.5)
    axes.set_ylim(len(accents) - 0.5, -0.5)
    axes.set_xticks(range(len(conditions)), conditions, fontsize=9)
    axes.set_yticks(range(len(accents)), accents, fontsize=9)
    axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
