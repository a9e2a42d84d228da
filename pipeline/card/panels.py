"""A sheet of panels: one a condition, one row a group in each, with margins from the widest label.

Margins are in inches and known before anything is drawn: a figure is laid out once, and its SVG and PNG are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from pipeline.card.palette import BAND, INK, LINE, PAGE, QUIET

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHEET_WIDTH_IN = 11.0
GROUP_CHARACTERS, CONDITION_CHARACTERS = 30, 24
TITLE_PT, LABEL_PT, SMALL_PT = 10.0, 8.0, 7.0
SQUARE = "\u2014"
"""As wide as the font is high."""
LABEL: Mapping[str, Any] = {"fontsize": LABEL_PT, "color": INK}
MARGIN_IN, GAP_IN, TICKS_IN = 0.15, 0.2, 0.24
LONE_PANEL_IN = 4.5
LEAST_ROW_IN, NARROW_ROW_IN, MANY_ROWS = 0.24, 0.19, 12
LEAST_WIDTH_IN = 6.4
HANDLE_IN = 0.45
"""What an entry of a legend takes beside its text."""
ARROW = 0.012
"""Half the length of an arrowhead, as a share of a panel's width."""


@dataclass(frozen=True)
class Sheet:
    """A figure with one axes a panel, in reading order."""

    figure: "Figure"
    axes: "list[Axes]"


def folded(text: str, characters: int) -> str:
    """Return a label on as many lines as it needs; one without a space is cut where the line ends."""
    return "\n".join(wrap(text, characters)) or " "


def fitted(text: str, room_in: float, size_pt: float, *, bold: bool = False) -> str:
    """Return a label on as many lines as it needs so that none of them is wider than ``room_in``."""
    characters = max(1, len(text))
    width = width_in([text], size_pt, bold=bold)
    while width > room_in and characters > 1:
        characters = max(1, min(characters - 1, int(characters * room_in / width)))
        width = width_in([folded(text, characters)], size_pt, bold=bold)
    return folded(text, characters)


def lines_in(labels: Sequence[str]) -> int:
    """Return the lines of the label that has the most."""
    return max((label.count("\n") + 1 for label in labels), default=1)


def height_in(lines: float, size_pt: float) -> float:
    """Return the height of so many lines of text, in inches."""
    return lines * 1.25 * size_pt / 72


def width_in(labels: Sequence[str], size_pt: float, *, bold: bool = False) -> float:
    """Return the width of the widest line of the labels, in inches, in the font that the PNG is drawn in.

    Characters that this font lacks and others draw in a full square (Chinese, Japanese, Korean) count as at least that.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size_pt, weight="bold" if bold else "normal")
    lines = [line for label in labels for line in label.split("\n")]
    lines += [squared for line in lines if (squared := _squared(line)) != line]
    widths = [text_to_path.get_text_width_height_descent(line, font, False)[0] for line in lines]
    return max(widths, default=0.0) / 72


def _squared(line: str) -> str:
    return "".join(SQUARE if east_asian_width(character) in "WF" else character for character in line)


def titled(figure: "Figure", title: str) -> None:
    """Write the title of a figure on as many lines as fit its width; it takes ``title_in`` from the top."""
    width, height = figure.get_size_inches()
    at = MARGIN_IN / width, 1 - MARGIN_IN / height
    figure.text(*at, _title(title, width), fontsize=TITLE_PT, color=INK, va="top", ha="left")


def title_in(title: str, width: float) -> float:
    """Return the height that ``titled`` takes on a figure of this width, in inches."""
    return MARGIN_IN + height_in(lines_in([_title(title, width)]), TITLE_PT)


def _title(title: str, width: float) -> str:
    return fitted(title, width - 2 * MARGIN_IN, TITLE_PT)


def sheet(
    title: str,
    rows: Sequence[str],
    panels: Sequence[str],
    *,
    x_label: str,
    handles: "Sequence[Artist]" = (),
    panel_in: float = 2.1,
) -> Sheet:
    """Return a sheet with a panel for each of ``panels``, whose rows are labeled left of the first panel of a line."""
    from matplotlib.figure import Figure

    labels = [folded(row, GROUP_CHARACTERS) for row in rows]
    left = MARGIN_IN + width_in(labels, LABEL_PT) + 0.1
    most = max(1, int((SHEET_WIDTH_IN - left) / (panel_in + GAP_IN)))
    columns = ceil(len(panels) / ceil(len(panels) / most))
    each = panel_in if columns > 1 else LONE_PANEL_IN
    heads = [fitted(panel, each, LABEL_PT, bold=True) for panel in panels]
    row_in = LEAST_ROW_IN if len(rows) <= MANY_ROWS else NARROW_ROW_IN
    tall = len(rows) * max(row_in, height_in(lines_in(labels), LABEL_PT) + 0.06)
    head, lines = height_in(lines_in(heads), LABEL_PT) + 0.1, ceil(len(panels) / columns)
    width = max(LEAST_WIDTH_IN, left + columns * (each + GAP_IN) + MARGIN_IN)
    legend_columns = _legend_columns(handles, width)
    key = height_in(1.6 * ceil(len(handles) / legend_columns), LABEL_PT)
    below = fitted(x_label, width - left - MARGIN_IN, LABEL_PT)
    top = title_in(title, width) + key
    height = top + lines * (head + tall + TICKS_IN) + height_in(lines_in([below]), LABEL_PT) + MARGIN_IN
    figure = Figure(figsize=(width, height), facecolor=PAGE)
    titled(figure, title)
    if handles:
        _legend(figure, handles, legend_columns, 1 - title_in(title, width) / height)
    axes = []
    for index, text in enumerate(heads):
        line, column = divmod(index, columns)
        x, y = left + column * (each + GAP_IN), height - top - line * (head + tall + TICKS_IN) - head - tall
        one = figure.add_axes((x / width, y / height, each / width, tall / height), facecolor=PAGE)
        _panel(one, text, labels, named=column == 0)
        axes.append(one)
    figure.text(left / width, MARGIN_IN / height, below, ha="left", va="bottom", **LABEL)
    return Sheet(figure, axes)


def _legend_columns(handles: "Sequence[Artist]", width: float) -> int:
    """Return how many entries of a legend fit beside each other."""
    texts, room = [str(handle.get_label()) for handle in handles], width - 2 * MARGIN_IN
    widths = [width_in([text], LABEL_PT) + HANDLE_IN for text in texts]
    if sum(widths) <= room:
        return max(1, len(texts))
    return max(1, int(room / max(widths)))


def _legend(figure: "Figure", handles: "Sequence[Artist]", columns: int, top: float) -> None:
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(MARGIN_IN / figure.get_size_inches()[0], top),
        ncol=columns,
        fontsize=LABEL_PT,
        frameon=False,
        labelcolor=INK,
        borderpad=0.2,
        handlelength=2.0,
        columnspacing=1.4,
    )


def _panel(axes: "Axes", head: str, labels: Sequence[str], *, named: bool) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    axes.set_axis_off()  # matplotlib's ticks take most of the time of a small panel: texts and one line stand for them
    axes.set_ylim(len(labels) - 0.5, -0.5)
    for row, text in enumerate(labels if named else ()):
        axes.text(-0.02, row, text, transform=axes.get_yaxis_transform(), ha="right", va="center", **LABEL)
    axes.set_title(head, loc="left", y=1.0, pad=4, fontweight="bold", **LABEL)
    # every other row shaded: the eye keeps to its row across panels
    bands = [Path.unit_rectangle().transformed(Affine2D().translate(0, at - 0.5)) for at in range(0, len(labels), 2)]
    band = PathPatch(Path.make_compound_path(*bands), facecolor=BAND, zorder=0, linewidth=0)
    band.set_transform(axes.get_yaxis_transform())
    axes.add_artist(band)


def scale(axes: "Axes", limits: tuple[float, float], ticks: Mapping[float, str] | None = None) -> None:
    """Set the horizontal axis of a panel and draw its grid; ticks (place to text) are round numbers unless given."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(*limits)
    if ticks is None:
        ticks = {float(at): f"{at:g}" for at in MaxNLocator(5, steps=(1, 2, 5, 10)).tick_values(*limits)}
    rows = axes.get_ylim()
    xs: list[float] = []
    for at, text in ticks.items():
        if limits[0] <= at <= limits[1]:
            xs += [at, at, float("nan")]
            axes.annotate(
                text, (at, 0), (0, -3), xycoords=axes.get_xaxis_transform(), textcoords="offset points", ha="center",
                va="top", fontsize=SMALL_PT, color=QUIET,
            )  # fmt: skip
    axes.plot(xs, [*rows, float("nan")] * (len(xs) // 3), "-", color=LINE, linewidth=0.6, zorder=0.5)


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
    inside = ARROW * (limits[1] - limits[0])
    for marker, at, cut in (
        ("<", limits[0] + inside, [row for row, low, _ in places if low < limits[0]]),
        (">", limits[1] - inside, [row for row, _, high in places if high > limits[1]]),
    ):
        if cut:
            axes.plot([at] * len(cut), cut, marker, color=color, markersize=4, linestyle="none", clip_on=False)
