"""The part of section 6 that shows the other rates of the pooled cells, and what single utterances do to the WER."""

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.measures import CellRates
from pipeline.card.model import Block, Row, Sentence, TableCell
from pipeline.card.wording import NOT_EVALUATED, count, gap_points, label, listed, percent
from pipeline.tables import POOLED

CAPTION = "Other rates, all groups pooled, by condition (each group's own are in rates.csv; no intervals)"
COLUMNS = (
    "Condition",
    "Precision / recall",
    "MER",
    "WIL",
    "CER",
    "More inserted than said",
    "Empty transcripts",
    "Failed",
    "Behind it",
)


def blocks(evidence: Evidence) -> list[Block]:
    """Return the table of rates and the sentences that belong to it."""
    found = [(name, evidence.rates(POOLED, name)) for name in evidence.view.conditions]
    pooled = [(name, item) for name, item in found if item is not None]
    if not pooled:
        return []
    rows = [Row(head=label(name), cells=_cells(evidence, item)) for name, item in pooled]
    said: list[Block] = [evidence.table(CAPTION, COLUMNS, rows)]
    return [*said, Sentence(text=_read(pooled[0][1])), *_capped(evidence, pooled), *_wordless(pooled)]


def _cells(evidence: Evidence, item: CellRates) -> list[TableCell]:
    texts = [
        f"{_percent(item.precision)} / {_percent(item.recall)}",
        _percent(item.mer),
        _percent(item.wil),
        _percent(item.cer),
        f"{_percent(item.mostly_inserted_share)} ({item.n_mostly_inserted:,} of {item.n_utterances:,})",
        f"{item.n_empty_hypotheses:,} of {item.n_utterances:,}",
        f"{item.n_failed + item.n_unrendered:,}",
        evidence.stands_on(item.n_speakers, item.n_ref_words),
    ]
    return [TableCell(lines=[text], key=item.key) for text in texts]


def _percent(share: float | None) -> str:
    return NOT_EVALUATED if share is None else percent(share)


def _read(item: CellRates) -> str:
    counted = "CER was not evaluated." if item.cer is None else "CER counts spaces between words as characters."
    return (
        f"{counted} Empty transcripts count as all deletions. Failed trials, which could not be rendered or "
        "transcribed, are missing data and are in no rate."
    )


def _capped(evidence: Evidence, pooled: list[tuple[str, CellRates]]) -> list[Sentence]:
    """Say how much the WER owes to utterances with more errors than words."""
    above = sum(item.n_above_one for _, item in pooled)
    if not above:
        return [Sentence(text="Sensitivity: no trial has a WER above 100%, so that capping changes nothing.")]
    moved = [f"{label(name)} {percent(item.wer)} to {percent(item.capped_wer)}" for name, item in pooled]
    have = f"{count(above, 'trial')} {'has' if above == 1 else 'have'}"
    text = (
        f"Sensitivity: {have} a WER above 100%. Counted as 100%, the pooled WER would change: {listed(moved)}."
        f"{_most_moved(evidence)}"
    )
    return [Sentence(text=text)]


def _most_moved(evidence: Evidence) -> str:
    view = evidence.view
    every = [evidence.rates(accent, condition) for accent in view.accents for condition in view.conditions]
    moved = [
        (item.wer - item.capped_wer, item)
        for item in every
        if item is not None and item.wer is not None and item.capped_wer is not None
    ]
    if not moved:
        return ""
    change, item = max(moved, key=lambda one: one[0])
    behind = evidence.stands_on(item.n_speakers, item.n_ref_words)
    return (
        f" The largest change of a group is {gap_points(change)} ({accent_name(item.key.accent)} under "
        f"{label(item.key.condition)}, {percent(item.wer)} to {percent(item.capped_wer)}; {behind})."
    )


def _wordless(pooled: list[tuple[str, CellRates]]) -> list[Sentence]:
    found = [(name, item) for name, item in pooled if item.n_no_reference_words]
    if not found:
        return []
    named = listed(
        f"{label(name)}: {count(item.n_no_reference_words, 'utterance')}, "
        f"{count(item.no_reference_inserted_words, 'inserted word')}"
        for name, item in found
    )
    text = f"References without a word are in no rate; what was heard there is insertion on non-speech: {named}."
    return [Sentence(text=text)]
