"""The publication floor on the card: what the rule is, and by name what it hides."""

from collections.abc import Sequence

from pipeline.card.evidence import Evidence, fact
from pipeline.card.intersected import group_name
from pipeline.card.model import Fact, Row, Sentence, TableCell
from pipeline.card.publication import SUPPRESSED, WORD_STEP, HiddenCell, Publication
from pipeline.card.wording import count, label, listed


def facts(evidence: Evidence) -> list[Fact]:
    """Return the rule and what it hid, for the section on privacy."""
    rule = evidence.numbers.publication
    if rule.floor is None:
        why = "the corpus is declared to be public" if rule.public else "the publisher chose so"
        return [fact("Publication floor", f"off: {why}")]
    text = f"{count(rule.floor, 'named speaker')} and {count(rule.words, 'word')} a cell"
    if rule.rounded:
        text += f"; rates rounded to 0.1 point, counts of words to {WORD_STEP}"
    found = [fact("Publication floor", text), fact("Suppressed", _cells(rule.cells) or "nothing")]
    if rule.groups:
        groups = listed(f"{label(one.accent)}: {group_name(one.group)}" for one in rule.groups)
        found.append(fact("Suppressed groups of intersections, or groups that would give one away", groups))
    return found


def sentence(rule: Publication) -> Sentence | None:
    """Return what is hidden in one breath, for the summary; None where nothing is."""
    if not rule.cells:
        return None
    least = f"{count(rule.floor or 0, 'named speaker')} or {count(rule.words, 'word')}"
    text = (
        f"Suppressed, because a cell or the one it is compared with has fewer than {least}: {_cells(rule.cells)}. "
        "No number here rests on what is suppressed; pooled numbers are of what is shown."
    )
    if rule.reference_hidden:
        text += " The reference group is among it, so groups are compared with the others shown."
    return Sentence(text=text, warning=True)


def _cells(cells: Sequence[HiddenCell]) -> str:
    by_accent: dict[str, list[HiddenCell]] = {}
    for cell in cells:
        by_accent.setdefault(cell.accent, []).append(cell)
    parts = []
    for accent, own in by_accent.items():
        into = own[0].merged_into
        where = listed(label(cell.condition) for cell in own if cell.condition)
        parts.append(f"{label(accent)} ({f'shown within {label(into)}' if into else where or 'every condition'})")
    return listed(parts)


def rows(evidence: Evidence) -> list[Row]:
    """Return a row of the main table for each group of which no number is shown."""
    view, rule = evidence.view, evidence.numbers.publication
    hidden = {cell.accent: cell.merged_into for cell in rule.cells if cell.accent not in view.accents}
    found = []
    for accent, into in sorted(hidden.items()):
        words = f"in {label(into)}" if into else SUPPRESSED
        cells = [TableCell(lines=[words], key=view.key(accent=accent, condition=name)) for name in view.conditions]
        found.append(Row(head=label(accent), cells=[*cells, TableCell(lines=[words], key=view.key(accent=accent))]))
    return found
