"""An audit for people: every sentence as Markdown, and on the terminal with who is there and what to collect next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import tables
from pipeline.audit_tables import Audit
from pipeline.card.audit_findings import findings
from pipeline.card.audited import LIMIT, SEVERITIES, Finding, Told
from pipeline.card.escape import markdown as escaped
from pipeline.card.wording import count, label, outside, visible

FOR_WHOM = "Small groups are named and counted here: this is for who holds the corpus. The card keeps the floor."
MOST_LISTED = 12
"""Lines of the shopping list that are printed; the file has all."""


@dataclass(frozen=True, eq=False)
class Audited:
    """What was found, what to collect, and what has to be said with it."""

    audit: Audit
    shopping: pd.DataFrame
    told: Told
    corpus: str
    n_unusable: int
    folder: Path

    def findings(self) -> list[Finding]:
        """Return every sentence, the gravest first."""
        found = findings(self.audit, self.told)
        if self.n_unusable:
            text = f"{count(self.n_unusable, 'row')} of the corpus cannot be used."
            found.append(Finding(LIMIT, "coverage", text))
        return sorted(found, key=lambda one: -one.severity)


def markdown(audited: Audited) -> str:
    """Return the audit as one Markdown page."""
    return "\n".join([*_page(audited), ""])


def _page(audited: Audited) -> Iterator[str]:
    yield f"# Audit of corpus {escaped(label(audited.corpus))}"
    found = audited.findings()
    for severity, heading in SEVERITIES.items():
        own = [one for one in found if one.severity == severity]
        if own:
            yield f"\n## {heading}\n"
        for one in own:
            yield f"- **{one.topic.capitalize()}.** {escaped(visible(one.text))}"
    yield "\n## What to collect next\n"
    for line in [_how_to_read(audited.shopping), *_lines(audited.shopping)]:
        yield f"- {escaped(visible(line))}"
    yield f"\n{FOR_WHOM}"


def _how_to_read(shopping: pd.DataFrame) -> str:
    first = shopping.iloc[0]
    return (
        f"To show a ratio of {first['ratio']:g} between WERs with power {first['power']:g} (coverage_plan.csv has "
        f"every cell; how errors scatter: {first['basis']}):"
    )


def _lines(shopping: pd.DataFrame) -> list[str]:
    rows = [row for row in tables.rows(shopping) if row["how"] != "enough"]
    if not rows:
        return ["Nothing: every cell shows it as it is."]
    lines = []
    for row in rows[:MOST_LISTED]:
        cell = label(row["accent"]) + (f", {label(row['attribute'])} {label(row['value'])}" if row["attribute"] else "")
        need = (
            "more than any plan can ask for"
            if pd.isna(row["more_speakers"])
            else f"{count(int(row['more_speakers']), 'more speaker')}, {count(int(row['more_words']), 'word')}"
        )
        others = ", and another accent with as many speakers as it then has" if row["how"] == "with_others" else ""
        lines.append(f"{cell}: {need}{others} (there {count(row['n_speakers'], 'speaker')}; {row['reason']}).")
    more = len(rows) - MOST_LISTED
    return [*lines, *([f"{count(more, 'further cell')}: coverage_plan.csv."] if more > 0 else [])]


def show(audited: Audited, console: Console) -> None:
    """Print who is there, every sentence, and the head of the shopping list."""
    _line(console, f"Audit of corpus {label(audited.corpus)}", style="bold")
    console.print(_accents(audited.audit.coverage))
    found = audited.findings()
    for severity, heading in SEVERITIES.items():
        own = [one for one in found if one.severity == severity]
        if own:
            console.print()
            _line(console, heading, style="bold")
        for one in own:
            _line(console, f"{one.topic}: {one.text}")
    console.print()
    _line(console, "What to collect next", style="bold")
    for line in [_how_to_read(audited.shopping), *_lines(audited.shopping)]:
        _line(console, line)
    console.print()
    _line(console, FOR_WHOM)
    _line(console, f"All of it: {audited.folder}")


def _accents(coverage: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("accent", overflow="fold")
    for heading in ("speakers", "effective", "utterances", "words", "minutes"):
        table.add_column(heading, justify="right")
    table.add_column("support")
    for row in tables.rows(coverage[coverage["attribute"] == ""]):
        minutes = "unknown" if pd.isna(row["minutes"]) else f"{row['minutes']:,.1f}"
        cells = (
            label(row["accent"]),
            f"{row['n_speakers']:,}",
            f"{row['k_eff']:.1f}",
            f"{row['n_utterances']:,}",
            f"{row['n_words']:,}",
            minutes,
            row["support"],
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _line(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(outside(text, limit=4000), style=style), soft_wrap=True)
