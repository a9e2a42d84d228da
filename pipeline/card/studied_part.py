"""Which part of the corpus was studied, what was left out of it, and what was wished for and is not there."""

from pipeline.artifacts import SubsetPart, SubsetRecord
from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.folding import some_named
from pipeline.card.model import Block, Row, Sentence, TableCell
from pipeline.card.wording import count, outside


def studied_part(evidence: Evidence) -> list[Block]:
    """Return what the record says of a subset; nothing where the whole corpus was studied.

    Under a publication floor only totals are told: what a small accent lost is a count of few speakers.
    """
    subset = evidence.view.source.record.subset
    if subset is None:
        return []
    kept, there = (sum(_utterances(part)[place] for part in subset.parts) for place in (0, 1))
    text = (
        f"A part of the corpus was studied: {kept:,} of {count(there, 'usable utterance')}. "
        f"How it was chosen: {'; '.join(outside(rule) for rule in subset.rules)}. Every number is of this part."
    )
    blocks: list[Block] = [Sentence(text=text)]
    if evidence.numbers.publication.floor is not None:
        return [*blocks, *_missing(subset, named=False)]
    rows = [Row(head=accent_name(part.accent), cells=_cells(part)) for part in subset.parts]
    caption = "The part that was studied, of what the corpus could give, by group"
    return [
        *blocks,
        evidence.table(caption, ["Group", "Speakers", "Utterances", "Left out", "Minutes"], rows),
        *_missing(subset, named=True),
    ]


def _utterances(part: SubsetPart) -> tuple[int, int]:
    return part.n_utterances_kept, part.n_utterances


def _cells(part: SubsetPart) -> list[TableCell]:
    speakers = f"{part.n_speakers_kept:,} of {part.n_speakers:,}" if part.n_speakers else "unknown"
    texts = [
        speakers,
        f"{part.n_utterances_kept:,} of {part.n_utterances:,}",
        f"{part.n_utterances - part.n_utterances_kept:,}",
        "no audio" if part.minutes_kept is None else f"{part.minutes_kept:.1f}",
    ]
    return [TableCell(lines=[text]) for text in texts]


def _missing(subset: SubsetRecord, *, named: bool) -> list[Block]:
    if not subset.missing:
        return []
    if not named:
        text = f"Not all that this part was to hold is there: {count(len(subset.missing), 'shortfall')}."
        return [Sentence(text=text, warning=True)]
    told = some_named([outside(sentence) for sentence in subset.missing], separator="; ")
    return [Sentence(text=f"Wished for and not there: {told}.", warning=True)]
