"""The degradation plot: each group's WER over the SNR of a noise, its gap in dB beside it, and WER by condition."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card import wer_forest
from pipeline.card.evidence import accent_name
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.palette import INK, LINE, PAGE, QUIET
from pipeline.card.panels import (
    CONDITION_CHARACTERS,
    LABEL,
    LABEL_PT,
    MARGIN_IN,
    SMALL_PT,
    fitted,
    folded,
    height_in,
    intervals,
    lines_in,
    title_in,
    titled,
    width_in,
)
from pipeline.card.plot_data import Value, as_table, drawn_cell, main_cells, style_of
from pipeline.card.power_measures import SnrShift
from pipeline.card.wording import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALT = (
    "One line a group over the conditions, or over the signal-to-noise ratio where one noise was run at several, with "
    "the interval of each word error rate as a bar. Groups differ in marker, line style and color. Open markers have "
    "no interval. With more than 12 groups there is a panel a condition and a row a group instead. Gaps in dB stand "
    "beside where they are known. The same numbers are in sections 7 and 8."
)
SPREAD = 0.7
"""Share of the distance between two conditions over which the groups are spread."""
BODY_IN, PANEL_IN, SHIFTS_IN, BETWEEN_IN, AXIS_IN = 7.6, 2.9, 2.4, 0.55, 0.55
HEAD_IN = 0.3
NARROW_GROUPS = 8
"""With more groups they stand closer."""
MOST_LINES = 12
"""With more groups lines cannot be told apart: there is a panel a condition, and a row a group in each."""


@dataclass(frozen=True)
class Block:
    """One panel: what is on its horizontal axis, and the conditions from left to right."""

    head: str
    conditions: tuple[str, ...]
    noise: str = ""
    snrs_db: tuple[float, ...] = ()


def data(content: CardContent) -> pd.DataFrame:
    """Return what is drawn: a row a point, and a row a gap in dB, told apart by ``panel``."""
    cells, rows = main_cells(content), []
    for block in _blocks(content):
        snrs: Mapping[str, float] = dict(zip(block.conditions, block.snrs_db, strict=False))
        for accent in content.accents:
            for condition in block.conditions:
                cell = cells.get((accent, condition))
                if cell is not None and cell.wer is not None:
                    rows.append(
                        {"panel": "wer", "noise": block.noise, "snr_db": snrs.get(condition)} | drawn_cell(cell)
                    )
        rows += [_shift_row(item) for item in _shifts(content, block.noise)]
    columns = ("panel", "noise", "accent", "condition", "snr_db", "wer", "ci_low", "ci_high", "shift_db",
               "shift_ci_low_db", "shift_ci_high_db", "n_speakers", "n_ref_words", "support")  # fmt: skip
    return as_table(rows, columns, texts=("panel", "noise", "accent", "condition", "support"))


def _shift_row(item: SnrShift) -> dict[str, Value]:
    return {
        "panel": "shift",
        "noise": item.noise,
        "accent": item.key.accent,
        "condition": "",
        "shift_db": item.shift_db,
        "shift_ci_low_db": item.ci_low_db,
        "shift_ci_high_db": item.ci_high_db,
        "n_speakers": item.n_speakers,
        "n_ref_words": item.n_ref_words,
        "support": "",
    }


def _shifts(content: CardContent, noise: str) -> list[SnrShift]:
    found = [
        item
        for item in content.numbers.snr_shifts
        if noise and item.noise == noise and item.key.normalizer == content.main_normalizer
        and item.shift_db is not None and item.key.accent in content.accents
    ]  # fmt: skip
    return sorted(found, key=lambda item: content.accents.index(item.key.accent))


def _blocks(content: CardContent) -> list[Block]:
    """Return a panel a ladder, then the conditions that are on none, as many side by side as fit."""
    ladders: dict[str, list[tuple[float, str]]] = {}
    for rung in content.numbers.rungs:
        ladders.setdefault(rung.noise, []).append((rung.snr_db, rung.key.condition))
    climbed = {noise: sorted(found) for noise, found in ladders.items() if len(found) > 1}
    blocks = [
        Block(
            f"{label(noise)}: WER (%) over SNR", tuple(name for _, name in found), noise, tuple(snr for snr, _ in found)
        )
        for noise, found in climbed.items()
    ]
    on_ladders = {name for block in blocks for name in block.conditions}
    others = [name for name in content.conditions if name not in on_ladders]
    fit = max(1, int(BODY_IN / _condition_in(len(content.accents))))
    each = ceil(len(others) / ceil(len(others) / fit)) if others else 1
    split = [others[start : start + each] for start in range(0, len(others), each)]
    return blocks + [Block("WER (%) by condition", tuple(some)) for some in split]


def _condition_in(n_groups: int) -> float:
    return max(1.2, (0.15 if n_groups <= NARROW_GROUPS else 0.085) * n_groups)


def draw(content: CardContent, title: str) -> "Figure":
    """Draw the panels below each other; within a condition the groups stand side by side: no bar hides another."""
    from matplotlib.figure import Figure

    if len(content.accents) > MOST_LINES:
        return wer_forest.draw(content, title)
    blocks, names = _blocks(content), [folded(accent_name(accent), CONDITION_CHARACTERS) for accent in content.accents]
    body = max(4.0, min(BODY_IN, max(_condition_in(len(names)) * len(block.conditions) for block in blocks)))
    body = BODY_IN if any(block.noise for block in blocks) else body
    width = MARGIN_IN + AXIS_IN + body + 0.2 + width_in(names, LABEL_PT) + 0.75
    top = title_in(title, width)
    heads = [height_in(lines_in(_ticks(block, body)), LABEL_PT) + HEAD_IN + 0.25 for block in blocks]
    legend_in = height_in(sum(name.count("\n") + 1.35 for name in names), LABEL_PT) + 0.2
    panels = max(sum(heads) + PANEL_IN * len(blocks), legend_in)
    height = top + panels + MARGIN_IN
    figure = Figure(figsize=(width, height), facecolor=PAGE)
    titled(figure, title)
    below = height - top
    for block, head in zip(blocks, heads, strict=True):
        shifts = _shifts(content, block.noise)
        wide = body - (SHIFTS_IN + BETWEEN_IN if shifts else 0)
        bottom = below - HEAD_IN - PANEL_IN
        axes = figure.add_axes(_box(MARGIN_IN + AXIS_IN, bottom, wide, PANEL_IN, width, height), facecolor=PAGE)
        _curves(axes, content, block, wide)
        if shifts:
            at = MARGIN_IN + AXIS_IN + wide + BETWEEN_IN
            beside = figure.add_axes(_box(at, bottom, SHIFTS_IN, PANEL_IN, width, height), facecolor=PAGE)
            _shift_panel(beside, content, shifts)
        below -= head + PANEL_IN
    corner = (MARGIN_IN + AXIS_IN + body + 0.15) / width, 1 - (top + HEAD_IN - 0.08) / height
    figure.legend(
        handles=list(_handles(names)), loc="upper left", bbox_to_anchor=corner, fontsize=LABEL_PT, frameon=False,
        labelcolor=INK, handlelength=3.2, borderpad=0,
    )  # fmt: skip
    return figure


def _box(
    left: float, bottom: float, wide: float, tall: float, width: float, height: float
) -> tuple[float, float, float, float]:
    return left / width, bottom / height, wide / width, tall / height


def _ticks(block: Block, room_in: float) -> list[str]:
    if block.snrs_db:
        return [f"{snr:g} dB" for snr in block.snrs_db]
    each = room_in / len(block.conditions) - 0.1
    return [fitted(label(name), each, LABEL_PT) for name in block.conditions]


def _places(block: Block) -> tuple[tuple[float, ...], float]:
    """Return where each condition stands, an SNR at its number of dB, and the least distance of two of them."""
    if not block.snrs_db:
        return tuple(range(len(block.conditions))), 1.0
    steps = [high - low for low, high in pairwise(block.snrs_db) if high > low]
    return block.snrs_db, min(steps, default=1.0)


def _handles(names: Sequence[str]) -> "Iterator[Artist]":
    from matplotlib.lines import Line2D

    for index, name in enumerate(names):
        color, marker, line = style_of(index)
        yield Line2D(
            [], [], linestyle=line, color=color, marker=marker, markersize=5.5, label=" " + name.replace("\n", "\n ")
        )  # matplotlib hides a label that begins with _


def _curves(axes: "Axes", content: CardContent, block: Block, wide_in: float) -> None:
    cells, n_groups = main_cells(content), len(content.accents)
    xs, step = _places(block)
    spread = SPREAD * step * (0.5 if block.snrs_db else 1.0)
    for index, accent in enumerate(content.accents):
        offset = spread * ((index + 0.5) / n_groups - 0.5)
        found = [(x + offset, cells.get((accent, name))) for x, name in zip(xs, block.conditions, strict=True)]
        _line(axes, [(x, cell) for x, cell in found if cell is not None and cell.wer is not None], index)
    _frame(axes, block.head)
    axes.set_xticks(xs, _ticks(block, wide_in), fontsize=LABEL_PT, color=INK)
    axes.set_xlim(min(xs) - step / 2, max(xs) + step / 2)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    for x in () if block.snrs_db else xs[1:]:
        axes.axvline(x - 0.5, color=LINE, linewidth=0.8)


def _line(axes: "Axes", places: list[tuple[float, Cell]], index: int) -> None:
    color, marker, line = style_of(index)
    axes.plot([x for x, _ in places], [100 * (cell.wer or 0.0) for _, cell in places], line, color=color, linewidth=0.9)
    xs: list[float] = []
    ys: list[float] = []
    for x, cell in places:
        if cell.ci_low is not None and cell.ci_high is not None:
            xs += [x, x, float("nan")]
            ys += [100 * cell.ci_low, 100 * cell.ci_high, float("nan")]
    axes.plot(xs, ys, "-", color=color, linewidth=1.3, solid_capstyle="butt")
    for known, fill in ((True, color), (False, PAGE)):
        chosen = [(x, 100 * (cell.wer or 0.0)) for x, cell in places if (cell.ci_low is not None) == known]
        if chosen:
            axes.plot(
                *zip(*chosen, strict=True), marker, color=color, markersize=5, markerfacecolor=fill, clip_on=False
            )


def _shift_panel(axes: "Axes", content: CardContent, shifts: list[SnrShift]) -> None:
    values = [item.shift_db or 0.0 for item in shifts]
    ends = [end for item in shifts for end in (item.ci_low_db, item.ci_high_db) if end is not None]
    most = 2.5 * max(2.0, *map(abs, values))
    limits = max(-most, min([-1.0, *values, *ends])) - 0.3, min(most, max([1.0, *values, *ends])) + 0.3
    axes.set_xlim(*limits)
    axes.set_ylim(len(shifts) - 0.5, -0.5)
    axes.set_yticks([])
    axes.axvline(0, color=QUIET, linewidth=0.9)
    for row, item in enumerate(shifts):
        color, marker, _ = style_of(content.accents.index(item.key.accent))
        known = item.ci_low_db is not None and item.ci_high_db is not None
        if item.ci_low_db is not None and item.ci_high_db is not None:
            intervals(axes, [(row, item.ci_low_db, item.ci_high_db)], limits, color=color)
        axes.plot(
            [item.shift_db or 0.0], [row], marker, color=color, markersize=5, markerfacecolor=color if known else PAGE
        )
    _frame(axes, "gap in dB to the others")
    axes.grid(axis="x", color=LINE, linewidth=0.6)


def _frame(axes: "Axes", head: str) -> None:
    axes.set_title(head, loc="left", y=1.0, pad=5, fontweight="bold", **LABEL)
    axes.tick_params(labelsize=SMALL_PT, labelcolor=INK, color=LINE)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(LINE)
        spine.set_visible(side in ("left", "bottom"))
