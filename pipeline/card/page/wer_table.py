"""The heat map as a table: one cell a group and condition, with its WER, interval and support in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.card.evidence import accent_name, interval_of
from pipeline.card.heat_map import darkest
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.page.links import view_link
from pipeline.card.page.names import shown_names
from pipeline.card.plot_data import main_cells
from pipeline.card.publication import SUPPRESSED
from pipeline.card.wording import NOT_EVALUATED, label, percent, support
from pipeline.tables import POOLED

LEVELS = 7
"""Shades of a cell, the last for the highest WER; the style sheet has one color for each."""
NO_LEVEL = "none"


@dataclass(frozen=True, slots=True)
class WerCell:
    """One cell: ``lines`` are read, ``level`` is only its shade; ``link`` is empty where nothing can be opened."""

    accent: str
    condition: str
    lines: tuple[str, ...]
    level: str
    link: str


@dataclass(frozen=True, slots=True)
class WerRow:
    """One group, or all of them, under every condition."""

    name: str
    cells: tuple[WerCell, ...]


@dataclass(frozen=True, slots=True)
class WerTable:
    """The whole map. ``darkest`` is the WER that has the last shade."""

    conditions: tuple[str, ...]
    rows: tuple[WerRow, ...]
    darkest: str


def wer_table(content: CardContent, *, linked: bool) -> WerTable:
    """Return the map of a card; its cells lead to their utterances where ``linked``."""
    cells = main_cells(content)
    last = darkest(cell.wer or 0.0 for cell in cells.values())
    pooled = [POOLED] if any(accent == POOLED for accent, _ in cells) else []
    rows = []
    for accent in [*content.accents, *pooled]:
        own = [_cell(content, cells, (accent, condition), last, linked=linked) for condition in content.conditions]
        rows.append(WerRow(accent_name(accent), tuple(own)))
    conditions = tuple(label(condition) for condition in content.conditions)
    return WerTable(conditions, (*rows, *_hidden_rows(content)), percent(last))


def _cell(
    content: CardContent,
    cells: Mapping[tuple[str, str], Cell],
    place: tuple[str, str],
    last: float,
    *,
    linked: bool,
) -> WerCell:
    accent, condition = _named(content, place)
    cell = cells.get(place)
    if cell is None or cell.wer is None:
        absent = SUPPRESSED if place in content.numbers.publication.hidden else NOT_EVALUATED
        return WerCell(accent, condition, (absent,), NO_LEVEL, "")
    behind = support(cell.n_speakers, cell.n_ref_words, speakers_known=content.speakers_known)
    lines = (percent(cell.wer), interval_of(cell).strip("()") or "no interval", behind)
    level = str(min(LEVELS - 1, int(LEVELS * cell.wer / last)))
    link = view_link(accent=accent, condition=condition) if linked else ""
    return WerCell(accent, condition, lines, level, link)


def _named(content: CardContent, place: tuple[str, str]) -> tuple[str, str]:
    """Return a cell's group (none where all are pooled) and condition as the page's data name them."""
    accents = {**shown_names(tuple(content.accents)), POOLED: ""}
    return accents[place[0]], shown_names(tuple(content.conditions))[place[1]]


def _hidden_rows(content: CardContent) -> list[WerRow]:
    """Return a row for each group of which no number is shown."""
    hidden = content.numbers.publication.cells
    into = {cell.accent: cell.merged_into for cell in hidden}  # a group is merged whole or not at all
    accents = sorted(set(into) - set(content.accents))
    names = shown_names((*content.accents, *accents))
    conditions = shown_names(tuple(content.conditions)).values()
    rows = []
    for accent in accents:
        words = f"in {label(into[accent])}" if into[accent] else SUPPRESSED
        own = [WerCell(names[accent], condition, (words,), NO_LEVEL, "") for condition in conditions]
        rows.append(WerRow(label(accent), tuple(own)))
    return rows
