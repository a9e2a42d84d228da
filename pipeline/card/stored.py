"""What is remembered of earlier runs, printed for people: recognizers, files, and what was dropped."""

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pipeline.card.wording import count, label, listed, visible


@dataclass(frozen=True, slots=True)
class StoredRecognizer:
    """What is remembered of one recognizer with one set of options, over all files; dates are UTC, empty if unknown."""

    sha256: str
    name: str
    transcripts: int
    failed: int
    first: str
    last: str
    size_bytes: int
    """texts and renderings"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file; ``state`` says in a few words what was found."""

    name: str
    size_bytes: int
    state: str


@dataclass(frozen=True, slots=True)
class Dropping:
    """What went, or in a dry run would go."""

    dry_run: bool
    transcripts: int
    renderings: int
    undated: int
    """transcripts that stay because it is not known how old they are"""
    in_use: tuple[str, ...]
    """files that keep their size for now, because somebody has them open"""
    left_alone: tuple[str, ...]
    """files that another machine may be writing"""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The store as it was found, or as it is after dropping."""

    folder: str
    recognizers: tuple[StoredRecognizer, ...]
    files: tuple[StoredFile, ...]
    dropping: Dropping | None
    problems: tuple[str, ...]


def show(report: StoreReport, console: Console) -> None:
    """Print what is remembered and, if something was to be dropped, what became of it."""
    if not report.files:
        _line(console, f"Nothing is remembered in {visible(report.folder)} yet.")
        return
    size = decimal(sum(file.size_bytes for file in report.files))
    _line(console, f"Remembered in {visible(report.folder)}: {count(len(report.files), 'file')}, {size}.", style="bold")
    console.print(_recognizers(report.recognizers))
    for file in report.files:
        _line(console, f"{visible(file.name)}: {decimal(file.size_bytes)}, {visible(file.state)}", style="dim")
    if report.dropping is not None:
        for sentence in _dropped(report.dropping):
            _line(console, sentence)


def _recognizers(recognizers: tuple[StoredRecognizer, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("fingerprint", "recognizer"):
        table.add_column(heading, overflow="fold")
    for heading in ("transcripts", "failed", "size"):
        table.add_column(heading, justify="right")
    table.add_column("written (UTC)", overflow="fold")
    for one in recognizers:
        numbers = (f"{one.transcripts:,}", f"{one.failed:,}", decimal(one.size_bytes))
        dates = " to ".join(dict.fromkeys(date for date in (one.first, one.last) if date)) or "not recorded"
        cells = (one.sha256[:12], label(one.name), *numbers, dates)
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _dropped(dropping: Dropping) -> list[str]:
    rows = f"{count(dropping.transcripts, 'transcript')} and {count(dropping.renderings, 'rendering')}"
    if not dropping.transcripts and not dropping.renderings:
        told = ["Nothing fits what was to be dropped."]
    elif dropping.dry_run:
        told = [f"{rows} would go. Nothing was dropped: say store.dry_run=false to drop them."]
    else:
        told = [f"{rows} dropped; a study that needs them transcribes them again."]
    if dropping.undated:
        told.append(f"{count(dropping.undated, 'transcript')} stay: an earlier version wrote them without a date.")
    if dropping.left_alone:
        told.append(f"Left alone, because another machine may be writing: {visible(listed(dropping.left_alone))}.")
    if dropping.in_use:
        names = visible(listed(dropping.in_use))
        told.append(f"Not made smaller, because it is in use: {names}. What is remembered next fills the space.")
    return told


def _line(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)
