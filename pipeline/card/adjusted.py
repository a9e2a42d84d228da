"""Gaps beside the same gaps freed from what was read, and the sentence where accent and content are one."""

from collections.abc import Sequence

from pipeline.card.content_measures import AdjustedGap
from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.keys import Key
from pipeline.card.model import Block, Row, Sentence, TableCell
from pipeline.card.wording import NOT_EVALUATED, between, label, listed, outside, percent, points

METHODS = {
    "raw": "Raw gap",
    "two_way": "Texts as a sample too",
    "shared_texts": "On shared texts",
    "standardized": "Common mix of strata",
}
SAME_TEXTS = "All compared groups read the same texts, so a gap between them is no gap between texts."
EXPLAINED = (
    "The groups did not read the same texts, so a raw gap is also a gap between texts, and its interval may be too "
    "narrow. A second interval takes texts as a sample too; it does not remove a systematic difference of the texts. "
    "The gap on shared texts does, and the common mix of strata does so for the declared strata only: {strata}."
)


def _shown(evidence: Evidence) -> list[AdjustedGap]:
    """Return the rows of the one condition that the card shows: the reference, or the first that compares anything."""
    compared = [item for item in evidence.numbers.adjusted_gaps if item.text_overlap is not None]
    conditions = list(dict.fromkeys(item.key.condition for item in compared))
    return [item for item in compared if item.key.condition == conditions[0]] if conditions else []


def in_short(evidence: Evidence) -> str | None:
    """Return what came of the adjustment in a few words; None where nothing was compared."""
    found = _shown(evidence)
    if not found:
        return None
    if any(item.adjustment != "raw" for item in found):
        return "accent and content are confounded" if any(item.confounded for item in found) else "see above"
    return "not needed for content: all compared groups read the same texts"


def content_blocks(evidence: Evidence) -> list[Block]:
    """Return the table of raw and adjusted gaps with what it means, or why none is needed."""
    found = _shown(evidence)
    if not found:
        return [Sentence(text=NOT_EVALUATED)]
    if all(item.adjustment == "raw" for item in found):
        return [Sentence(text=SAME_TEXTS)]
    methods = [method for method in METHODS if any(item.adjustment == method for item in found)]
    by_place = {(item.key.accent, item.adjustment): item for item in found}
    accents = list(dict.fromkeys(item.key.accent for item in found))
    methods, left = _with_a_result(found, methods)
    table_rows = [
        Row(head=accent_name(accent), cells=[_cell(evidence, by_place.get((accent, method))) for method in methods])
        for accent in accents
    ]
    caption = (
        f"Gaps under {label(found[0].key.condition)}, raw and freed from what was read ({evidence.level} intervals, "
        "each on its own)"
    )
    table = evidence.table(caption, ["Group", *(METHODS[method] for method in methods)], table_rows)
    return [*_explained(evidence, found), table, *left, *confounded_sentences(evidence)]


def _with_a_result(found: Sequence[AdjustedGap], methods: Sequence[str]) -> tuple[list[str], list[Block]]:
    """Return the methods that gave any group a gap, and a sentence on each other one, if one reason covers it."""
    kept, left = [], []
    for method in methods:
        own = [item for item in found if item.adjustment == method]
        notes = {outside(item.note.partition("not evaluated: ")[2]) for item in own}
        if len(own) > 1 and len(notes) == 1 and not any(item.gap is not None for item in own):
            why = f" ({notes.pop()})" if all(notes) else ""
            left.append(Sentence(text=f"{METHODS[method]}: {NOT_EVALUATED} for any group{why}."))
        else:
            kept.append(method)
    return kept, list(left)


def _explained(evidence: Evidence, found: Sequence[AdjustedGap]) -> list[Block]:
    stats = evidence.view.source.record.config.get("stats") or {}
    strata = listed((label(name) for name in stats.get("strata") or ()), empty="none is declared")
    if any(item.adjustment == "two_way" for item in found):
        return [Sentence(text=EXPLAINED.format(strata=strata))]
    return [Sentence(text=f"{SAME_TEXTS} The common mix is that of the declared strata: {strata}.")]


def _cell(evidence: Evidence, item: AdjustedGap | None) -> TableCell:
    if item is None or item.gap is None:
        note = [outside(item.note.partition("not evaluated: ")[2])] if item is not None else []
        return TableCell(lines=[NOT_EVALUATED, *filter(None, note)], key=item.key if item else Key())
    interval = between(item.gap_ci_low, item.gap_ci_high, sign="+") or "(no interval)"
    lines = [f"{points(item.gap)} {interval}", evidence.stands_on(item.n_speakers, item.n_ref_words)]
    if item.adjustment in ("shared_texts", "standardized"):
        lines.append(f"{percent(item.kept_share)} of its words, {item.n_texts:,} texts")
    if item.strata_missing:
        lines.append(f"lacks {outside(item.strata_missing)}")
    return TableCell(lines=lines, key=item.key)


def confounded_sentences(evidence: Evidence) -> list[Sentence]:
    """Return the warning that names the groups whose gaps nothing here can tell from a gap between texts."""
    found = [item for item in _shown(evidence) if item.confounded and item.adjustment == "raw"]
    if not found:
        return []
    overlaps = [item.text_overlap or 0.0 for item in found]
    shared = "nothing" if not max(overlaps) else f"at most {percent(max(overlaps))} of the words"
    text = (
        f"Accent and content are confounded: under {label(found[0].key.condition)}, the texts of "
        f"{listed(label(item.key.accent) for item in found)} and those of the groups that they are compared with have "
        f"{shared} in common, and neither shared texts nor declared strata can separate accent from content here. Such "
        "a gap may be one of accents, of texts, or of both."
    )
    return [Sentence(text=text, warning=True)]
