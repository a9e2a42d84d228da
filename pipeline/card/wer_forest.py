"""The degradation of many groups: a panel a condition and a row a group, where lines could not be told apart."""

from typing import TYPE_CHECKING

from pipeline.card.evidence import accent_name
from pipeline.card.model import CardContent
from pipeline.card.palette import QUIET, SERIES
from pipeline.card.panels import intervals, scale, sheet
from pipeline.card.plot_data import main_cells
from pipeline.card.power_measures import SnrShift
from pipeline.card.wording import label
from pipeline.tables import POOLED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEYOND = 1.25
"""An interval may go so far beyond the highest WER before it is cut off."""
Place = tuple[int, float, float | None, float | None]
"""row, estimate, low, high"""


def draw(content: CardContent, title: str) -> "Figure":
    """Draw each group's WER under each condition, ladders from the lowest SNR on, and their gaps in dB last."""
    cells = main_cells(content)
    climbed = [rung.key.condition for rung in content.numbers.rungs]
    conditions = [*(name for name in content.conditions if name not in climbed), *climbed]
    shifts = [item for item in content.numbers.snr_shifts if item.key.normalizer == content.main_normalizer]
    noises = sorted({item.noise for item in shifts if item.shift_db is not None})
    heads = [*map(label, conditions), *(f"{label(noise)}: gap in dB" for noise in noises)]
    made = sheet(title, list(map(accent_name, content.accents)), heads, x_label="WER, %", handles=_handles())
    found = {key: cell for key, cell in cells.items() if cell.wer is not None}
    most = max([10.0, *(100 * (cell.wer or 0.0) for cell in found.values())])
    ends = [min(100 * (cell.ci_high or 0.0), BEYOND * most) for cell in found.values()]
    highest = 1.02 * max(most, *ends)
    rows = {accent: row for row, accent in enumerate(content.accents)}
    for axes, condition in zip(made.axes, conditions, strict=False):
        places: list[Place] = [
            (row, 100 * (cell.wer or 0.0), _percent(cell.ci_low), _percent(cell.ci_high))
            for accent, row in rows.items()
            if (cell := found.get((accent, condition))) is not None
        ]
        scale(axes, (0.0, highest))
        pooled = found.get((POOLED, condition))
        if pooled is not None:
            axes.axvline(100 * (pooled.wer or 0.0), color=QUIET, linewidth=0.9, linestyle="--")
        _estimates(axes, places, (0.0, highest))
    for axes, noise in zip(made.axes[len(conditions) :], noises, strict=True):
        _shifts(axes, [item for item in shifts if item.noise == noise], rows)
    return made.figure


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _shifts(axes: "Axes", shifts: list[SnrShift], rows: dict[str, int]) -> None:
    places: list[Place] = [
        (rows[item.key.accent], item.shift_db, item.ci_low_db, item.ci_high_db)
        for item in shifts
        if item.shift_db is not None and item.key.accent in rows
    ]
    most = 1.3 * max([2.0, *(abs(shift) for _, shift, _, _ in places)])
    scale(axes, (-most, most))
    axes.axvline(0, color=QUIET, linewidth=0.9)
    _estimates(axes, places, (-most, most))


def _estimates(axes: "Axes", places: list[Place], limits: tuple[float, float]) -> None:
    known = [(row, low, high) for row, _, low, high in places if low is not None and high is not None]
    intervals(axes, known, limits, color=SERIES[0])
    for is_known, fill in ((True, SERIES[0]), (False, "none")):
        chosen = [(value, row) for row, value, low, _ in places if (low is not None) == is_known]
        if chosen:
            axes.plot(*zip(*chosen, strict=True), "o", color=SERIES[0], markersize=4, markerfacecolor=fill)


def _handles() -> "list[Artist]":
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=SERIES[0], marker="o", markersize=4, linewidth=1.3, label="group, interval"),
        Line2D([], [], color=QUIET, linestyle="--", linewidth=0.9, label="all groups pooled"),
    ]
