"""What a study could show, printed for people: what is detectable as it stands, and what more it would take."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import tables
from pipeline.card.wording import count, label, listed, visible

QUESTIONS = {
    "disparity": "WER of each accent against {against}",
    "interaction": "What each condition does to an accent beyond what it does to the others, from {reference}",
}

WHOLE_PHI = (
    "phi is taken whole where it is assumed. Between two conditions part of it cancels, so the table of conditions "
    "then asks for rather more than is needed."
)


@dataclass(frozen=True, eq=False)
class Planned:
    """The table (``result_tables.Plan``), and what has to be said with it."""

    table: pd.DataFrame
    corpus: str
    reference_condition: str
    n_unusable: int
    audio_unopened: bool
    words_estimated: bool
    file: Path


def show(planned: Planned, console: Console) -> None:
    """Print one table a question, conditions that are planned alike together, and how to read them."""
    table = planned.table
    first = table.iloc[0]
    _line(console, f"What corpus {label(planned.corpus)} can show with power {first['power']:g}", style="bold")
    for question, asked in table.groupby("question", sort=True):
        against = (
            listed(sorted(set(map(label, filter(None, asked["against"]))))) if any(asked["against"]) else "the others"
        )
        title = QUESTIONS[str(question)].format(against=against, reference=label(planned.reference_condition))
        console.print()
        _line(console, f"{title} (two-sided, alpha {asked.iloc[0]['alpha']:.2g} a cell)", style="bold")
        for conditions, rows in _alike(asked):
            _line(console, f"under {conditions}: {_basis(rows)}", style="dim")
            console.print(_table(rows))
    console.print()
    for sentence in _closing(planned):
        _line(console, sentence)


def _alike(asked: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each condition; conditions whose rows are the same share one entry."""
    found: dict[str, tuple[list[str], pd.DataFrame]] = {}
    for condition, rows in asked.groupby("condition", sort=False):
        key = rows.drop(columns="condition").to_json(orient="records")
        found.setdefault(key, ([], rows))[0].append(label(str(condition)))
    return [(listed(names), rows) for names, rows in found.values()]


def _basis(rows: pd.DataFrame) -> str:
    first, name = rows.iloc[0], "sigma" if rows.iloc[0]["question"] == "disparity" else "slope"
    wers = (
        f"{rows['wer'].min():.3g}"
        if rows["wer"].nunique() == 1
        else f"{rows['wer'].min():.3g} to {rows['wer'].max():.3g}"
    )
    return f"{name} {first['sigma']:.2f}, phi {first['phi']:.1f}, WER {wers} ({visible(first['basis'])})"


def _table(rows: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("accent", overflow="fold")
    ratio = rows.iloc[0]["ratio"]
    for heading in ("speakers", "effective", "words", "words each", "detectable", f"more for {ratio:g}", "or each"):
        table.add_column(heading, justify="right")
    for row in tables.rows(rows):
        cells = (
            label(row["accent"]),
            f"{row['n_speakers']:,}",
            f"{row['k_eff']:.1f}",
            f"{row['n_ref_words']:,}",
            _number(row["words_per_speaker"], ",.0f"),
            _number(_up(row["detectable_ratio"]), ".2f"),
            _number(row["extra_speakers"], ",.0f", empty="no number"),
            _number(row["speakers_each"], ",.0f", empty="no number"),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _up(value: float) -> float:
    # rounded up: a smaller ratio would not be detected as often as is said
    return math.ceil(round(100 * value, 6)) / 100 if math.isfinite(value) else value


def _number(value: float, form: str, *, empty: str = "-") -> str:
    return empty if pd.isna(value) else format(value, form)


def _closing(planned: Planned) -> list[str]:
    table = planned.table
    told = [
        "'detectable' is the smallest ratio that would be shown with that power.",
        f"'more' is how many more speakers of that accent alone would show a ratio of {table.iloc[0]['ratio']:g}, the "
        "others as they are; 'or each' how many it and one other accent would need each. Both with the accent's mean "
        "words a speaker.",
        WHOLE_PHI if (table["basis"] == "assumed").any() else "",
    ]
    noted = table[table["note"] != ""]
    for note, rows in noted.groupby("note", sort=True):
        told.append(f"{listed(map(label, dict.fromkeys(rows['accent'])))}: {visible(str(note))}.")
    if planned.n_unusable:
        told.append(f"{count(planned.n_unusable, 'row')} of the corpus cannot be used and are not planned with.")
    if planned.audio_unopened:
        told.append("No audio was opened: utterances whose audio turns out to be unusable will be missing.")
    if planned.words_estimated:
        told.append(
            "There are too many texts to normalize all of them: words are estimated, in each accent, by the share that "
            "normalization leaves of the words between spaces in thousands of its texts, chosen by hash."
        )
    return [*filter(None, told), f"All of it: {planned.file}"]


def _line(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)
