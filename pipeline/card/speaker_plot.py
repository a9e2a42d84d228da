"""The speakers: a dot each at its WER, so that a reader sees whether one person makes a gap. No dot has a name."""

from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card.evidence import accent_name
from pipeline.card.figure_measures import SpeakerCounts
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.palette import SERIES
from pipeline.card.panels import intervals, scale, sheet
from pipeline.card.plot_data import Value, as_table, main_cells
from pipeline.card.wording import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One panel a condition and one row a group: a dot a speaker at that speaker's word error rate, a bar at the "
    "group's pooled rate and a line for its interval. Speakers are not named. Boxes stand for very many. "
    "The same numbers are in speakers.csv."
)
MOST_DOTS = 1500
"""Speakers times conditions; above it the page would be slow, and dots would hide each other."""
SIZES = (3.0, 4.2, 6.0, 8.5)
"""Diameters in pt: the area of a dot is in four classes of the words behind it, each twice the one before."""
GOLDEN = 0.6180339887498949
JITTER, POOLED_MARK = 0.27, 0.36
BEYOND = 1.25
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: a row a speaker in the order of WER, or the quantiles of each cell."""
    if not _many(content):
        rows: list[dict[str, Value]] = [
            {
                "condition": item.key.condition,
                "accent": item.key.accent,
                "wer": wer,
                "errors": errors,
                "n_ref_words": words,
            }
            for item in content.numbers.speakers
            for wer, errors, words in zip(item.wers, item.errors, item.ref_words, strict=True)
        ]
        return as_table(rows, ("condition", "accent", "wer", "errors", "n_ref_words"), texts=("condition", "accent"))
    names = [f"wer_p{round(100 * share)}" for share in QUANTILES]
    rows = [
        {
            "condition": item.key.condition,
            "accent": item.key.accent,
            **dict(zip(names, quantiles(item.wers), strict=True)),
            "n_speakers": item.n_speakers,
            "n_ref_words": item.n_ref_words,
        }
        for item in content.numbers.speakers
    ]
    return as_table(rows, ("condition", "accent", *names, "n_speakers", "n_ref_words"), texts=("condition", "accent"))


def _many(content: CardContent) -> bool:
    return sum(item.n_speakers for item in content.numbers.speakers) > MOST_DOTS


def quantiles(wers: tuple[float, ...]) -> list[float]:
    """Return the quantiles that stand for the dots, linear between speakers (Hyndman and Fan's type 7)."""
    return [float(value) for value in pd.Series(wers, dtype="float64").quantile(list(QUANTILES))]


def draw(content: CardContent, title: str) -> "Figure":
    """Draw a panel a condition on one scale, which ends at the highest WER of a speaker."""
    items, cells, many = content.numbers.speakers, main_cells(content), _many(content)
    known = {item.key.accent for item in items}
    accents = [accent for accent in content.accents if accent in known]
    conditions = [name for name in content.conditions if any(item.key.condition == name for item in items)]
    names, heads = list(map(accent_name, accents)), list(map(label, conditions))
    made = sheet(title, names, heads, x_label="WER, %", handles=_handles(many=many))
    highest = _highest(items, list(cells.values()))
    median = float(pd.Series([words for item in items for words in item.ref_words]).median())
    for axes, condition in zip(made.axes, conditions, strict=True):
        scale(axes, (-0.03 * highest, 1.03 * highest))
        here = [(accents.index(item.key.accent), item) for item in items if item.key.condition == condition]
        _boxes(axes, here) if many else _dots(axes, here, median)
        pooled = [
            (row, cells[item.key.accent, condition]) for row, item in here if (item.key.accent, condition) in cells
        ]
        _pooled(axes, pooled, (-0.03 * highest, 1.03 * highest))
    return made.figure


def _highest(items: list[SpeakerCounts], cells: list[Cell]) -> float:
    """Return the end of the scale: the highest WER of a speaker or group, or an interval's end a little beyond."""
    dot = max([10.0, *(100 * max(item.wers) for item in items), *(100 * (cell.wer or 0.0) for cell in cells)])
    return max([dot, *(min(100 * cell.ci_high, BEYOND * dot) for cell in cells if cell.ci_high is not None)])


def _dots(axes: "Axes", places: list[tuple[int, SpeakerCounts]], median: float) -> None:
    sized: dict[float, list[tuple[float, float]]] = {}
    for row, item in places:
        for index, (wer, words) in enumerate(zip(item.wers, item.ref_words, strict=True)):
            # multiples of the golden ratio, so that neighbors in WER never lie beside each other
            place = row + JITTER * (2 * ((index * GOLDEN) % 1.0) - 1)
            sized.setdefault(_size(words, median), []).append((100 * wer, place))
    for size, dots in sorted(sized.items(), reverse=True):
        axes.plot(
            *zip(*dots, strict=True),
            "o",
            color=SERIES[0],
            markersize=size,
            markerfacecolor="none",
            markeredgewidth=0.7,
            clip_on=False,
        )


def _size(words: int, median: float) -> float:
    """Return the diameter of a dot: its area follows the words, from half the median to four times."""
    classes = (0.5, 1.0, 2.0)
    return SIZES[sum(words / median > sqrt(2) * limit for limit in classes)]


def _boxes(axes: "Axes", places: list[tuple[int, SpeakerCounts]]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    boxes, middle, tails = [], [], []
    for row, item in places:
        low, lower, median, upper, high = (100 * value for value in quantiles(item.wers))
        bottom, top = row - 0.22, row + 0.22
        boxes.append(Path([(lower, bottom), (upper, bottom), (upper, top), (lower, top), (lower, bottom)], closed=True))
        tails += [(row, low, lower), (row, upper, high)]
        middle += [(median, bottom), (median, top), (float("nan"), row)]
    if boxes:
        joined = Path.make_compound_path(*boxes)
        axes.add_patch(PathPatch(joined, facecolor="none", edgecolor=SERIES[0], linewidth=0.8))
        axes.plot(*zip(*middle, strict=True), "-", color=SERIES[0], linewidth=1.0)
        intervals(axes, tails, axes.get_xlim(), color=SERIES[0], linewidth=0.8)


def _pooled(axes: "Axes", places: list[tuple[int, Cell]], limits: tuple[float, float]) -> None:
    lines = [
        (row, 100 * cell.ci_low, 100 * cell.ci_high)
        for row, cell in places
        if cell.ci_low is not None and cell.ci_high is not None
    ]
    intervals(axes, lines, limits, color=SERIES[1], linewidth=1.4)
    marks = [(100 * cell.wer, row) for row, cell in places if cell.wer is not None]
    xs = [x for wer, _ in marks for x in (wer, wer, float("nan"))]
    ys = [y for _, row in marks for y in (row - POOLED_MARK, row + POOLED_MARK, float("nan"))]
    axes.plot(xs, ys, "-", color=SERIES[1], linewidth=2.4, solid_capstyle="butt")


def _handles(*, many: bool) -> "list[Artist]":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    pooled = Line2D(
        [], [], color=SERIES[1], marker="|", markersize=11, markeredgewidth=2.4, label="group, pooled WER and interval"
    )
    if many:
        return [Patch(facecolor="none", edgecolor=SERIES[0], label="middle half of speakers, line: middle 80%"), pooled]
    dot = partial(
        Line2D, [], [], linestyle="none", markerfacecolor="none", color=SERIES[0], marker="o", markeredgewidth=0.7
    )
    few = dot(markersize=SIZES[0], label="speaker, few words")
    return [few, dot(markersize=SIZES[-1], label="speaker, many words"), pooled]
