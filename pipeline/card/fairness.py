"""Section 7: who is served worse, by how much, and how much of that chance alone would give."""

from pipeline.card import intersected, suppressed
from pipeline.card.adjusted import content_blocks, in_short
from pipeline.card.evidence import Evidence, accent_name, fact
from pipeline.card.figure_slots import figure_slots
from pipeline.card.folding import first_lines, folded, some_named
from pipeline.card.front import on_what
from pipeline.card.gap_methods import method_sentences, own_note
from pipeline.card.measures import Cell, Disparity, Floor
from pipeline.card.model import Block, Facts, Heading, Listing, Row, Section, Sentence, TableCell
from pipeline.card.normalizer_changes import change_blocks
from pipeline.card.publication import SUPPRESSED
from pipeline.card.results import cell_lines, highest_lines
from pipeline.card.second_intervals import second_interval_blocks
from pipeline.card.seen import detectable_text
from pipeline.card.standings import model_phrase, standings
from pipeline.card.wording import (
    NOT_EVALUATED,
    between,
    count,
    gap_points,
    label,
    listed,
    p_value,
    percent_at_least,
    percent_at_most,
    points,
)
from pipeline.records import Support
from pipeline.tables import POOLED

WHY = {
    Support.THIN: "Thin (fewer than 10 effective speakers: the interval is valid but wide)",
    Support.INSUFFICIENT: "No interval (one speaker, fewer than 3 effective speakers, or an interval too wide to use)",
    Support.ZERO_ERRORS: "No errors counted (an interval of the logarithm does not exist; this is not a WER of zero)",
    Support.NO_WORDS: "No reference words (nothing to count errors against)",
}
NO_INTERVAL = (
    "No interval is given for a naive gap or ratio: groups that are picked because they are extreme look further apart "
    "than they are, even when all are equal. Only the test asks whether groups differ at all."
)


def fairness(evidence: Evidence) -> Section:
    """Section 7, with a sentence or "not evaluated" for each of its parts (a) to (f)."""
    slug, title = "fairness", "Fairness and bias"
    if not evidence.measured:
        hidden = evidence.numbers.publication.cells
        return Section(
            slug=slug, title=title, blocks=[_main_table(evidence) if hidden else Sentence(text=NOT_EVALUATED)]
        )
    crossed = intersected.blocks(evidence)
    blocks: list[Block] = [
        Heading(text="WER by group and condition"),
        _main_table(evidence),
        *second_interval_blocks(evidence),
        *figure_slots(evidence, "wer_heat_map"),
        Heading(text="A bound that every ranked group keeps"),
        *floor_sentences(evidence),
        Heading(text="How far groups lie apart, and what chance gives"),
        *method_sentences(evidence),
        Listing(items=[gap_sentence(evidence, condition) for condition in evidence.view.conditions]),
        Sentence(text=NO_INTERVAL + " One test per condition; p-values are not adjusted across conditions."),
        *_each_gap(evidence),
        *figure_slots(evidence, "gaps"),
        *figure_slots(evidence, "speakers"),
        *standings(evidence),
        Heading(text="Are these gaps between groups, or between the texts they read?"),
        *content_blocks(evidence),
        Heading(text="Does the normalizer change the order?"),
        *_sensitivity(evidence),
        *change_blocks(evidence),
        Heading(text="Groups not ranked, or without an interval"),
        *_set_apart(evidence),
        Heading(text="Detectable ratio, adjusted gap, intersections"),
        Facts(
            facts=[
                fact("Minimum detectable ratio", detectable_text(evidence)),
                fact("Adjusted gap", in_short(evidence)),
                *([] if crossed else [fact("Intersections of attributes", _no_crossing(evidence))]),
            ]
        ),
        *crossed,
    ]
    return Section(slug=slug, title=title, blocks=blocks)


def _no_crossing(evidence: Evidence) -> str | None:
    return SUPPRESSED if evidence.numbers.publication.groups else None


def _main_table(evidence: Evidence) -> Block:
    view = evidence.view
    rows = []
    for accent in [*view.accents, POOLED]:
        cells = [cell_lines(evidence, accent, condition) for condition in view.conditions]
        rows.append(Row(head=accent_name(accent), cells=[*cells, highest_lines(evidence, accent)]))
    rows += suppressed.rows(evidence)
    caption = (
        f"WER ({evidence.level} interval), word-recognition F1, speakers and reference words by group and condition; "
        f"normalizer {label(view.main)}"
    )
    return evidence.table(caption, ["Group", *map(label, view.conditions), "Highest over conditions"], rows)


def floor_sentences(evidence: Evidence) -> list[Block]:
    """Return the bound over all ranked groups, under the reference condition and under every condition."""
    wanted = [evidence.view.reference] + ([""] if len(evidence.view.conditions) > 1 else [])
    floors = {item.key.condition: item for item in evidence.numbers.floors}
    found = [_floor(evidence, floors[condition]) for condition in wanted if condition in floors]
    return [*found] or [Sentence(text=f"Bound over all groups: {NOT_EVALUATED} (no group reaches the speaker floor).")]


def _floor(evidence: Evidence, floor: Floor) -> Sentence:
    k = evidence.numbers.rules.min_speakers
    place = f"Under {label(floor.key.condition)}" if floor.key.condition else "Under every condition evaluated"
    f1, wer = percent_at_least(floor.lowest_f1 or 0.0), percent_at_most(floor.highest_wer or 0.0)
    text = (
        f"{place}, across {count(floor.n_groups, 'group')} with at least {count(k, 'speaker')} each, "
        f"word-recognition F1 was {f1} or higher for every group, and WER was {wer} or lower "
        f"(at least {evidence.stands_on(floor.n_speakers, floor.n_ref_words)} in each group; {on_what(evidence.view)})."
    )
    left_out = f" {count(floor.n_below_floor, 'group')} below the floor not included." if floor.n_below_floor else ""
    return Sentence(text=text + left_out, key=floor.key)


def gap_sentence(evidence: Evidence, condition: str) -> Sentence:
    """Return the naive gap under one condition with its permutation null beside it, and what that shows."""
    gap, key = evidence.disparity("gap_max_min", condition), evidence.view.key(condition=condition)
    place = f"Under {label(condition)}"
    if gap is None or gap.value is None or gap.n_groups < 2:
        why = f" ({gap.note})" if gap is not None and gap.note else ""
        return Sentence(text=f"{opening(condition)}{NOT_EVALUATED}{why}.", key=key)
    ratio = evidence.disparity("ratio_max_min", condition)
    factor = f", ratio {ratio.value:.2f}" if ratio is not None and ratio.value is not None else ""
    text = f"{place}, across {count(gap.n_groups, 'ranked group')}, {_extremes(evidence, gap)}the naive gap is "
    text += f"{gap_points(gap.value)}{factor}. {_null(evidence, gap, ratio)} {model_phrase(evidence, condition)} "
    text += _omnibus(evidence, condition)
    return Sentence(text=text, key=gap.key)


def opening(condition: str) -> str:
    """Return how ``short_gap_sentence`` begins, by which a page knows it among the sentences of the summary."""
    return f"Under {label(condition)}: "


def short_gap_sentence(evidence: Evidence, condition: str) -> Sentence:
    """Return the same in one breath, for the summary."""
    gap, test = evidence.disparity("gap_max_min", condition), evidence.disparity("omnibus_q", condition)
    if gap is None or gap.value is None or gap.n_groups < 2:
        return gap_sentence(evidence, condition)
    chance = NOT_EVALUATED
    if gap.null_mean is not None and gap.null_p95 is not None:
        chance = f"{gap_points(gap.null_mean)} on average, {gap_points(gap.null_p95)} at the 95th percentile"
    names = _extremes(evidence, gap).removesuffix("; ")
    groups = count(gap.n_groups, "ranked group")
    text = f"{opening(condition)}naive gap {gap_points(gap.value)} between {groups} "
    text += f"(chance alone: {chance}; permutation test {p_value(test.p if test is not None else None)}"
    if test is not None and test.p is not None:
        text += f": a difference is {'shown' if test.p < evidence.alpha else 'not shown'}"
    text += ")"
    model = evidence.disparity("model_gap", condition)
    if model is not None and model.value is not None:
        text += f"; model gap {gap_points(model.value)} {between(model.ci_low, model.ci_high)}".rstrip()
        text += ", which is never 0 and so shows no difference by itself"
    return Sentence(text=f"{text}{f'; {names}' if names else ''}.", key=gap.key)


def _extremes(evidence: Evidence, gap: Disparity) -> str:
    worst, best = (evidence.cell(accent, gap.key.condition) for accent in (gap.worst, gap.best))
    if worst is None or best is None or not (worst.ranked and best.ranked):
        return ""
    return (
        f"the highest WER is that of {label(gap.worst)}, {evidence.in_words(worst)}{_chance_of_worst(evidence, gap)}, "
        f"and the lowest that of {label(gap.best)}, {evidence.in_words(best)}; "
    )


def _chance_of_worst(evidence: Evidence, gap: Disparity) -> str:
    item = evidence.standing(gap.worst, gap.key.condition)
    return "" if item is None or item.p_worst is None else f", P(worst) {item.p_worst:.2f} in the model"


def _null(evidence: Evidence, gap: Disparity, ratio: Disparity | None) -> str:
    if gap.value is None or gap.null_mean is None or gap.null_p95 is None:
        return f"What chance alone gives: {NOT_EVALUATED}."
    unit = "speakers" if evidence.view.speakers_known else "utterances"
    text = f"With {unit} dealt to the groups at random, the gap is {gap_points(gap.null_mean)} on average and "
    text += f"{gap_points(gap.null_p95)} at the 95th percentile"
    if ratio is not None and ratio.null_mean is not None and ratio.null_p95 is not None:
        text += f" (ratio {ratio.null_mean:.2f} and {ratio.null_p95:.2f})"
    return f"{text}."


def _omnibus(evidence: Evidence, condition: str) -> str:
    test = evidence.disparity("omnibus_q", condition)
    if test is None or test.p is None:
        return f"Permutation test over all groups: {NOT_EVALUATED}."
    if test.p < evidence.alpha:
        verdict = "a difference between groups is shown; which group is worst remains uncertain"
    else:
        verdict = "a difference between groups is not shown, which is not evidence that there is none"
    own = own_note(evidence, test)
    note = f" ({own})" if own else ""
    return f"Permutation test over all groups{note}: {p_value(test.p)}; {verdict}."


def _each_gap(evidence: Evidence) -> list[Block]:
    reference = any(item.statistic == "gap_to_reference" for item in evidence.numbers.disparities)
    suffix = "reference" if reference else "rest"
    against = label(evidence.numbers.rules.reference_accent) if reference else "all other groups"
    view = evidence.view
    rows = [
        Row(head=accent_name(accent), cells=[_gap_cell(evidence, accent, c, suffix) for c in view.conditions])
        for accent in view.accents
    ]
    caption = f"Each group against {against}: difference in WER and ratio ({evidence.level} intervals, each on its own)"
    rows, left = folded(rows, first_lines(NOT_EVALUATED), noun="group", file="disparities.csv")
    return [evidence.table(caption, ["Group", *map(label, view.conditions)], rows), *left]


def _gap_cell(evidence: Evidence, accent: str, condition: str, suffix: str) -> TableCell:
    gap, ratio = (evidence.disparity(f"{name}_to_{suffix}", condition, accent) for name in ("gap", "ratio"))
    key = evidence.view.key(accent=accent, condition=condition)
    if gap is None or gap.value is None:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    lines = [f"{points(gap.value)} {between(gap.ci_low, gap.ci_high, sign='+')}".strip()]
    if ratio is not None and ratio.value is not None:
        interval = between(ratio.ci_low, ratio.ci_high, scale=1, digits=2)
        lines.append(f"ratio {ratio.value:.2f} {interval}".strip())
    return TableCell(lines=[*lines, evidence.stands_on(gap.n_speakers, gap.n_ref_words)], key=key)


def _sensitivity(evidence: Evidence) -> list[Block]:
    items = []
    for item in evidence.numbers.sensitivity:
        same = f"the group with the highest WER is the same ({label(item.worst)})"
        changed = f"the group with the highest WER changes from {label(item.worst_main)} to {label(item.worst)}"
        text = (
            f"Under {label(item.key.condition)} with {label(item.key.normalizer)} instead of "
            f"{label(evidence.view.main)}: {same if item.worst == item.worst_main else changed}; "
            f"{item.n_places_changed} of {item.n_groups} groups change place; the naive gap is {gap_points(item.gap)} "
            f"instead of {gap_points(item.gap_main)} ({evidence.stands_on(item.n_speakers, item.n_ref_words)} in all)."
        )
        items.append(Sentence(text=text, key=item.key, warning=item.worst != item.worst_main))
    return [Listing(items=items)] if items else []


def _set_apart(evidence: Evidence) -> list[Block]:
    view = evidence.view
    found = [evidence.cell(accent, condition) for accent in view.accents for condition in view.conditions]
    cells = [cell for cell in found if cell is not None]
    items = []
    for reason, words in WHY.items():
        chosen = [cell for cell in cells if cell.support == reason]
        if chosen:
            items.append(Sentence(text=f"{words}: {_named(evidence, chosen)}."))
    unranked = [cell for cell in cells if not cell.ranked]
    if unranked:
        floor = count(evidence.numbers.rules.min_speakers, "speaker")
        text = f"Not ranked (below the floor of {floor}, or without a WER): shown, never called best or worst: "
        items.append(Sentence(text=f"{text}{_named(evidence, unranked)}."))
    return [Listing(items=items)] if items else [Sentence(text="None.")]


def _named(evidence: Evidence, cells: list[Cell]) -> str:
    by_accent: dict[str, list[Cell]] = {}
    for cell in cells:
        by_accent.setdefault(cell.key.accent, []).append(cell)
    parts = []
    for accent, group in by_accent.items():
        places = "every condition" if len(group) == len(evidence.view.conditions) else None
        where = places or listed(label(cell.key.condition) for cell in group)
        behind = evidence.stands_on(min(c.n_speakers for c in group), min(c.n_ref_words for c in group))
        parts.append(f"{label(accent)} under {where} ({behind})")
    return some_named(parts)
