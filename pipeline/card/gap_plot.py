"""The forest plot of gaps: each ranked group against the reference group, or the others, and what chance gives."""

from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card.evidence import accent_name
from pipeline.card.measures import Disparity
from pipeline.card.model import CardContent
from pipeline.card.palette import INK, QUIET, SERIES
from pipeline.card.panels import intervals, scale, sheet
from pipeline.card.plot_data import as_table
from pipeline.card.wording import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One panel a condition and one row a group: a square at the group's word error rate less that of whom it is "
    "compared with, and a line for the interval. Two rows below give the naive gap beside what chance alone gives, and "
    "the model gap. The same numbers are in section 7."
)
EACH = ("gap_to_reference", "gap_to_rest")
NAIVE, MODEL = "gap_max_min", "model_gap"
NAIVE_NAME, MODEL_NAME = "highest minus lowest", "model gap"
WIDEST = 2.5
"""Axes end at so many times the largest gap; the interval of a group of few speakers may go on beyond them."""
LEAST_POINTS = 5.0


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: the gaps of the groups, and the naive and the model gap, by condition."""
    columns = ("condition", "accent", "statistic", "value", "ci_low", "ci_high", "chance_mean", "chance_p95",
               "n_groups", "n_speakers", "n_ref_words")  # fmt: skip
    rows = [
        {
            "condition": item.key.condition,
            "accent": item.key.accent,
            "statistic": item.statistic,
            "value": item.value,
            "ci_low": item.ci_low,
            "ci_high": item.ci_high,
            "chance_mean": item.null_mean if item.statistic == NAIVE else None,
            "chance_p95": item.null_p95 if item.statistic == NAIVE else None,
            "n_groups": item.n_groups,
            "n_speakers": item.n_speakers,
            "n_ref_words": item.n_ref_words,
        }
        for item in _drawn(content)
    ]
    return as_table(rows, columns, texts=("condition", "accent", "statistic"))


def _drawn(content: CardContent) -> list[Disparity]:
    order = {name: index for index, name in enumerate(content.conditions)}
    groups = {name: index for index, name in enumerate(content.accents)}
    found = [
        item
        for item in content.numbers.disparities
        if item.key.normalizer == content.main_normalizer and item.value is not None
        and item.statistic in (*EACH, NAIVE, MODEL)
        and item.key.condition in order and (item.statistic not in EACH or item.key.accent in groups)
    ]  # fmt: skip
    return sorted(
        found, key=lambda item: (order[item.key.condition], groups.get(item.key.accent, len(groups)), item.statistic)
    )


def draw(content: CardContent, title: str) -> "Figure":
    """Draw a panel a condition; groups that no gap is known of have no row."""
    items = _drawn(content)
    known = {item.key.accent for item in items if item.statistic in EACH}
    accents = [accent for accent in content.accents if accent in known]
    conditions = [name for name in content.conditions if any(item.key.condition == name for item in items)]
    against = "the reference" if any(item.statistic == EACH[0] for item in items) else "all other groups"
    if content.numbers.rules.reference_accent and against == "the reference":
        against = label(content.numbers.rules.reference_accent)
    made = sheet(
        title,
        [*map(accent_name, accents), NAIVE_NAME, MODEL_NAME],
        list(map(label, conditions)),
        x_label=f"WER less that of {against}, percentage points",
        handles=_handles(),
    )
    limits = _limits(items)
    for axes, condition in zip(made.axes, conditions, strict=True):
        scale(axes, limits)
        axes.axvline(0, color=QUIET, linewidth=0.9)
        axes.axhline(len(accents) - 0.5, color=QUIET, linewidth=0.6)
        here = [item for item in items if item.key.condition == condition]
        _groups(axes, [(accents.index(item.key.accent), item) for item in here if item.statistic in EACH], limits)
        for item in here:
            if item.statistic == NAIVE:
                _naive(axes, len(accents), item)
            elif item.statistic == MODEL:
                _estimates(axes, [(len(accents) + 1, item)], limits, SERIES[2], "D")
    return made.figure


def _limits(items: list[Disparity]) -> tuple[float, float]:
    values = [100 * (item.value or 0.0) for item in items]
    values += [100 * item.null_p95 for item in items if item.statistic == NAIVE and item.null_p95 is not None]
    most = max(LEAST_POINTS, *map(abs, values))
    lows = [100 * item.ci_low for item in items if item.ci_low is not None and item.statistic != NAIVE]
    highs = [100 * item.ci_high for item in items if item.ci_high is not None and item.statistic != NAIVE]
    low, high = min([0.0, *values, *lows]), max([0.0, *values, *highs])
    pad = 0.04 * (min(high, WIDEST * most) - max(low, -WIDEST * most))
    return max(low, -WIDEST * most) - pad, min(high, WIDEST * most) + pad


def _groups(axes: "Axes", places: list[tuple[int, Disparity]], limits: tuple[float, float]) -> None:
    _estimates(axes, places, limits, SERIES[0], "s")


def _estimates(
    axes: "Axes", places: list[tuple[int, Disparity]], limits: tuple[float, float], color: str, marker: str
) -> None:
    lines = [
        (row, 100 * item.ci_low, 100 * item.ci_high)
        for row, item in places
        if item.ci_low is not None and item.ci_high is not None
    ]
    intervals(axes, lines, limits, color=color)
    for known, fill in ((True, color), (False, "none")):
        chosen = [(100 * (item.value or 0.0), row) for row, item in places if (item.ci_low is not None) == known]
        if chosen:
            axes.plot(*zip(*chosen, strict=True), marker, color=color, markersize=5, markerfacecolor=fill)


def _naive(axes: "Axes", row: int, item: Disparity) -> None:
    if item.null_p95 is not None:
        axes.barh(
            [row], [100 * item.null_p95], height=0.34, facecolor="none", edgecolor=QUIET, hatch="////", linewidth=0.6
        )
    if item.null_mean is not None:
        axes.plot([100 * item.null_mean] * 2, [row - 0.32, row + 0.32], "-", color=INK, linewidth=1.4)
    axes.plot([100 * (item.value or 0.0)], [row], "o", color=SERIES[1], markersize=6)


def _handles() -> "list[Artist]":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=SERIES[0], marker="s", markersize=5, linewidth=1.3, label="group, interval"),
        Line2D([], [], color=SERIES[1], marker="o", markersize=5, linestyle="none", label="naive gap"),
        Patch(facecolor="none", edgecolor=QUIET, hatch="////", label="chance alone, to its 95th percentile"),
        Line2D([], [], color=INK, marker="|", markeredgewidth=1.4, markersize=9, linestyle="none", label="its mean"),
        Line2D([], [], color=SERIES[2], marker="D", markersize=5, linewidth=1.3, label="model gap, interval"),
    ]
