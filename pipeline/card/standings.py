"""The parts of section 7 on the model and on single groups: shrunken WER, who is probably worst, who is equivalent."""

from collections.abc import Callable, Sequence

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.folding import folded
from pipeline.card.gap_methods import own_note
from pipeline.card.measures import Disparity
from pipeline.card.model import Block, Heading, Listing, Row, Sentence, TableCell
from pipeline.card.standing_measures import Standing
from pipeline.card.wording import NOT_EVALUATED, between, count, gap_points, label, p_value, percent

TITLE = "Where each group stands"
EXPLAINED = (
    "Shrunken WER, P(worst) and P(best) come from the model, which takes for granted that groups differ somewhat: they "
    "say which group it would be, not that there is a difference. A verdict is drawn from the interval of the ratio, "
    "for each group on its own: equivalent if it lies within the margin, worse (or better) if it lies wholly beyond "
    "it, else inconclusive. A test that does not reject is never taken for equality. With fewer than 60 speakers a "
    "group, equivalence within 25% can hardly ever be shown."
)
UNSUPPORTED = "but the permutation test over all groups does not show a difference: not taken as shown"
FAAS = "Faults of FAAS, given because the configuration asks for it"


def standings(evidence: Evidence) -> list[Block]:
    """Return the table of standings, a sentence a condition on equivalence, and FAAS where it was asked for."""
    if not evidence.numbers.standings:
        return [Heading(text=TITLE), Sentence(text=NOT_EVALUATED)]
    view, rules = evidence.view, evidence.numbers.rules
    rows = [
        Row(head=accent_name(accent), cells=[_cell(evidence, accent, condition) for condition in view.conditions])
        for accent in view.accents
    ]
    inner = f"{100 * (1 - 2 * rules.equivalence_level):g}%"
    caption = (
        f"WER as counted and shrunken ({evidence.level} interval), probability of being worst and best, ratio to "
        f"{_against(evidence)} ({inner} interval) with its verdict at a margin of {rules.equivalence_margin:g}"
    )
    rows, left = folded(rows, _nothing_compared(evidence), noun="group", file="standings.csv")
    table = evidence.table(caption, ["Group", *map(label, view.conditions)], rows)
    said = [_equivalence(evidence, condition) for condition in view.conditions]
    return [Heading(text=TITLE), table, *left, Sentence(text=EXPLAINED), Listing(items=said), *_faas(evidence)]


def _nothing_compared(evidence: Evidence) -> Callable[[Row], bool]:
    def says_nothing(row: Row) -> bool:
        items = [evidence.standing(cell.key.accent, cell.key.condition) for cell in row.cells]
        return not any(item is not None and item.ranked for item in items)

    return says_nothing


def model_phrase(evidence: Evidence, condition: str) -> str:
    """Return gap, ratio and spread of the model under one condition, with its assumptions, as one sentence."""
    names = ("model_gap", "model_ratio", "between_accent_sd", "model_gap_above")
    gap, ratio, spread, above = (evidence.disparity(name, condition) for name in names)
    if gap is None or gap.value is None:
        return f"Gap less what chance adds: {NOT_EVALUATED}{f' ({gap.note})' if gap is not None and gap.note else ''}."
    own = own_note(evidence, gap)
    text = f"Less what chance adds{f' ({own})' if own else ''}: gap {gap_points(gap.value)} "
    text += between(gap.ci_low, gap.ci_high)
    if ratio is not None and ratio.value is not None:
        text += f", ratio {ratio.value:.2f} {between(ratio.ci_low, ratio.ci_high, scale=1, digits=2)}"
    if spread is not None and spread.value is not None:
        interval = between(spread.ci_low, spread.ci_high, scale=1, digits=2)
        text += f", SD of log WER between groups {spread.value:.2f} {interval}"
    if above is not None and above.value is not None:
        limit = evidence.numbers.rules.material_gap_points
        text += f", probability in the model of a gap above {limit:g} points {above.value:.2f}"
    return f"{text}."


def _against(evidence: Evidence) -> str:
    name = evidence.numbers.rules.reference_accent
    return label(name) if name else "the mean of the other groups"


def _cell(evidence: Evidence, accent: str, condition: str) -> TableCell:
    key, item = evidence.view.key(accent=accent, condition=condition), evidence.standing(accent, condition)
    if item is None or item.wer is None:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    behind = evidence.stands_on(item.n_speakers, item.n_ref_words)
    if not item.ranked:
        return TableCell(lines=[f"{percent(item.wer)} counted", item.note or "not compared", behind], key=key)
    lines = [f"{percent(item.wer)} counted"]
    if item.shrunken_wer is not None:
        lines.append(f"{percent(item.shrunken_wer)} {between(item.shrunken_low, item.shrunken_high)} shrunken".strip())
        lines.append(f"P(worst) {item.p_worst or 0:.2f}, P(best) {item.p_best or 0:.2f}")
    return TableCell(lines=[*lines, _verdict(item), behind], key=key)


def _verdict(item: Standing) -> str:
    if not item.verdict:
        return "the reference" if item.note.endswith("the reference") else "no other group to compare with"
    ratio = "no ratio" if item.ratio is None else f"ratio {item.ratio:.2f}"
    interval = between(item.ratio_low, item.ratio_high, scale=1, digits=2) or "(no interval)"
    adjusted = f" ({p_value(item.p_worse_holm)} after Holm)" if item.verdict == "worse" else ""
    return f"{ratio} {interval}: {item.verdict}{adjusted}"


def _equivalence(evidence: Evidence, condition: str) -> Sentence:
    every, some = (evidence.disparity(name, condition) for name in ("all_within_margin", "some_worse_than_margin"))
    key, place = evidence.view.key(condition=condition), f"Under {label(condition)}"
    if every is None or some is None or every.n_groups < 2:
        why = f" ({every.note})" if every is not None and every.note else ""
        return Sentence(text=f"{place}: equivalence {NOT_EVALUATED}{why}.", key=key)
    items = [evidence.standing(accent, condition) for accent in evidence.view.accents]
    compared = [item for item in items if item is not None and item.verdict]
    passed, level = sum(item.verdict == "equivalent" for item in compared), evidence.numbers.rules.equivalence_level
    shown = "is shown" if every.p is not None and every.p < level else "is not shown"
    text = f"{place}: that {count(len(compared), 'group')} are all within a ratio of {every.value or 0:g} of "
    text += f"{_against_here(evidence, compared)} {shown} ({passed} shown to be; largest {p_value(every.p)}); "
    text += f"{_worse(evidence, some, condition)} "
    return Sentence(text=f"{text}({evidence.stands_on(every.n_speakers, every.n_ref_words)} in all).", key=key)


def _against_here(evidence: Evidence, compared: Sequence[Standing]) -> str:
    wanted, used = evidence.numbers.rules.reference_accent, {item.against for item in compared}
    if not wanted or wanted in used:
        return _against(evidence)
    return f"the mean of the other groups ({label(wanted)} has too few speakers here)"


def _worse(evidence: Evidence, some: Disparity, condition: str) -> str:
    p = f"{p_value(some.p)} after Holm over the groups"
    if some.p is None or some.p >= evidence.numbers.rules.equivalence_level:
        return f"that any is worse than that margin is not shown ({p})"
    test = evidence.disparity("omnibus_q", condition)
    if test is None or test.p is None or test.p >= evidence.alpha:
        return f"{label(some.worst)} by itself tests as worse than that margin ({p}), {UNSUPPORTED}"
    return f"{label(some.worst)} is shown to be worse than that margin ({p})"


def _faas(evidence: Evidence) -> list[Block]:
    found = [(name, evidence.disparity("faas", name)) for name in evidence.view.conditions]
    items = [
        Sentence(
            text=f"FAAS under {label(condition)}: {NOT_EVALUATED if item.value is None else f'{item.value:.1f}'} "
            f"({evidence.stands_on(item.n_speakers, item.n_ref_words)}).",
            key=item.key,
        )
        for condition, item in found
        if item is not None
    ]
    note = next((item.note for _, item in found if item is not None), "")
    return [Listing(items=[*items, Sentence(text=f"{FAAS}: {note}.")])] if items else []
