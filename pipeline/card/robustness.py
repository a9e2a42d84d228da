"""Section 8: the sound that was delivered, what each condition costs, and whom it costs more."""

from collections.abc import Callable, Sequence

from pipeline.card.acoustic_measures import Delivered
from pipeline.card.condition_costs import cost_lines, how_tested
from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.figure_slots import figure_slots
from pipeline.card.folding import first_lines, folded
from pipeline.card.measures import Interaction
from pipeline.card.model import Block, Heading, Listing, Row, Section, Sentence, TableCell
from pipeline.card.regression import regression
from pipeline.card.results import harm
from pipeline.card.seen import shift_blocks
from pipeline.card.wording import NOT_EVALUATED, between, could_be_seen, count, label, p_value, percent, points
from pipeline.tables import POOLED

BOTH_SCALES = (
    "Two scales, two questions. The ratio (from the paired log ratio per speaker) asks about disproportionate harm: "
    "does the condition multiply this group's errors more than the others'? The points ask about user impact: how many "
    "more words in a hundred does this group lose than the others? A group that starts with more errors loses more "
    "points even when every group's errors are multiplied alike, so points alone are never called an interaction."
)

SEEN = (
    'Beside "not shown" stands the extra factor, up or down, that four of five studies like this one, with the scatter '
    "of these speakers, would have shown. A smaller one may well be there."
)


def robustness(evidence: Evidence) -> Section:
    """Section 8: delivered sound, paired degradation, interaction, and the worst case over conditions."""
    slug, title = "robustness", "Robustness"
    blocks: list[Block] = [Heading(text="Sound as delivered"), *_delivered(evidence)]
    if not evidence.measured:
        return Section(slug=slug, title=title, blocks=[*blocks, Sentence(text=NOT_EVALUATED)])
    blocks += [
        *figure_slots(evidence, "degradation"),
        Heading(text="What each condition costs"),
        *_degradation(evidence),
        Heading(text="Does a condition hurt one group more than the others?"),
        *_interaction(evidence),
        *figure_slots(evidence, "interaction"),
        *shift_blocks(evidence),
        *regression(evidence),
        Heading(text="Worst case over conditions"),
        *_worst_case(evidence),
    ]
    return Section(slug=slug, title=title, blocks=blocks)


def _delivered(evidence: Evidence) -> list[Block]:
    items = evidence.numbers.delivered
    if not items:
        return [Sentence(text=f"Sound as delivered: {NOT_EVALUATED}")]
    extra = [name for name, value_of in _WHERE_PRESENT.items() if any(value_of(item) for item in items)]
    rows = [Row(head=label(item.key.condition), cells=_delivered_cells(item, extra)) for item in items]
    weighting = {"none": "unweighted"}.get(items[0].snr_weighting, f"weighting {label(items[0].snr_weighting)}")
    caption = f"Sound as delivered: signal-to-noise ratio measured on every rendering ({weighting}), level and clipping"
    columns = ["Condition", "Renderings", "SNR median", "SNR lowest to highest", "Active level", "Most clipped", "Lost"]
    return [evidence.table(caption, [*columns, *extra], rows)]


def _delivered_cells(item: Delivered, extra: Sequence[str]) -> list[TableCell]:
    spread = between(item.snr_min_db, item.snr_max_db, scale=1).strip("()")
    level = item.active_level_out_median_dbov
    texts = [
        [f"{item.n_renderings:,}"],
        [f"{item.snr_median_db:.1f} dB" if item.snr_median_db is not None else "no noise added"],
        [f"{spread} dB" if spread else "no noise added"],
        [f"{level:.1f} dBov" if level is not None else NOT_EVALUATED],
        [f"{100 * (item.clipped_share_max or 0):.2f}% of samples"],
        _lost(item),
        *([_WHERE_PRESENT[name](item) or "none simulated"] for name in extra),
    ]
    return [TableCell(lines=lines, key=item.key) for lines in texts]


def _lost(item: Delivered) -> list[str]:
    if item.loss_share_mean is None:
        return ["no loss simulated"]
    lines = [percent(item.loss_share_mean)]
    if item.loss_active_share_mean is not None:
        lines.append(f"{percent(item.loss_active_share_mean)} of active speech")
    if item.longest_loss_max_s is not None:
        lines.append(f"longest {1000 * item.longest_loss_max_s:.0f} ms")
    return lines


def _room(item: Delivered) -> str:
    parts = [f"RT60 {item.rt60_median_s:.2f} s"] if item.rt60_median_s is not None else []
    parts += [f"DRR {item.drr_median_db:.1f} dB"] if item.drr_median_db is not None else []
    return ", ".join(parts)


def _overload(item: Delivered) -> str:
    return "" if item.overload_share_median is None else f"{percent(item.overload_share_median)} of samples cut off"


_WHERE_PRESENT: dict[str, Callable[[Delivered], str]] = {"Room (median)": _room, "Overload (median)": _overload}
"""Columns that the table has only where a condition fills them."""


def _degradation(evidence: Evidence) -> list[Block]:
    view = evidence.view
    by_key = {item.key: item for item in evidence.numbers.degradation}
    if not by_key:
        return [Sentence(text=NOT_EVALUATED)]
    conditions = [name for name in view.conditions if name != view.reference]
    rows = []
    for accent in [*view.accents, POOLED]:
        cells = []
        for condition in conditions:
            key = view.key(accent=accent, condition=condition)
            item = by_key.get(key)
            lines = [NOT_EVALUATED]
            if item is not None:
                lines = [harm(item.difference, item.ratio), *cost_lines(evidence, accent, condition)]
                lines.append(evidence.stands_on(item.n_speakers, item.n_ref_words))
            cells.append(TableCell(lines=lines, key=key))
        rows.append(Row(head=accent_name(accent), cells=cells))
    how = how_tested(evidence)
    caption = f"WER added by each condition to that under {label(view.reference)}, on the same utterances"
    caption += f" ({evidence.level} intervals, each on its own)" if how else " (no intervals)"
    return [evidence.table(caption, ["Group", *map(label, conditions)], rows), *how]


def _interaction(evidence: Evidence) -> list[Block]:
    if not evidence.numbers.interactions:
        return [Sentence(text=NOT_EVALUATED)]
    view = evidence.view
    conditions = [name for name in view.conditions if name != view.reference]
    rows = [
        Row(head=accent_name(accent), cells=[_interaction_cell(evidence, accent, name) for name in conditions])
        for accent in view.accents
    ]
    caption = (
        f"Extra degradation of each group against the other groups, from {label(view.reference)}: ratio (log scale, "
        f"disproportionate harm) and WER points (user impact), with {evidence.level} intervals"
    )
    rows, left = folded(rows, first_lines(NOT_EVALUATED), noun="group", file="interactions.csv")
    table = evidence.table(caption, ["Group", *map(label, conditions)], rows)
    tests = [_omnibus(evidence, condition) for condition in [*conditions, ""]]
    if not conditions:  # nothing to be harmed by
        return [Listing(items=tests)]
    return [Sentence(text=BOTH_SCALES), table, *left, Sentence(text=SEEN), Listing(items=tests)]


def _interaction_cell(evidence: Evidence, accent: str, condition: str) -> TableCell:
    key, item = evidence.view.key(accent=accent, condition=condition), evidence.interaction(accent, condition)
    if item is None or (item.ratio is None and item.extra_points is None):
        note = [item.note] if item is not None and item.note else []
        return TableCell(lines=[NOT_EVALUATED, *note], key=key)
    lines = []
    if item.ratio is not None:
        interval = between(item.ci_low, item.ci_high, scale=1, digits=2)
        lines.append(f"harm ratio {item.ratio:.2f} {interval}".strip())
    if item.extra_points is not None:
        interval = between(item.points_ci_low, item.points_ci_high, sign="+")
        lines.append(f"impact {points(item.extra_points)} {interval}".strip())
    behind = evidence.stands_on(item.n_speakers, item.n_ref_words)
    return TableCell(lines=[*lines, _verdict(evidence, item), behind], key=key)


def _verdict(evidence: Evidence, item: Interaction) -> str:
    if item.p_adjusted is None:
        return f"test {NOT_EVALUATED}"
    if item.p_adjusted < evidence.alpha:
        return f"adjusted {p_value(item.p_adjusted)}: shown"
    seen = f"; {could_be_seen(item.detectable_ratio)}" if item.detectable_ratio is not None else ""
    return f"adjusted {p_value(item.p_adjusted)}: not shown{seen}"


def _omnibus(evidence: Evidence, condition: str) -> Sentence:
    item, key = evidence.interaction("", condition), evidence.view.key(condition=condition)
    place = f"Under {label(condition)}" if condition else "Over all conditions together"
    if item is None or item.p_adjusted is None:
        note = f" ({item.note})" if item is not None and item.note else ""
        return Sentence(text=f"{place}: permutation test of the interaction {NOT_EVALUATED}{note}.", key=key)
    if item.p_adjusted < evidence.alpha:
        verdict = "it is shown that groups are not harmed in proportion"
    else:
        verdict = "disproportionate harm is not shown, which is not evidence that there is none"
    text = f"{place}: permutation test of the interaction (log scale), {p_value(item.p_adjusted)}; {verdict}."
    return Sentence(text=text, key=key)


def interaction_sentences(evidence: Evidence) -> list[Sentence]:
    """The test over all conditions, and by name each group that is shown to lose more, or less, than in proportion."""
    shown = [
        item
        for item in evidence.numbers.interactions
        if item.key.accent and item.key.normalizer == evidence.view.main and item.p_adjusted is not None
        and item.p_adjusted < evidence.alpha and item.ratio is not None
    ]  # fmt: skip
    sentences = [_omnibus(evidence, "")]
    for item in shown:
        what = f"{accent_name(item.key.accent)} under {label(item.key.condition)}"
        interval = between(item.ci_low, item.ci_high, scale=1, digits=2)
        # both scales: an accent with hardly any errors may double them and still lose the fewest words
        impact = f", impact {points(item.extra_points)} of WER" if item.extra_points is not None else ""
        text = f"Shown after adjustment for all cells: {what}, harm ratio {item.ratio:.2f} {interval}".strip() + impact
        behind = evidence.stands_on(item.n_speakers, item.n_ref_words)
        sentences.append(Sentence(text=f"{text} ({p_value(item.p_adjusted)}; {behind}).", key=item.key))
    return sentences


def _worst_case(evidence: Evidence) -> list[Block]:
    items = evidence.numbers.worst_case
    if not items:
        return [Sentence(text=NOT_EVALUATED)]
    rows = []
    for item in items:
        texts = [
            f"{percent(item.all_right_share)} ({item.n_all_right:,} of {item.n_utterances:,})",
            percent(item.wer),
            evidence.stands_on(item.n_speakers, item.n_ref_words),
        ]
        cells = [TableCell(lines=[text], key=item.key) for text in texts]
        rows.append(Row(head=accent_name(item.key.accent), cells=cells))
    n = count(items[0].n_conditions, "condition")
    caption = f"Worst case over {n}: utterances right under all of them, and WER if each utterance met its worst"
    return [evidence.table(caption, ["Group", "All words right everywhere", "WER, worst condition", "Behind it"], rows)]
