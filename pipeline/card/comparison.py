"""A comparison for people, as Markdown and on the terminal, both from the same sentences and tables.

It lays numbers side by side and tests every two recognizers on the trials that both answered, by speaker.
"""

from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape as as_it_stands
from rich.table import Table as Grid
from rich.text import Text

from pipeline.card.change_sentences import findings
from pipeline.card.change_tables import MOST_ROWS, cell_tables, gap_tables
from pipeline.card.compared import Compared, Comparison, Ended
from pipeline.card.escape import markdown as escaped
from pipeline.card.evidence import interval_of
from pipeline.card.fairness import NO_INTERVAL
from pipeline.card.gate_words import WORDS as OUTCOMES
from pipeline.card.measures import Cell, Disparity, Interaction
from pipeline.card.model import Row, Sentence, Table, TableCell
from pipeline.card.pair_table import about_pairs, pair_tables
from pipeline.card.wording import (
    NOT_EVALUATED,
    NOT_RECORDED,
    SYNTHETIC,
    count,
    gap_points,
    label,
    listed,
    outside,
    p_value,
    percent,
)

NO_CLAIM = (
    "Recognizers were given the same speakers, so their errors go together: whether two intervals of the first table "
    "overlap does not decide whether they differ, and none is called better for it."
)
TESTS = (
    "Accents are compared within one recognizer and condition. The gap is naive (highest minus lowest WER of the "
    "ranked accents); chance is its mean with speakers dealt to accents at random. p-values are not adjusted for the "
    "number of conditions or recognizers."
)
TEST_COLUMNS = ("Test of accents", "Test of accent x condition")
NAME_WIDTH = 24
PRINTED_ROWS = 40
"""Of a longer table only what is shown is printed."""
CONDITION_WIDTH = 22
"""Columns that one condition needs on a terminal: ``12.3% (10.1 to 15.0)`` and the space beside it."""


def markdown(comparison: Comparison) -> str:
    """Return the comparison as GitHub-flavored Markdown; nothing that anybody wrote can become markup."""
    sentences = [*findings(comparison), *notes(comparison)]
    parts = [f"# {escaped(title(comparison))}", *(_paragraph(sentence) for sentence in sentences)]
    parts += [_grid(table) for table in tables(comparison)]
    return "\n\n".join(parts) + "\n"


def show(comparison: Comparison, console: Console) -> None:
    """Print the comparison; wide studies as several tables."""
    per_table = max(1, (console.width - NAME_WIDTH) // CONDITION_WIDTH)
    console.print(Text(title(comparison), style="bold"))
    _say(findings(comparison), console)
    for table in tables(comparison, per_table=per_table, most_rows=PRINTED_ROWS):
        console.print(_printed(table))
    _say(notes(comparison), console)


def _say(sentences: Sequence[Sentence], console: Console) -> None:
    for sentence in sentences:
        mark = Text("Note: ", style="bold yellow") if sentence.warning else Text()
        console.print(mark.append(Text(sentence.text, style="")), soft_wrap=False)


def notes(comparison: Comparison) -> list[Sentence]:
    """Return what a reader must know beside the findings, warnings first."""
    found = [
        Sentence(text=f"{_both_names(job)}: {job.not_compared}", warning=True)
        for job in comparison.jobs
        if job.not_compared
    ]
    labels = _labels(comparison)
    for text, runs in comparison.card_warnings.items():
        found.append(Sentence(text=f"{listed(label(labels[run]) for run in runs)}: {text}", warning=True))
    found.append(_about_trials(comparison))
    if comparison.also_differ:
        found.append(_about_settings(comparison))
    return [*found, Sentence(text=NO_CLAIM), *about_pairs(comparison), Sentence(text=f"{TESTS} {NO_INTERVAL}")]


def _both_names(job: Ended) -> str:
    return label(job.label) if job.label == job.run_name else f"{label(job.label)} ({label(job.run_name)})"


def _labels(comparison: Comparison) -> dict[str, str]:
    return {job.run_name: job.label for job in comparison.jobs}


def _about_trials(comparison: Comparison) -> Sentence:
    answered = comparison.n_answered
    if len(answered) == 1:
        return Sentence(text="Only one job can be compared; nothing stands beside it.", warning=True)
    if comparison.same_trials:
        return Sentence(
            text=f"The {len(answered)} compared runs answered the same {count(comparison.n_common, 'trial')}."
        )
    labels = _labels(comparison)
    each = listed(f"{label(labels[run])}: {trials:,}" for run, trials in answered.items())
    text = (
        f"The runs did not answer the same trials ({each}); {count(comparison.n_common, 'trial')} are common to all "
        f"{len(answered)}. The WERs with intervals are each run's own trials and so not about the same speech; a "
        "second table counts the errors again on the common trials alone."
    )
    return Sentence(text=text, warning=True)


def _about_settings(comparison: Comparison) -> Sentence:
    differing = comparison.also_differ
    keys = listed(f"{label(key)} ({listed(outside(value, limit=60) for value in differing[key])})" for key in differing)
    text = f"Beside the recognizer, the runs differ in {keys}."
    if {key.split(".")[0] for key in differing} & {"seed", "acoustics"}:
        text += " Under one condition they did not all meet the same realization of it."
    return Sentence(text=text, warning=True)


def tables(comparison: Comparison, *, per_table: int | None = None, most_rows: int = MOST_ROWS) -> Iterator[Table]:
    """Yield the tables of all sections, in order."""
    for _, found in sections(comparison, per_table=per_table, most_rows=most_rows):
        yield from found


def sections(
    comparison: Comparison, *, per_table: int | None = None, most_rows: int = MOST_ROWS
) -> list[tuple[str, list[Table]]]:
    """Return the tables by the title of their section; ``per_table`` conditions stand beside each other.

    Of runs named in order the differences come first, of recognizers their WERs.
    """
    flag = f"; {SYNTHETIC}" if comparison.synthetic else ""
    levels = sorted({f"{100 * job.confidence:g}%" for job in comparison.compared if job.confidence})
    own = f"WER ({' / '.join(levels)} interval), all accents pooled; {label(comparison.normalizer)}{flag}"
    rates = list(_by_condition(comparison, own, _own, per_table))
    if not comparison.same_trials:
        caption = f"WER on the trials common to all runs; no interval{flag}"
        rates += _by_condition(comparison, caption, _common, per_table)
    differences = [
        *pair_tables(comparison, f"{'Runs' if comparison.in_order else 'Recognizers'} in pairs, on the trials that "
                                 f"both answered{flag}"),
        *cell_tables(comparison, flag, most_rows=most_rows),
    ]  # fmt: skip
    changed = [
        ("Differences", differences),
        ("Gaps between groups", list(gap_tables(comparison, flag, most_rows=most_rows))),
    ]
    each = [("Each run", [*rates, _accents(comparison, f"Accents within one recognizer and condition{flag}")])]
    runs = "Runs" if comparison.in_order else "Jobs"
    parts = changed + each if comparison.in_order else each + changed
    return [
        (name, found) for name, found in (*parts, ("How each ended", [_jobs(comparison, f"{runs}{flag}")])) if found
    ]


def _by_condition(
    comparison: Comparison, caption: str, cell: Callable[[Compared], list[str]], per_table: int | None
) -> Iterator[Table]:
    by_place = {(row.run_name, row.key.condition): row for row in comparison.rows}
    size = per_table or max(1, len(comparison.conditions))
    for start in range(0, len(comparison.conditions), size):
        part = comparison.conditions[start : start + size]
        rows = []
        for job in comparison.jobs:
            found = [by_place.get((job.run_name, condition)) for condition in part]
            without = [job.not_compared.partition(":")[0] or NOT_EVALUATED]
            rows.append(_row(job.label, [without if row is None else cell(row) for row in found]))
        yield Table(caption=caption, columns=["Recognizer", *map(label, part)], rows=rows)


def _own(row: Compared) -> list[str]:
    if row.pooled is None or row.pooled.wer is None:
        return [NOT_EVALUATED]
    interval = interval_of(row.pooled) or "(no interval)"
    return [f"{percent(row.pooled.wer)} {interval}", _amount(row.n_trials, row.pooled.n_ref_words)]


def _common(row: Compared) -> list[str]:
    if row.common.wer is None:
        return [NOT_EVALUATED]
    return [percent(row.common.wer), _amount(row.common.n_trials, row.common.n_ref_words)]


def _amount(n_trials: int, n_words: int) -> str:
    return f"{n_trials:,} trials, {n_words:,} w"


def _accents(comparison: Comparison, caption: str) -> Table:
    labels = _labels(comparison)
    columns = ["Condition", "Recognizer", "Highest WER", "Lowest WER", "Naive gap", *TEST_COLUMNS]
    ordered = sorted(comparison.rows, key=lambda row: comparison.conditions.index(row.key.condition))
    rows = []
    for row in ordered:
        interaction = ["reference"] if row.key.condition == comparison.reference_condition else [_p(row.interaction)]
        extremes = [_extreme(row.worst, row.gap), _extreme(row.best, row.gap)]
        tests = [[_p(row.omnibus)], interaction]
        rows.append(_row(row.key.condition, [[label(labels[row.run_name])], *extremes, _gap(row.gap), *tests]))
    for job in comparison.compared if len(comparison.conditions) > 1 else []:
        rows.append(_row("all together", [[label(job.label)], *[[""]] * 4, [_p(job.interaction)]]))
    return Table(caption=caption, columns=columns, rows=rows)


def _extreme(cell: Cell | None, gap: Disparity | None) -> list[str]:
    if cell is not None:
        return [f"{label(cell.key.accent)} {percent(cell.wer)}"]
    return ["all the same" if gap is not None and gap.value == 0 else NOT_EVALUATED]


def _gap(gap: Disparity | None) -> list[str]:
    if gap is None or gap.value is None:
        return [NOT_EVALUATED]
    chance = NOT_EVALUATED if gap.null_mean is None else gap_points(gap.null_mean)
    return [gap_points(gap.value), f"chance: {chance}"]


def _p(test: Disparity | Interaction | None) -> str:
    if test is None:
        return NOT_EVALUATED
    p = test.p if isinstance(test, Disparity) else test.p_adjusted
    return NOT_EVALUATED if p is None else p_value(p)


def _jobs(comparison: Comparison, caption: str) -> Table:
    columns = ["Recognizer", "Run", "Asked of it alone", "Ended", "Speed", "Left out"]
    return Table(caption=caption, columns=columns, rows=[_row(job.label, _of_job(job)) for job in comparison.jobs])


def _of_job(job: Ended) -> list[list[str]]:
    asked = [outside(text, limit=100) for text in job.differs] or ["nothing"]
    ended = [f"exit code {job.exit_code}", *([f"gates {OUTCOMES[job.gate]}"] if job.gate else [])]
    if job.not_compared:
        ended.append(outside(job.not_compared, limit=120))  # the whole of it stands in the notes
        return [[label(job.run_name)], asked, ended, [NOT_EVALUATED], [NOT_EVALUATED]]
    speed = NOT_RECORDED if job.audio_s_per_s is None else f"{job.audio_s_per_s:.1f} s of audio/s"
    left_out = [f"{job.n_failed or 0:,} trials failed", f"{job.n_excluded or 0:,} rows excluded"]
    if job.n_missing:
        left_out.append(f"{job.n_missing:,} transcripts missing (all deletions)")
    return [[label(job.run_name)], asked, ended, [speed], left_out]


def _row(head: str, cells: Sequence[list[str]]) -> Row:
    return Row(head=label(head), cells=[TableCell(lines=lines) for lines in cells])


def title(comparison: Comparison) -> str:
    """Return the title: how many runs, and of what."""
    if comparison.in_order:
        return f"Comparison of runs: {', '.join(label(job.label) for job in comparison.jobs)}"
    return f"Comparison of {count(len(comparison.jobs), 'run')}: {label(comparison.name)}"


def _paragraph(sentence: Sentence) -> str:
    return f"{'> **Note:** ' if sentence.warning else ''}{escaped(sentence.text)}"


def _grid(table: Table) -> str:
    heads = " | ".join(escaped(column) for column in table.columns)
    lines = [f"**{escaped(table.caption)}**", "", f"| {heads} |", f"|{' --- |' * len(table.columns)}"]
    for row in table.rows:
        cells = ["<br>".join(escaped(line) for line in cell.lines) for cell in row.cells]
        lines.append(f"| {' | '.join([escaped(row.head), *cells])} |")
    return "\n".join(lines)


def _printed(table: Table) -> Grid:
    grid = Grid(
        title=as_it_stands(table.caption),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in table.columns:
        grid.add_column(as_it_stands(column), overflow="fold")
    for row in table.rows:
        grid.add_row(Text(row.head), *(Text("\n".join(cell.lines)) for cell in row.cells))
    return grid
