"""Two runs side by side as tables: each group's difference, the gaps between groups, and each group's own gap."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pipeline.card.change_sentences import alpha_of, extremes, gap_verdict, shown_labels
from pipeline.card.compared import Comparison, GapChange, GroupGap, Pair
from pipeline.card.model import Row, Table, TableCell
from pipeline.card.pair_table import COLUMNS, WHO, difference_cells, without_who
from pipeline.card.wording import NOT_EVALUATED, between, gap_points, label, p_value, points, support

GAP_COLUMNS = ("Condition", WHO, "Naive gap of the first", "Naive gap of the second",
               "Change (interval)", "Test", "Behind it")  # fmt: skip
GROUP_COLUMNS = ("Group", "Condition", WHO, "Gap of the first", "Gap of the second",
                 "Change (interval)", "Test", "Behind it")  # fmt: skip
MOST_ROWS = 400
"""Of a longer table only the rows that are shown to differ; the CSV files hold all."""

T = TypeVar("T", Pair, GroupGap)


def cell_tables(comparison: Comparison, flag: str, *, most_rows: int = MOST_ROWS) -> Iterator[Table]:
    """Yield the difference of every group under every condition, for every two runs."""
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    # those that can be compared first, of each two runs and condition
    order = {condition: at for at, condition in enumerate(comparison.conditions)}
    found = sorted(comparison.cells, key=lambda one: (order[one.key.condition], one.p is None))
    chosen, part = _chosen(found, alpha, most_rows)
    rows = [
        _row(label(one.key.accent), [[label(one.key.condition)], *difference_cells(one, labels, alpha)])
        for one in chosen
    ]
    if rows:
        caption = f"Each group, on the trials that both runs answered{part}{flag}"
        yield without_who(Table(caption=caption, columns=["Group", *COLUMNS], rows=rows))


def gap_tables(comparison: Comparison, flag: str, *, most_rows: int = MOST_ROWS) -> Iterator[Table]:
    """Yield the naive gap of every two runs, and the gap of each group to the others."""
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    rows = [_row(label(gap.key.condition), _gap_cells(gap, labels, alpha)) for gap in comparison.gaps]
    if rows:
        caption = f"Gap between the groups with the highest and the lowest WER{flag}"
        yield without_who(Table(caption=caption, columns=list(GAP_COLUMNS), rows=rows))
    chosen, part = _chosen(comparison.group_gaps, alpha, most_rows)
    rows = [_row(label(one.key.accent), _group_cells(one, labels, alpha)) for one in chosen]
    if rows:
        against = chosen[0].against
        whom = f"the reference group {label(against)}" if against else "the mean of the other groups"
        caption = f"Gap of each group to {whom}{part}{flag}"
        yield without_who(Table(caption=caption, columns=list(GROUP_COLUMNS), rows=rows))


def _chosen(found: Sequence[T], alpha: float, most_rows: int) -> tuple[Sequence[T], str]:
    if len(found) <= most_rows:
        return found, ""
    shown = [one for one in found if one.p_adjusted is not None and one.p_adjusted < alpha][:most_rows]
    return shown, f"; {len(shown):,} of {len(found):,} rows, those shown to differ, all of them in the CSV files"


def _gap_cells(gap: GapChange, labels: dict[str, str], alpha: float) -> list[list[str]]:
    who = [f"{labels[gap.second]} less {labels[gap.first]}"]
    if gap.change is None:
        return [who, *[[NOT_EVALUATED]] * 4, [gap.note]]
    sides = [
        [f"{gap_points(gap.gap_first)}{extremes(gap.worst_first, gap.best_first)}", _model(gap.model_first)],
        [f"{gap_points(gap.gap_second)}{extremes(gap.worst_second, gap.best_second)}", _model(gap.model_second)],
    ]
    behind = [f"{gap.n_groups:,} groups, {gap.n_trials:,} trials", _support(gap.n_speakers, gap.n_ref_words)]
    return [who, *sides, *_change(gap.change, gap.ci_low, gap.ci_high, gap.p_adjusted, alpha), behind]


def _model(value: float | None) -> str:
    return f"model, own trials: {NOT_EVALUATED if value is None else gap_points(value)}"


def _group_cells(one: GroupGap, labels: dict[str, str], alpha: float) -> list[list[str]]:
    return [
        [label(one.key.condition)],
        [f"{labels[one.second]} less {labels[one.first]}"],
        [points(one.gap_first)],
        [points(one.gap_second)],
        *_change(one.change, one.ci_low, one.ci_high, one.p_adjusted, alpha, is_signed=True),
        [_support(one.n_speakers, one.n_ref_words)],
    ]


def _change(
    change: float | None,
    low: float | None,
    high: float | None,
    p: float | None,
    alpha: float,
    *,
    is_signed: bool = False,
) -> list[list[str]]:
    verdict = gap_verdict(change, p, alpha)
    if is_signed:  # a gap to the others may be on either side of them
        verdict = "a change is shown" if p is not None and p < alpha else "a change is not shown"
    interval = between(low, high, sign="+") or "(no interval)"
    return [[f"{points(change)} {interval}"], [f"adjusted {p_value(p)}", verdict]]


def _support(n_speakers: int, n_words: int) -> str:
    return support(n_speakers, n_words, speakers_known=True)


def _row(head: str, cells: Sequence[list[str]]) -> Row:
    return Row(head=head, cells=[TableCell(lines=lines) for lines in cells])
