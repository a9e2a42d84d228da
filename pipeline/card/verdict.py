"""What a reader of the page or of the Markdown card must see first: the summary's sentences, and one row a condition.

The row says whose WER is highest and lowest, by how much, and whether a difference between groups is shown. Only
sentences that say the same are folded beside it.
"""

from dataclasses import dataclass

from pipeline.card.evidence import interval_of
from pipeline.card.fairness import opening
from pipeline.card.measures import Cell, Disparity
from pipeline.card.model import CardContent, Sentence
from pipeline.card.plot_data import main_cells
from pipeline.card.wording import NOT_EVALUATED, SYNTHETIC, gap_points, label, p_value, percent, support
from pipeline.records import significance_level

MOST_ROWS = 6
"""Conditions in sight; the others are folded."""
MOST_SENTENCES = 3
"""Sentences about single conditions in sight, beside the table that says the same."""
NOBODY = "no group is named"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """The extremes of one condition, each as lines of a cell."""

    condition: str
    highest: tuple[str, ...]
    lowest: tuple[str, ...]
    gap: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first screen: ``rows`` and ``sentences`` in sight, the rest folded; ``caption`` is that of the rows."""

    caption: str
    warnings: tuple[Sentence, ...]
    sentences: tuple[Sentence, ...]
    folded_sentences: tuple[Sentence, ...]
    rows: tuple[VerdictRow, ...]
    folded_rows: tuple[VerdictRow, ...]


def verdict(content: CardContent) -> Verdict:
    """Sort the summary after its first sentence; no sentence is dropped, and no warning is folded."""
    rest = content.summary[1:]
    kept, left = _rows(content)
    single = [sentence for sentence in rest if not sentence.warning and _of_a_row(sentence)] if kept else []
    folded = single if len(single) > MOST_SENTENCES else []
    plain = tuple(sentence for sentence in rest if not sentence.warning and sentence not in folded)
    warnings = tuple(one for one in rest if one.warning)
    return Verdict(_caption(content), warnings, plain, tuple(folded), kept, left)


def _caption(content: CardContent) -> str:
    level = f"{100 * content.numbers.rules.confidence:g}%"
    flag = f"; {SYNTHETIC}" if content.synthetic else ""
    return (
        f"Highest and lowest WER of a ranked group, by condition ({level} interval; normalizer "
        f"{label(content.main_normalizer)}). “Not shown” does not mean that there is no difference{flag}"
    )


def _of_a_row(sentence: Sentence) -> bool:
    return bool(sentence.key.condition) and sentence.text.startswith(opening(sentence.key.condition))


def _rows(content: CardContent) -> tuple[tuple[VerdictRow, ...], tuple[VerdictRow, ...]]:
    """Return a row for every condition, in sight or folded; none where no condition has a gap."""
    gaps = {condition: _main(content, "gap_max_min", condition) for condition in content.conditions}
    sizes = {
        name: gap.value for name, gap in gaps.items() if gap is not None and gap.value is not None and gap.n_groups > 1
    }
    if not sizes:
        return (), ()
    reference = content.numbers.rules.reference_condition
    # in sight: the reference condition and the widest gaps; in the order of the card all the same
    weighty = sorted(gaps, key=lambda name: (name != reference, -sizes.get(name, -1.0), name))
    seen = set(weighty[:MOST_ROWS])
    rows = [
        (name in seen, _unevaluated(name, gap) if gap is None or name not in sizes else _row(content, gap))
        for name, gap in gaps.items()
    ]
    return tuple(row for kept, row in rows if kept), tuple(row for kept, row in rows if not kept)


def _unevaluated(condition: str, gap: Disparity | None) -> VerdictRow:
    why = (gap.note,) if gap is not None and gap.note else ()
    return VerdictRow(label(condition), (NOBODY,), (NOBODY,), (NOT_EVALUATED, *why), (NOT_EVALUATED,))


def _row(content: CardContent, gap: Disparity) -> VerdictRow:
    condition, cells = gap.key.condition, main_cells(content)
    highest, lowest = cells.get((gap.worst, condition)), cells.get((gap.best, condition))
    widths = [gap_points(gap.value)]
    if gap.null_mean is not None and gap.null_p95 is not None:
        widths.append(f"chance alone: {gap_points(gap.null_mean)} on average, {gap_points(gap.null_p95)} at the 95th "
                      "percentile")  # fmt: skip
    return VerdictRow(
        condition=label(condition),
        highest=_extreme(content, highest),
        lowest=_extreme(content, lowest),
        gap=tuple(widths),
        shown=_shown(content, condition),
    )


def _extreme(content: CardContent, cell: Cell | None) -> tuple[str, ...]:
    if cell is None or not cell.ranked:
        return (NOBODY,)
    interval = interval_of(cell) or "(no interval)"
    behind = support(cell.n_speakers, cell.n_ref_words, speakers_known=content.speakers_known)
    return (label(cell.key.accent), f"{percent(cell.wer)} {interval}", behind)


def _shown(content: CardContent, condition: str) -> tuple[str, ...]:
    test = _main(content, "omnibus_q", condition)
    if test is None or test.p is None:
        return (NOT_EVALUATED,)
    found = test.p < significance_level(content.numbers.rules.confidence)
    return ("shown" if found else "not shown", p_value(test.p))


def _main(content: CardContent, statistic: str, condition: str) -> Disparity | None:
    chosen = (
        item
        for item in content.numbers.disparities
        if (item.statistic, item.key.condition, item.key.accent) == (statistic, condition, "")
        and item.key.normalizer == content.main_normalizer
    )
    return next(chosen, None)
