"""A sheet of panels: one a condition, one row a group in each, with margins from the widest label.

Margins are in inches and known before anything is drawn: a figure is laid out once, and its SVG and PNG are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING

from pipeline.card.palette import BAND, INK, LINE, PAGE, QUIET

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHEET_WIDTH_IN = 11.0
GROUP_CHARACTERS, CONDITION_CHARACTERS = 30, 24
TITLE_PT, LABEL_PT, SMALL_PT = 10.0, 8.0, 7.0
TITLE_CHARACTER_IN = 0.078  # on average, in the font that the PNG is drawn in
MARGIN_IN, GAP_IN, TICKS_IN = 0.15, 0.2, 0.24
LONE_PANEL_IN = 4.5
LEAST_ROW_IN = 0.24


@dataclass(frozen=True)
class Sheet:
    """A figure with one axes a panel, in reading order, and the place of its legend (figure coordinates)."""

    figure: "Figure"
    axes: "list[Axes]"
    legend_at: tuple[float, float]


def folded(text: str, characters: int) -> str:
    """Return a label on as many lines as it needs; one without a space is cut where the line ends."""
    return "\n".join(wrap(text, characters)) or " "


def lines_in(labels: Sequence[str]) -> int:
    """Return the lines of the label that has the most."""
    return max((label.count("\n") + 1 for label in labels), default=1)


def height_in(lines: float, size_pt: float) -> float:
    """Return the height of so many lines of text, in inches."""
    return lines * 1.25 * size_pt / 72


def width_in(labels: Sequence[str], size_pt: float) -> float:
    """Return the width of the widest line of the labels, in inches, in the font that the PNG is drawn in."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size_pt)
    widths = [
        text_to_path.get_text_width_height_descent(line, font, False)[0]
        for label in labels
        for line in label.split("\n")
    ]
    return max(widths, default=0.0) / 72


def titled(figure: "Figure", title: str) -> None:
    """Write the title of a figure on as many lines as fit its width; it takes ``title_in`` from the top."""
    width, height = figure.get_size_inches()
    at = MARGIN_IN / width, 1 - MARGIN_IN / height
    figure.text(*at, _title(title, width), fontsize=TITLE_PT, color=INK, va="top", ha="left")


def title_in(title: str, width: float) -> float:
    """Return the height that ``titled`` takes on a figure of this width, in inches."""
    return MARGIN_IN + height_in(lines_in([_title(title, width)]), TITLE_PT)


def _title(title: str, width: float) -> str:
    return folded(title, max(20, int((width - 2 * MARGIN_IN) / TITLE_CHARACTER_IN)))


def sheet(
    title: str,
    rows: Sequence[str],
    panels: Sequence[str],
    *,
    x_label: str,
    panel_in: float = 2.1,
    legend_lines: int = 1,
) -> Sheet:
    """Return a sheet with a panel for each of ``panels``, whose rows are labeled left of the first panel of a line."""
    from matplotlib.figure import Figure

    labels = [folded(row, GROUP_CHARACTERS) for row in rows]
    heads = [folded(panel, CONDITION_CHARACTERS) for panel in panels]
    left = MARGIN_IN + width_in(labels, LABEL_PT) + 0.1
    most = max(1, int((SHEET_WIDTH_IN - left) / (panel_in + GAP_IN)))
    columns = ceil(len(panels) / ceil(len(panels) / most))
    each = panel_in if columns > 1 else LONE_PANEL_IN
    tall = len(rows) * max(LEAST_ROW_IN, height_in(lines_in(labels), LABEL_PT) + 0.06)
    head, lines = height_in(lines_in(heads), LABEL_PT) + 0.1, ceil(len(panels) / columns)
    width = left + columns * (each + GAP_IN) + MARGIN_IN
    top = title_in(title, width) + height_in(1.6 * legend_lines, LABEL_PT)
    height = top + lines * (head + tall + TICKS_IN) + height_in(1, LABEL_PT) + MARGIN_IN
    figure = Figure(figsize=(width, height), facecolor=PAGE)
    titled(figure, title)
    legend_at = (MARGIN_IN / width, 1 - title_in(title, width) / height)
    axes = []
    for index, text in enumerate(heads):
        line, column = divmod(index, columns)
        x, y = left + column * (each + GAP_IN), height - top - line * (head + tall + TICKS_IN) - head - tall
        one = figure.add_axes((x / width, y / height, each / width, tall / height), facecolor=PAGE)
        _panel(one, text, labels, named=column == 0)
        axes.append(one)
    figure.text(left / width, MARGIN_IN / height, x_label, fontsize=LABEL_PT, color=INK, ha="left", va="bottom")
    return Sheet(figure, axes, legend_at)


def _panel(axes: "Axes", head: str, labels: Sequence[str], *, named: bool) -> None:
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels if named else [""] * len(labels), fontsize=LABEL_PT, color=INK)
    axes.set_title(head, fontsize=LABEL_PT, color=INK, loc="left", pad=4, fontweight="bold")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL_PT, labelcolor=QUIET, color=LINE, length=2)
    for at in range(0, len(labels), 2):  # every other row shaded: the eye keeps to its row across panels
        axes.axhspan(at - 0.5, at + 0.5, facecolor=BAND, zorder=0, linewidth=0)
    axes.grid(axis="x", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(LINE)
        spine.set_linewidth(0.6)


def intervals(
    axes: "Axes",
    places: Sequence[tuple[float, float, float]],
    limits: tuple[float, float],
    *,
    color: str,
    linewidth: float = 1.3,
) -> None:
    """Draw intervals as lines, each given as (row, low, high); an end beyond ``limits`` is an arrowhead there."""
    xs: list[float] = []
    ys: list[float] = []
    for row, low, high in places:
        xs += [max(low, limits[0]), min(high, limits[1]), float("nan")]
        ys += [row, row, float("nan")]
    if xs:
        axes.plot(xs, ys, "-", color=color, linewidth=linewidth, solid_capstyle="butt")
    for marker, at, cut in (
        ("<", limits[0], [row for row, low, _ in places if low < limits[0]]),
        (">", limits[1], [row for row, _, high in places if high > limits[1]]),
    ):
        if cut:
            axes.plot([at] * len(cut), cut, marker, color=color, markersize=4, linestyle="none", clip_on=False)


def legend(made: Sheet, handles: "Sequence[Artist]") -> None:
    """Write the legend on one line under the title."""
    made.figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=made.legend_at,
        ncol=max(1, len(handles)),
        fontsize=LABEL_PT,
        frameon=False,
        labelcolor=INK,
        borderpad=0.2,
        handlelength=2.0,
        columnspacing=1.4,
    )
