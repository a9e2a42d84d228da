"""The degradation plot: each group's WER under each condition, with intervals, told apart without color."""

from itertools import cycle, islice
from textwrap import fill
from typing import TYPE_CHECKING

from pipeline.card.evidence import accent_name
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.wording import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One line a group over the conditions, with the interval of each word error rate as a bar. Groups differ in "
    "marker, line style and color. Open markers have no interval. The same numbers are in the table of section 7."
)
# Okabe and Ito's colors for color-blind readers; yellow is left out, being too faint on white
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8", "H")
LINES = ("-", "--", "-.", ":")
LABEL_CHARACTERS = 24
SPREAD = 0.7
"""Share of the distance between two conditions over which the groups are spread."""


def draw(content: CardContent, title: str) -> "Figure":
    """Draw one line a group; the groups stand beside each other within a condition so that no bar hides another."""
    from matplotlib.figure import Figure

    n_groups, n_conditions = len(content.accents), len(content.conditions)
    width = max(6.4, 3.0 + n_conditions * max(1.2, 0.16 * n_groups))
    figure = Figure(figsize=(width, max(4.4, 1.6 + 0.24 * n_groups)), layout="constrained")
    figure.suptitle(title, fontsize=10, wrap=True)
    axes = figure.add_subplot()
    styles = zip(*(islice(cycle(style), n_groups) for style in (COLORS, MARKERS, LINES)), strict=True)
    cells = {
        (cell.key.accent, cell.key.condition): cell
        for cell in content.numbers.cells
        if cell.key.normalizer == content.main_normalizer
    }
    for index, (accent, style) in enumerate(zip(content.accents, styles, strict=True)):
        offset = SPREAD * ((index + 0.5) / n_groups - 0.5)
        found = [(x + offset, cells.get((accent, condition))) for x, condition in enumerate(content.conditions)]
        _line(axes, [(x, cell) for x, cell in found if cell is not None and cell.wer is not None], accent, style)
    _frame(axes, content)
    return figure


def _line(axes: "Axes", places: list[tuple[float, Cell]], accent: str, style: tuple[str, str, str]) -> None:
    color, marker, line = style
    wers = [100 * (cell.wer or 0.0) for _, cell in places]
    axes.plot([x for x, _ in places], wers, line, color=color, linewidth=0.9, alpha=0.6)
    for (x, cell), wer in zip(places, wers, strict=True):
        known = cell.ci_low is not None and cell.ci_high is not None
        if known:
            low, high = 100 * (cell.ci_low or 0.0), 100 * (cell.ci_high or 0.0)
            axes.vlines(x, low, high, color=color, linewidth=1.3)
        axes.plot(
            [x], [wer], marker, color=color, markersize=5.5, markerfacecolor=color if known else "white", clip_on=False
        )
    axes.plot(
        [],
        [],
        line,
        color=color,
        marker=marker,
        markersize=5.5,
        label=f" {fill(accent_name(accent), LABEL_CHARACTERS)}",
    )


def _frame(axes: "Axes", content: CardContent) -> None:
    n_conditions = len(content.conditions)
    axes.set_xticks(
        range(n_conditions), [fill(label(name), LABEL_CHARACTERS) for name in content.conditions], fontsize=9
    )
    axes.set_xlim(-0.5, n_conditions - 0.5)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(f"WER (%), {100 * content.numbers.rules.confidence:g}% intervals")
    for x in range(1, n_conditions):
        axes.axvline(x - 0.5, color="#dddddd", linewidth=0.8)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if content.accents:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False, handlelength=3.2)
