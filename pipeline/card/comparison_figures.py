"""The figures of a comparison: WER of each run by condition, and how each group's WER differs between two runs.

They are drawn with the sheets of the card's figures, as SVG alone: every number in them stands in a table of the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pipeline.card import figure_svg
from pipeline.card.change_sentences import shown_labels
from pipeline.card.compared import Comparison, Pair
from pipeline.card.evidence import ALL_ACCENTS
from pipeline.card.figures import in_style
from pipeline.card.palette import QUIET, SERIES
from pipeline.card.panels import intervals, scale, sheet
from pipeline.card.wording import SYNTHETIC, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

MOST_ROWS = 60
"""A figure of more rows is too long to be read; the tables hold all of them."""
WIDEST = 2.5
"""An axis ends at so many times the largest value; an interval of few speakers may go on beyond it."""
LEAST_POINTS = 2.0
RATES_ALT = (
    "One panel a condition and one row a run: a square at the word error rate of all groups pooled, and a line for its "
    "interval. The same numbers are in the table of WERs."
)
DIFFERENCES_ALT = (
    "One panel a condition and one row a group: a square at the WER of the second run less that of the first, and a "
    "line for the interval; right of zero are more errors. Hollow squares have no interval; where groups are many, "
    "those without one are left out. The same numbers are in the table of each group."
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn figure for a page that defines the variables of ``palette.VARIABLES``."""

    name: str
    title: str
    alt: str
    inline: str


@dataclass(frozen=True, slots=True)
class _Dot:
    """One row of one panel, in percentage points; ``row`` counts from 0."""

    row: int
    value: float
    ends: tuple[float, float] | None


def figures(comparison: Comparison) -> list[Drawn]:
    """Return the figures that have data and few enough rows, each drawn once."""
    flag = f" ({SYNTHETIC})" if comparison.synthetic else ""
    found = []
    if len(comparison.pairs) and len({(one.first, one.second) for one in comparison.pairs}) == 1:
        labels, pair = shown_labels(comparison), comparison.pairs[0]
        title = f"WER of each group, {labels[pair.second]} less {labels[pair.first]}{flag}"
        found.append(_drawn("differences", title, DIFFERENCES_ALT, lambda: _differences(comparison, title)))
    title = f"WER of each run, all groups pooled{flag}"
    found.append(_drawn("rates", title, RATES_ALT, lambda: _rates(comparison, title)))
    return [one for one in found if one is not None]


def _drawn(name: str, title: str, alt: str, draw: "Callable[[], Canvas | None]") -> Drawn | None:
    with in_style(name):
        canvas = draw()
        if canvas is None:
            return None
        svg = BytesIO()
        canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    finished = figure_svg.finished(svg.getvalue().decode(), name, title, alt)
    return Drawn(name, title, alt, figure_svg.inline(finished))


def _differences(comparison: Comparison, title: str) -> "Canvas | None":
    accents = sorted({one.key.accent for one in comparison.cells if one.difference is not None})
    if len(accents) >= MOST_ROWS:
        accents = sorted({one.key.accent for one in comparison.cells if one.ci_low is not None})
    rows = [*accents, ""]
    if not accents or len(rows) > MOST_ROWS:
        return None
    panels = {
        condition: [
            _dot(rows.index(one.key.accent), one)
            for one in (*comparison.cells, *comparison.pairs)
            if one.key.condition == condition and one.difference is not None and one.key.accent in rows
        ]
        for condition in comparison.conditions
    }
    names = [*map(label, accents), ALL_ACCENTS]
    return _sheet(title, names, panels, "difference in WER, percentage points; right of zero: more errors")


def _dot(row: int, pair: Pair) -> _Dot:
    known = pair.ci_low is not None and pair.ci_high is not None
    ends = (100 * (pair.ci_low or 0.0), 100 * (pair.ci_high or 0.0)) if known else None
    return _Dot(row, 100 * (pair.difference or 0.0), ends)


def _rates(comparison: Comparison, title: str) -> "Canvas | None":
    runs = [job.run_name for job in comparison.compared]
    if not runs or len(runs) > MOST_ROWS:
        return None
    labels = shown_labels(comparison)
    panels: dict[str, list[_Dot]] = {condition: [] for condition in comparison.conditions}
    for row in comparison.rows:
        cell = row.pooled
        if cell is not None and cell.wer is not None:
            known = cell.ci_low is not None and cell.ci_high is not None
            ends = (100 * (cell.ci_low or 0.0), 100 * (cell.ci_high or 0.0)) if known else None
            panels[row.key.condition].append(_Dot(runs.index(row.run_name), 100 * cell.wer, ends))
    return _sheet(title, [labels[name] for name in runs], panels, "WER, percent")


def _sheet(title: str, names: Sequence[str], panels: dict[str, list[_Dot]], x_label: str) -> "Canvas | None":
    shown = {condition: dots for condition, dots in panels.items() if dots}
    if not shown:
        return None
    made = sheet(title, names, list(map(label, shown)), x_label=x_label)
    limits = _limits([dot for dots in shown.values() for dot in dots])
    for axes, dots in zip(made.axes, shown.values(), strict=True):
        scale(axes, limits)
        axes.axvline(0, color=QUIET, linewidth=0.9)
        lines = [(dot.row, *dot.ends) for dot in dots if dot.ends is not None]
        intervals(axes, lines, limits, color=SERIES[0])
        for known, fill in ((True, SERIES[0]), (False, "none")):
            chosen = [(dot.value, dot.row) for dot in dots if (dot.ends is not None) == known]
            if chosen:
                axes.plot(*zip(*chosen, strict=True), "s", color=SERIES[0], markersize=5, markerfacecolor=fill)
    return made.figure


def _limits(dots: Sequence[_Dot]) -> tuple[float, float]:
    most = max(LEAST_POINTS, *(abs(dot.value) for dot in dots))
    ends = [end for dot in dots for end in (dot.value, *(dot.ends or ()))]
    low, high = max(min(0.0, *ends), -WIDEST * most), min(max(0.0, *ends), WIDEST * most)
    pad = 0.04 * (high - low or 1.0)
    return low - pad, high + pad
