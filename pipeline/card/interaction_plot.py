"""The interaction plot: by how much more a condition multiplies the errors of one group than those of the others."""

from math import log2
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card.evidence import accent_name
from pipeline.card.measures import Interaction
from pipeline.card.model import CardContent
from pipeline.card.palette import QUIET, SERIES
from pipeline.card.panels import intervals, scale, sheet
from pipeline.card.plot_data import as_table
from pipeline.card.wording import label
from pipeline.records import significance_level

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One panel a condition and one row a group: a mark at the harm ratio with a line for its interval, on a scale of "
    "factors with 1 marked. Filled squares are shown after adjustment, hollow circles are not shown. The same numbers "
    "are in the table of section 8."
)
WIDEST = 8.0
"""The scale ends at this factor, up and down, unless a ratio itself lies beyond."""
PAD = 0.08
TICKS = tuple(2.0**octave for octave in range(-6, 7))
NARROW_TICKS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
FEW_OCTAVES = 3.0


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: the harm ratio of each group under each condition."""
    columns = ("condition", "accent", "ratio", "ci_low", "ci_high", "p_adjusted", "shown", "n_speakers", "n_ref_words")
    rows = [
        {
            "condition": item.key.condition,
            "accent": item.key.accent,
            "ratio": item.ratio,
            "ci_low": item.ci_low,
            "ci_high": item.ci_high,
            "p_adjusted": item.p_adjusted,
            "shown": _shown(content, item),
            "n_speakers": item.n_speakers,
            "n_ref_words": item.n_ref_words,
        }
        for item in _drawn(content)
    ]
    return as_table(rows, columns, texts=("condition", "accent"))


def _drawn(content: CardContent) -> list[Interaction]:
    order = {name: index for index, name in enumerate(content.conditions)}
    groups = {name: index for index, name in enumerate(content.accents)}
    found = [
        item
        for item in content.numbers.interactions
        if item.key.normalizer == content.main_normalizer and item.ratio and item.key.condition in order
        and item.key.accent in groups
    ]  # fmt: skip
    return sorted(found, key=lambda item: (order[item.key.condition], groups[item.key.accent]))


def _shown(content: CardContent, item: Interaction) -> bool:
    level = significance_level(content.numbers.rules.confidence)
    return item.p_adjusted is not None and item.p_adjusted < level


def draw(content: CardContent, title: str) -> "Figure":
    """Draw a panel a condition on one logarithmic scale; what is not shown is quieter."""
    items = _drawn(content)
    known = {item.key.accent for item in items}
    accents = [accent for accent in content.accents if accent in known]
    conditions = [name for name in content.conditions if any(item.key.condition == name for item in items)]
    made = sheet(
        title,
        list(map(accent_name, accents)),
        list(map(label, conditions)),
        x_label="harm ratio: factor on this group's errors over that on the other groups' (1: in proportion)",
        handles=[_handle(shown=True), _handle(shown=False)],
    )
    limits = _limits(items)
    ticks = TICKS if limits[1] - limits[0] > FEW_OCTAVES else NARROW_TICKS
    for axes, condition in zip(made.axes, conditions, strict=True):
        scale(axes, limits, {log2(tick): f"{tick:g}" for tick in ticks})
        axes.axvline(0, color=QUIET, linewidth=0.9)
        here = [item for item in items if item.key.condition == condition]
        for shown in (False, True):
            chosen = [(accents.index(item.key.accent), item) for item in here if _shown(content, item) == shown]
            _estimates(axes, chosen, limits, shown=shown)
    return made.figure


def _limits(items: list[Interaction]) -> tuple[float, float]:
    """Return the ends of the scale, as logarithms to base 2 like everything on it."""
    ratios = [item.ratio or 1.0 for item in items]
    ends = [end for item in items for end in (item.ci_low, item.ci_high) if end]
    low = min(0.8, *ratios, *(max(end, 1 / WIDEST) for end in ends))
    high = max(1.25, *ratios, *(min(end, WIDEST) for end in ends))
    return log2(low) - PAD, log2(high) + PAD


def _estimates(
    axes: "Axes", places: list[tuple[int, Interaction]], limits: tuple[float, float], *, shown: bool
) -> None:
    color = SERIES[1] if shown else QUIET
    lines = [(row, log2(item.ci_low), log2(item.ci_high)) for row, item in places if item.ci_low and item.ci_high]
    intervals(axes, lines, limits, color=color, linewidth=1.8 if shown else 0.9)
    if places:
        marker, size = ("s", 6) if shown else ("o", 4.5)
        axes.plot(
            [log2(item.ratio or 1.0) for _, item in places],
            [row for row, _ in places],
            marker,
            color=color,
            markersize=size,
            markerfacecolor=color if shown else "none",
        )


def _handle(*, shown: bool) -> "Artist":
    from matplotlib.lines import Line2D

    color = SERIES[1] if shown else QUIET
    return Line2D(
        [],
        [],
        color=color,
        marker="s" if shown else "o",
        markersize=6 if shown else 4.5,
        linewidth=1.8 if shown else 0.9,
        markerfacecolor=color if shown else "none",
        label="shown after adjustment" if shown else "not shown, which is not evidence that there is none",
    )
