"""Every two recognizers of a comparison beside each other: the difference, the primary test and the customary one."""

from collections.abc import Iterator

from pipeline.card.compared import Comparison, Pair
from pipeline.card.model import Row, Sentence, Table, TableCell
from pipeline.card.wording import NOT_EVALUATED, between, count, label, p_value, points, support
from pipeline.records import significance_level

PAIRS = (
    "Every two recognizers are compared on the trials that both answered, all accents pooled. Primary: interval and "
    "permutation test take the speaker as the unit (signs of the speakers' differences are flipped), adjusted by "
    "Holm's method for the number of comparisons ({family}). Customary: MAPSSWE takes segments as independent, which "
    "those of one speaker are not; it is not adjusted and may find too much. "
    "Not shown is not evidence that there is no difference."
)
WHO = "Second less first"
COLUMNS = (
    "Condition",
    WHO,
    "WER difference (interval)",
    "Sign flips by speaker",
    "MAPSSWE",
    "Behind it",
)


def about_pairs(comparison: Comparison) -> list[Sentence]:
    """Say which test is primary and which customary; nothing where there are no pairs."""
    return [Sentence(text=PAIRS.format(family=f"{pair.n_family:,}")) for pair in comparison.pairs[:1]]


def pair_tables(comparison: Comparison, caption: str) -> Iterator[Table]:
    """Yield the table, one row for every two recognizers and condition; nothing where there are no pairs."""
    labels = {job.run_name: label(job.label) for job in comparison.jobs}
    alphas = {job.run_name: significance_level(job.confidence or 0.95) for job in comparison.jobs}
    rows = [
        Row(
            head=label(pair.key.condition),
            cells=[TableCell(lines=lines) for lines in difference_cells(pair, labels, alphas[pair.first])],
        )
        for pair in comparison.pairs
    ]
    if rows:
        yield without_who(Table(caption=caption, columns=list(COLUMNS), rows=rows))


def without_who(table: Table) -> Table:
    """Return a table without the column that says which two runs are compared, if these are the same two in all rows.

    The caption says it then.
    """
    at = table.columns.index(WHO)
    found = {line for row in table.rows for line in row.cells[at - 1].lines}
    if len(found) > 1:
        return table
    rows = [row.model_copy(update={"cells": [*row.cells[: at - 1], *row.cells[at:]]}) for row in table.rows]
    columns = [name for name in table.columns if name != WHO]
    return Table(caption=f"{table.caption}; {found.pop()}", columns=columns, rows=rows)


def difference_cells(pair: Pair, labels: dict[str, str], alpha: float) -> list[list[str]]:
    """Return the cells of one difference, one for each of ``COLUMNS`` but the condition."""
    if pair.difference is None:
        who = f"{labels[pair.second]} less {labels[pair.first]}"
        return [[who], *[[NOT_EVALUATED]] * 3, [pair.note]]
    interval = between(pair.ci_low, pair.ci_high, sign="+") or "(no interval)"
    customary = NOT_EVALUATED if pair.mapsswe_p is None else p_value(pair.mapsswe_p)
    return [
        [f"{labels[pair.second]} less {labels[pair.first]}"],
        [f"{points(pair.difference)} {interval}"],
        [pair.note] if pair.p is None else [f"adjusted {p_value(pair.p_adjusted)}", _verdict(pair, labels, alpha)],
        [customary, count(pair.n_segments, "segment")],
        [
            f"{pair.n_trials:,} trials",
            support(pair.n_speakers, pair.n_ref_words, speakers_known=pair.unit == "speaker"),
        ],
    ]


def _verdict(pair: Pair, labels: dict[str, str], alpha: float) -> str:
    if pair.p_adjusted is None or pair.p_adjusted >= alpha:
        return "a difference is not shown"
    return f"{labels[pair.second if (pair.difference or 0) > 0 else pair.first]} is shown to make more errors"
