"""Sections 5 and 6: two contrasting cells of this run, and the recognizer as a whole."""

from pipeline.card import rates
from pipeline.card.evidence import ALL_ACCENTS, Evidence, fact, interval_of
from pipeline.card.measures import Cell
from pipeline.card.model import Block, Fact, Facts, Row, Section, Sentence, TableCell
from pipeline.card.publication import SUPPRESSED
from pipeline.card.second_intervals import borrowed_lines
from pipeline.card.wording import NOT_EVALUATED, label, p_value, percent, times
from pipeline.records import Support
from pipeline.tables import POOLED

SPEAKER_MEAN_DIFFERS = 0.10
"""Relative difference from the pooled WER above which the mean over speakers is shown (statistics: 1)."""


def expectations(evidence: Evidence) -> Section:
    """Section 5: what to expect, as two cells of this run that contrast."""
    slug, title = "expectations", "Performance expectations"
    pair = _contrast(evidence)
    if pair is None:
        return Section(slug=slug, title=title, blocks=[Sentence(text=NOT_EVALUATED)])
    first, second = pair
    sentences = [
        Sentence(text=f"{name}: {_placed(cell)} has a WER of {evidence.in_words(cell)}.", key=cell.key)
        for name, cell in (("Application A", first), ("Application B", second))
    ]
    sentences.append(Sentence(text=_picked(evidence, first, second)))
    closing = "The same recognizer in two applications will likely have differing error rates; test on your own audio."
    return Section(slug=slug, title=title, blocks=[*sentences, Sentence(text=closing)])


def _picked(evidence: Evidence, first: Cell, second: Cell) -> str:
    text = "The two were picked from this run because they contrast, which overstates how far they lie apart"
    test = evidence.disparity("omnibus_q", first.key.condition)
    if first.key.condition != second.key.condition or test is None or test.p is None or test.p < evidence.alpha:
        return f"{text}."
    return f"{text}; that groups differ at all is not shown here ({p_value(test.p)})."


def _contrast(evidence: Evidence) -> tuple[Cell, Cell] | None:
    """The best ranked group under the reference condition, and its worst condition; else the worst ranked group."""
    ranked = evidence.ranked(evidence.view.reference)
    if not ranked:
        return None
    best = ranked[0]
    same = [evidence.cell(best.key.accent, condition) for condition in evidence.view.conditions]
    worst = max((cell for cell in same if cell and cell.ranked), key=lambda cell: cell.wer or 0.0)
    other = worst if worst.key != best.key else ranked[-1]
    return None if other.key == best.key else (best, other)


def _placed(cell: Cell) -> str:
    return f"{label(cell.key.accent)} under {label(cell.key.condition)}"


def overall(evidence: Evidence) -> Section:
    """Section 6: all groups pooled, under each condition and both normalizers."""
    slug, title = "overall", "Overall"
    view = evidence.view
    if not evidence.measured:
        return Section(slug=slug, title=title, blocks=[Sentence(text=NOT_EVALUATED)])
    blocks: list[Block] = [_pooled_table(evidence)]
    blocks += rates.blocks(evidence)
    blocks.append(
        Sentence(
            text=f"{ALL_ACCENTS.capitalize()}: each group weighs as much as its reference words, so these numbers hide "
            "the groups with little speech. Intervals of F1 and of the median speaker: not evaluated."
        )
    )
    others = ", ".join(map(label, view.others)) or NOT_EVALUATED
    facts = [fact("Main normalizer", label(view.main)), fact("Other normalizers", others), _speed(evidence)]
    return Section(slug=slug, title=title, blocks=[*blocks, Facts(facts=facts)])


def _speed(evidence: Evidence) -> Fact:
    speed = evidence.numbers.speed
    text = None
    if speed is not None and speed.rtfx is not None:
        device = evidence.view.source.record.device
        text = f"{speed.rtfx:.1f} seconds of audio per second of decoding ({speed.n_trials:,} renderings, {device})"
    return fact("Speed (RTFx)", text, speed.key if speed is not None else None)


def _pooled_table(evidence: Evidence) -> "Block":
    view = evidence.view
    rows = []
    medians = {item.key.condition: item for item in evidence.numbers.speaker_medians}
    for condition in view.conditions:
        cell = evidence.cell(POOLED, condition)
        if cell is None:
            continue
        median = medians.get(condition)
        texts = [
            [percent(cell.wer), interval_of(cell)],
            [percent(cell.f1)],
            [_shares(cell)],
            [percent(cell.speaker_mean_wer)] if cell.speaker_mean_wer is not None else [NOT_EVALUATED],
            [percent(median.median_wer)] if median is not None else [NOT_EVALUATED],
            [_alternatives(evidence, POOLED, condition)],
            [evidence.stands_on(cell.n_speakers, cell.n_ref_words)],
        ]
        lines = [TableCell(lines=[line for line in text if line], key=cell.key) for text in texts]
        rows.append(Row(head=label(condition), cells=lines))
    columns = ["Condition", f"WER ({evidence.level} interval)", "F1", "S / D / I", "Mean of speakers", "Median speaker"]
    columns += ["WER, other normalizer", "Behind it"]
    return evidence.table("Overall: all groups pooled, by condition", columns, rows)


def _shares(cell: Cell) -> str:
    if not cell.n_ref_words:
        return NOT_EVALUATED
    parts = (cell.substitutions, cell.deletions, cell.insertions)
    return " / ".join(percent(part / cell.n_ref_words) for part in parts)


def _alternatives(evidence: Evidence, accent: str, condition: str) -> str:
    found = [(other, evidence.cell(accent, condition, other)) for other in evidence.view.others]
    return ", ".join(f"{label(other)} {percent(cell.wer)}" for other, cell in found if cell) or NOT_EVALUATED


def cell_lines(evidence: Evidence, accent: str, condition: str) -> TableCell:
    """Return the lines of one accent x condition cell: WER, interval, F1, what stands behind it, what to beware of."""
    cell = evidence.cell(accent, condition)
    key = evidence.view.key(accent=accent, condition=condition)
    if (accent, condition) in evidence.numbers.publication.hidden:
        return TableCell(lines=[SUPPRESSED], key=key)
    if cell is None or cell.wer is None:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    lines = [f"{percent(cell.wer)} {interval_of(cell)}".strip(), f"F1 {percent(cell.f1)}"]
    lines.append(evidence.stands_on(cell.n_speakers, cell.n_ref_words))
    if _mean_differs(cell):
        lines.append(f"mean of speakers {percent(cell.speaker_mean_wer)}")
    lines += borrowed_lines(cell)
    if evidence.view.others:
        lines.append(_alternatives(evidence, accent, condition))
    return TableCell(lines=lines + _marks(cell), key=key)


def _mean_differs(cell: Cell) -> bool:
    if cell.speaker_mean_wer is None or not cell.wer:
        return False
    return abs(cell.speaker_mean_wer - cell.wer) > SPEAKER_MEAN_DIFFERS * cell.wer


def _marks(cell: Cell) -> list[str]:
    marks = []
    if cell.support == Support.THIN:
        marks.append("thin")
    elif cell.support == Support.ZERO_ERRORS:
        marks.append("no errors counted")
    elif cell.ci_low is None:
        marks.append("no interval")
    if not cell.ranked and cell.key.accent != POOLED:
        marks.append("not ranked")
    return marks


def highest_lines(evidence: Evidence, accent: str) -> TableCell:
    """Return the condition under which one group's WER is highest."""
    cells = [evidence.cell(accent, condition) for condition in evidence.view.conditions]
    found = [cell for cell in cells if cell is not None and cell.wer is not None]
    if not found:
        return TableCell(lines=[NOT_EVALUATED], key=evidence.view.key(accent=accent))
    worst = max(found, key=lambda cell: cell.wer or 0.0)
    lines = [f"{percent(worst.wer)} {interval_of(worst)}".strip(), label(worst.key.condition)]
    return TableCell(lines=[*lines, evidence.stands_on(worst.n_speakers, worst.n_ref_words)], key=worst.key)


def harm(difference: float | None, ratio: float | None) -> str:
    """Return a degradation as points and factor: ``+8.1 points, 1.90 times``."""
    if difference is None:
        return NOT_EVALUATED
    return f"{100 * difference:+.1f} points" + (f", {times(ratio)}" if ratio is not None else "")
