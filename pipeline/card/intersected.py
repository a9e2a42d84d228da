"""Groups within accents on the card: one table a crossing, and what is shown of any group after adjustment."""

import json
from collections.abc import Sequence

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.folding import any_lines, folded
from pipeline.card.model import Block, Row, Sentence, TableCell
from pipeline.card.study_measures import Intersection
from pipeline.card.wording import NOT_EVALUATED, between, label, listed, p_value, percent, points
from pipeline.records import Support

NOT_STATED = "not stated"


def blocks(evidence: Evidence) -> list[Block]:
    """Return the tables of section 7 about intersections, under the main normalizer; nothing where none is declared."""
    own = [one for one in evidence.numbers.intersections if one.key.normalizer == evidence.view.main]
    if not own:
        return []
    found: list[Block] = []
    for crossing in sorted({one.crossing for one in own}):
        found.extend(_table(evidence, crossing, [one for one in own if one.crossing == crossing]))
    return [*found, *_shown(evidence, own)]


def _table(evidence: Evidence, crossing: str, own: Sequence[Intersection]) -> list[Block]:
    conditions = evidence.view.conditions
    by_place = {(one.key.accent, one.group, one.key.condition): one for one in own}
    rows = []
    for accent, group in sorted({(one.key.accent, one.group) for one in own}):
        cells = []
        for condition in conditions:
            one = by_place.get((accent, group, condition))
            key = evidence.view.key(accent=accent, condition=condition)
            cells.append(TableCell(lines=_lines(evidence, one) if one else [NOT_EVALUATED], key=key))
        rows.append(Row(head=f"{accent_name(accent)}: {group_name(group)}", cells=cells))
    crossed = " x ".join(map(label, json.loads(crossing)))
    caption = (
        f"Intersections, {crossed}: WER, and its gap to the rest of the same accent ({evidence.level} intervals, each "
        "on its own; p adjusted over every comparison)"
    )
    rows, left = folded(rows, any_lines("not compared", NOT_EVALUATED), noun="group", file="intersections.csv")
    return [evidence.table(caption, ["Group", *map(label, conditions)], rows), *left]


def group_name(group: str) -> str:
    """Return the values of a group as a reader sees them."""
    return ", ".join(NOT_STATED if value is None else label(value) for value in json.loads(group).values())


def _lines(evidence: Evidence, one: Intersection) -> list[str]:
    if one.wer is None:
        return [NOT_EVALUATED, evidence.stands_on(one.n_speakers, one.n_ref_words)]
    bound = f"(at most {percent(one.ci_high)})" if one.support == Support.ZERO_ERRORS and one.ci_high else ""
    lines = [f"{percent(one.wer)} {bound or between(one.ci_low, one.ci_high)}".strip()]
    if one.gap is not None:
        lines.append(f"gap {points(one.gap)} {between(one.gap_ci_low, one.gap_ci_high, sign='+')}".strip())
        lines.append(_verdict(evidence, one))
    elif one.rolled_up_to:
        interval = between(one.rolled_up_ci_low, one.rolled_up_ci_high)
        lines.append(f"rolled up to {accent_name(one.rolled_up_to)}: {percent(one.rolled_up_wer)} {interval}".strip())
    else:
        lines.append(one.note)
    return [*lines, evidence.stands_on(one.n_speakers, one.n_ref_words)]


def _verdict(evidence: Evidence, one: Intersection) -> str:
    if one.p_adjusted is None:
        return f"test {NOT_EVALUATED}"
    return f"adjusted {p_value(one.p_adjusted)}: {'shown' if one.p_adjusted < evidence.alpha else 'not shown'}"


def _shown(evidence: Evidence, own: Sequence[Intersection]) -> list[Block]:
    tested = [one for one in own if one.p_adjusted is not None]
    if not tested:
        return [Sentence(text="No group has enough speakers, beside the rest of its accent, to be compared with it.")]
    how = listed(dict.fromkeys(one.adjustment for one in tested))
    found = [one for one in tested if one.p_adjusted is not None and one.p_adjusted < evidence.alpha]
    if not found:
        text = "That any group differs from the rest of its accent is not shown, which is not evidence that none does"
        return [Sentence(text=f"{text} ({how}).")]
    named = "; ".join(
        f"{accent_name(one.key.accent)}, {group_name(one.group)}, under {label(one.key.condition)}: {points(one.gap)}, "
        f"{p_value(one.p_adjusted)} ({evidence.stands_on(one.n_speakers, one.n_ref_words)})"
        for one in found
    )
    return [Sentence(text=f"Shown to differ from the rest of their accent ({how}): {named}.")]
