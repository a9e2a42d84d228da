"""The summary at the end of a run: the WER table, what may be said of the groups, the gates, and where the card is.

Verdicts are words; color only repeats them, and on a pipe there is none.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.card import gate_words, gates
from pipeline.card.evidence import accent_name, interval_of
from pipeline.card.gate_measures import Outcome
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.wording import NOT_EVALUATED, SYNTHETIC, between, count, gap_points, label, percent, support
from pipeline.tables import POOLED

NAME_WIDTH = 20
CONDITION_WIDTH = 20
"""Columns that one condition needs: ``12.3% (10.1-15.0)`` and the space beside it."""
GATE_STYLES: dict[Outcome, str] = {"kept": "bold green", "broken": "bold red", "not_decided": "bold yellow"}


def summary(content: CardContent, console: Console, *, card_path: Path | str) -> None:
    """Print the WER table, the summary sentences and the path of the card; wide studies as several tables."""
    per_table = max(1, (console.width - NAME_WIDTH) // CONDITION_WIDTH)
    for part in _parts(content.conditions, per_table):
        console.print(_table(content, part))
    outcome = gates.overall(content.gates)
    gate_line = gate_words.summary(content.gates, outcome).text if outcome is not None else ""
    for sentence in content.summary:
        if sentence.text == gate_line:
            continue  # told below, where nobody has to look for it
        mark = Text("Note: ", style="bold yellow") if sentence.warning else Text()
        console.print(mark.append(Text(sentence.text, style="")), soft_wrap=False)
    for line in (_worst(content), _widest(content)):
        console.print(Text(line, style="bold"))
    if outcome is not None:
        first, _, rest = gate_line.partition(" (")
        console.print(Text(first, style=GATE_STYLES[outcome]).append(Text(f" ({rest}", style="")))
    console.print(Text(f"Card: {card_path}", style="bold"), soft_wrap=True)


def _worst(content: CardContent) -> str:
    """Return the ranked group and condition with the highest WER."""
    found = [cell for cell in content.numbers.cells
             if cell.ranked and cell.wer is not None and cell.key.accent != POOLED
             and cell.key.normalizer == content.main_normalizer]  # fmt: skip
    if not found:
        return f"Highest WER: {NOT_EVALUATED} (no group is ranked)."
    worst = max(found, key=lambda cell: (cell.wer or 0.0, cell.key.accent, cell.key.condition))
    behind = support(worst.n_speakers, worst.n_ref_words, speakers_known=content.speakers_known)
    interval = interval_of(worst) or "no interval"
    where = f"{label(worst.key.accent)} under {label(worst.key.condition)}"
    return f"Highest WER: {where}, {percent(worst.wer)} {interval}, {behind}."


def _widest(content: CardContent) -> str:
    """Return the largest gap between ranked groups, less what chance adds."""
    found = [item for item in content.numbers.disparities
             if item.statistic == "model_gap" and item.value is not None
             and item.key.normalizer == content.main_normalizer]  # fmt: skip
    if not found:
        return f"Largest model gap: {NOT_EVALUATED}."
    widest = max(found, key=lambda item: (item.value or 0.0, item.key.condition))
    behind = support(widest.n_speakers, widest.n_ref_words, speakers_known=content.speakers_known)
    interval = between(widest.ci_low, widest.ci_high)
    where = f"{label(widest.key.condition)}, {count(widest.n_groups, 'group')}, {behind}"
    return f"Largest model gap: {gap_points(widest.value)} {interval} under {where}; never 0."


def _parts(conditions: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(conditions), size):
        yield conditions[start : start + size]


def _table(content: CardContent, conditions: Sequence[str]) -> Table:
    flag = f"; {SYNTHETIC}" if content.synthetic else ""
    level = f"{100 * content.numbers.rules.confidence:g}%"
    title = f"WER ({level} interval), speakers (spk) and words (w); {label(content.main_normalizer)}{flag}"
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("group", overflow="fold", max_width=NAME_WIDTH - 2)
    for condition in conditions:
        table.add_column(escape(label(condition)), overflow="fold", max_width=CONDITION_WIDTH - 2)
    cells = {cell.key: cell for cell in content.numbers.cells if cell.key.normalizer == content.main_normalizer}
    by_place = {(key.accent, key.condition): cell for key, cell in cells.items()}
    for accent in [*content.accents, POOLED]:
        found = [by_place.get((accent, condition)) for condition in conditions]
        lines = [_lines(cell, known=content.speakers_known) for cell in found]
        table.add_row(escape(accent_name(accent)), *lines, end_section=accent == (content.accents or [""])[-1])
    return table


def _lines(cell: Cell | None, *, known: bool) -> Text:
    if cell is None or cell.wer is None:
        return Text(NOT_EVALUATED, style="dim")
    people = f"{cell.n_speakers:,} spk, " if known else ""
    interval = interval_of(cell).replace(" to ", "-").replace("at most", "to") or "no interval"
    lines = Text(f"{percent(cell.wer)} {interval}\n").append(f"{people}{cell.n_ref_words:,} w", "dim")
    return lines if cell.ranked or cell.key.accent == POOLED else lines.append("\nnot ranked", "dim")
