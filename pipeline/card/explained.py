"""Section 10's tables of words taken for others, and of confidence against error."""

from pipeline.card.confusions import MOST
from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.explained_measures import Confidence, Confusion, Kind
from pipeline.card.model import Block, Row, Sentence, TableCell
from pipeline.card.wording import NOT_EVALUATED, count, outside, percent

CONFUSIONS = "Most frequent confusions by group"
CONFIDENCE = "Confidence against error"


def confusion_blocks(evidence: Evidence) -> list[Block]:
    """Return the table of section 10, and how it was made; nothing where there is no confusion to tell."""
    found = evidence.numbers.confusions
    if not found:
        return []
    rows = [
        Row(head=accent_name(accent), cells=[_confused(evidence, accent, kind) for kind in MOST])
        for accent in dict.fromkeys(one.key.accent for one in found)
    ]
    caption = f"{CONFUSIONS}, all conditions together (words after {evidence.view.main})"
    floor = evidence.numbers.publication.floor
    text = (
        "A word heard as another is counted where the alignment with the fewest errors puts them side by side; of "
        "several such alignments it is always the same one. What was heard of most speakers comes first, then what "
        "was heard most often; a speaker heard under several conditions is counted once among the speakers."
    )
    if floor is not None:
        text += f" Only what was heard of at least {floor} speakers of a group is told."
    return [evidence.table(caption, ["Group", "Replaced", "Left out", "Inserted"], rows), Sentence(text=text)]


def _confused(evidence: Evidence, accent: str, kind: Kind) -> TableCell:
    of_kind = [one for one in evidence.numbers.confusions if (one.key.accent, one.kind) == (accent, kind)]
    lines = [_line(evidence, one) for one in of_kind]
    return TableCell(lines=lines or ["none more than once"], key=evidence.view.key(accent=accent))


def _line(evidence: Evidence, one: Confusion) -> str:
    what = {
        "replaced": f"“{one.reference_word}” as “{one.heard_word}”",
        "left_out": f"“{one.reference_word}”",
        "inserted": f"“{one.heard_word}”",
    }[one.kind]
    people = count(one.n_speakers, "speaker") if evidence.view.speakers_known else "speakers unknown"
    often = f"{evidence.words(one.n_words):,}"
    words = f"{often} of {count(one.n_said_words, 'word')}" if one.n_said_words is not None else f"{often} words"
    return f"{outside(what)}: {words}, {people}"


def confidence_blocks(evidence: Evidence) -> list[Block]:
    """Return the table of section 10, and how to read it; nothing where there is no log-probability."""
    found = evidence.numbers.confidence
    if not found:
        return []
    columns = ["Group", "A wrong trial is less sure than a right one", "Least sure quarter", "Most sure quarter"]
    text = (
        "Each transcript's mean log-probability, as the recognizer gives it, against whether any word is wrong; "
        "50% would be no better than chance. No interval is computed, and a difference between groups is not tested."
    )
    rows = [_row(evidence, one) for one in found]
    return [evidence.table(f"{CONFIDENCE}, all conditions together", columns, rows), Sentence(text=text)]


def _row(evidence: Evidence, one: Confidence) -> Row:
    often = NOT_EVALUATED if one.auc is None else f"in {percent(one.auc)} of pairs"
    cells = [
        [often, f"{one.n_wrong:,} wrong of {one.n_trials:,}", evidence.stands_on(one.n_speakers, one.n_ref_words)],
        _quarter(evidence, one.wer_least_sure, one.n_ref_words_least),
        _quarter(evidence, one.wer_most_sure, one.n_ref_words_most),
    ]
    return Row(head=accent_name(one.key.accent), cells=[TableCell(lines=lines, key=one.key) for lines in cells])


def _quarter(evidence: Evidence, wer: float | None, n_ref_words: int) -> list[str]:
    if wer is None:
        return [NOT_EVALUATED]
    return [f"WER {percent(wer)}", f"{evidence.words(n_ref_words):,} words"]
