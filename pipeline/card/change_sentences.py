"""What changed between two runs, in sentences: first who fares worse while the mean fares better, then the gaps.

"Shown" is a p-value, adjusted over its family, below one minus the confidence level; what is not shown is no evidence
of the contrary. Runs that were named in order got better or worse; recognizers of a sweep have more errors or fewer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.card.compared import Comparison, GapChange, GroupGap, Pair, Unpaired
from pipeline.card.model import Sentence
from pipeline.card.wording import between, count, gap_points, label, listed, p_value, percent, points, support
from pipeline.errors import first_five
from pipeline.records import significance_level

FEW_PAIRS = 1
"""Of more pairs than this only what is shown is said in sentences; the tables hold all."""
MOST_NAMED = 10
NARROWER, WIDER = "a smaller gap is shown", "a larger gap is shown"
NOT_SHOWN = "a change is not shown"
FAMILIES = (
    "p-values are adjusted by Holm's method within each of four families: all groups pooled ({pairs}), single groups "
    "({cells}), gaps between the highest and the lowest WER ({gaps}) and gaps of single groups ({group_gaps}). Not "
    "shown is not evidence that there is no difference. Whether a condition does more, or less, extra harm to a group "
    "than before (the interaction) is not evaluated."
)

APPROXIMATE = (
    "The interval of the change of such a gap is approximate: in simulated studies it held the true change in 87 to "
    "100% where 95% is asked for, least where many groups have a gap in one run only; the change is then taken for "
    "smaller than it is."
)


@dataclass(frozen=True, slots=True)
class Turned:
    """A pair read from one run to the other; ``wer`` and bounds in that direction."""

    before: str
    after: str
    wer: tuple[float, float]
    difference: float
    bounds: str
    pair: Pair

    @property
    def behind(self) -> str:
        """What stands behind it, in words."""
        known = self.pair.unit == "speaker"
        return support(self.pair.n_speakers, self.pair.n_ref_words, speakers_known=known)


def findings(comparison: Comparison) -> list[Sentence]:
    """Return the sentences in the order of their weight; none where no two runs are compared."""
    if not comparison.pairs:
        return []
    return [
        *_against_the_mean(comparison),
        *_unpaired(comparison),
        *_mean(comparison),
        *_single_groups(comparison),
        *_gaps(comparison),
        _group_gaps(comparison),
        _families(comparison),
        *_suppressed(comparison),
    ]


def alpha_of(comparison: Comparison) -> float:
    """Return the adjusted p below which a difference is shown."""
    return significance_level(next((job.confidence for job in comparison.compared if job.confidence), 0.95))


def gap_verdict(change: float | None, p_adjusted: float | None, alpha: float) -> str:
    """Return whether a gap is shown to be smaller or larger in the second run."""
    if change is None or p_adjusted is None or p_adjusted >= alpha:
        return NOT_SHOWN
    return NARROWER if change < 0 else WIDER


def _is_shown(one: Pair | GroupGap, alpha: float) -> bool:
    return one.p_adjusted is not None and one.p_adjusted < alpha


def shown_labels(comparison: Comparison) -> dict[str, str]:
    """Return what each run is called, by run name."""
    return {job.run_name: label(job.label) for job in comparison.jobs}


def _family(found: Sequence[Pair] | Sequence[GapChange] | Sequence[GroupGap]) -> int:
    return found[0].n_family if found else 0


def _families(comparison: Comparison) -> Sentence:
    names = ("pairs", "cells", "gaps", "group_gaps")
    return Sentence(text=FAMILIES.format(**{name: f"{_family(getattr(comparison, name)):,}" for name in names}))


def _turned(pair: Pair, sign: int, labels: dict[str, str]) -> Turned | None:
    if pair.difference is None or pair.wer_first is None or pair.wer_second is None:
        return None
    ends = None if pair.ci_low is None or pair.ci_high is None else (pair.ci_low, pair.ci_high)
    if sign > 0:
        wer, names = (pair.wer_first, pair.wer_second), (pair.first, pair.second)
    else:
        wer, names = (pair.wer_second, pair.wer_first), (pair.second, pair.first)
        ends = None if ends is None else (-ends[1], -ends[0])
    bounds = between(*ends, sign="+") if ends else "(no interval)"
    return Turned(labels[names[0]], labels[names[1]], wer, sign * pair.difference, bounds, pair)


def _against(comparison: Comparison) -> Iterator[tuple[Turned, Turned]]:
    """Yield each group that has more errors in the other run, and the pool that has fewer, under one condition."""
    labels = shown_labels(comparison)
    by_place: dict[tuple[str, str, str], list[Pair]] = {}
    for cell in comparison.cells:
        by_place.setdefault((cell.first, cell.second, cell.key.condition), []).append(cell)
    for pooled in comparison.pairs:
        for sign in (1,) if comparison.in_order else (1, -1):
            mean = _turned(pooled, sign, labels)
            if mean is None or not mean.difference < 0:
                continue
            for cell in by_place.get((pooled.first, pooled.second, pooled.key.condition), []):
                group = _turned(cell, sign, labels)
                if group is not None and group.difference > 0:
                    yield group, mean


def _against_the_mean(comparison: Comparison) -> Iterator[Sentence]:
    alpha, ordered = alpha_of(comparison), comparison.in_order
    every = list(_against(comparison))
    shown = [(group, mean) for group, mean in every if _is_shown(group.pair, alpha)]
    for group, mean in shown:
        yield Sentence(text=_worse(group, mean, alpha, ordered=ordered), key=group.pair.key, warning=True)
    if not shown:
        worse = (
            "have got worse while the mean got better" if ordered else "have more errors where all pooled have fewer"
        )
        yield Sentence(text=f"No group is shown to {worse}.")
    others = [group for group, _ in every if not _is_shown(group.pair, alpha)]
    if others:
        several = len(_twos(comparison)) > 1
        ordered_by_size = sorted(others, key=lambda one: -one.difference)
        named = first_five(_named(one, several=several) for one in ordered_by_size)
        yield Sentence(text=f"More errors against the mean, and not shown to be more than chance: {named}.")


def _named(one: Turned, *, several: bool) -> str:
    key, twos = one.pair.key, f"; {one.before} to {one.after}" if several else ""
    people = f"; {count(one.pair.n_speakers, 'speaker')}" if one.pair.unit == "speaker" else ""
    return f"{label(key.accent)} under {label(key.condition)} ({points(one.difference)}{people}{twos})"


def _twos(comparison: Comparison) -> list[tuple[str, str]]:
    return list(dict.fromkeys((pair.first, pair.second) for pair in comparison.pairs))


def _unpaired(comparison: Comparison) -> Iterator[Sentence]:
    """Say of which groups one run lost trials: what is left may be the easier part."""
    labels = shown_labels(comparison)
    gone = [_answers(one, labels) for one in comparison.unpaired if not one.n_both]
    if gone:
        text = f"Not compared, because no trial of theirs was answered by both runs: {first_five(gone)}."
        yield Sentence(text=text, warning=True)
    fewer = [_answers(one, labels) for one in comparison.unpaired if one.n_both]
    if fewer:
        text = (
            "Compared on a part of their trials, which may be the easier one, because a run did not answer the others: "
            f"{first_five(fewer)}."
        )
        yield Sentence(text=text, warning=True)


def _answers(one: Unpaired, labels: dict[str, str]) -> str:
    both = f", {one.n_both:,} in both" if one.n_both else ""
    return (
        f"{label(one.key.accent)} under {label(one.key.condition)} ({count(one.n_first, 'trial')} in "
        f"{labels[one.first]}, {one.n_second:,} in {labels[one.second]}{both})"
    )


def _mean(comparison: Comparison) -> Iterator[Sentence]:
    """Say how all groups pooled changed, where the pairs are few."""
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    for pair in comparison.pairs if len(_twos(comparison)) <= FEW_PAIRS else []:
        mean = _turned(pair, 1, labels)
        if mean is not None:
            shown = _is_shown(pair, alpha)
            yield Sentence(
                text=f"All groups pooled, under {label(pair.key.condition)}: {percent(mean.wer[0])} in {mean.before} "
                f"and {percent(mean.wer[1])} in {mean.after}, {points(mean.difference)} {mean.bounds}, adjusted "
                f"{p_value(pair.p_adjusted)}; a difference is {'' if shown else 'not '}shown; {mean.behind}.",
                key=pair.key,
            )


def _worse(group: Turned, mean: Turned, alpha: float, *, ordered: bool) -> str:
    accent, condition = label(group.pair.key.accent), label(group.pair.key.condition)
    what = f"From {group.before} to {group.after}, {accent} got worse under {condition} while the mean got better"
    if not ordered:
        what = (
            f"With {group.after} in place of {group.before}, {accent} has more errors under {condition} while all "
            "groups pooled have fewer"
        )
    pooled = "shown" if _is_shown(mean.pair, alpha) else "not shown to be more than chance"
    return (
        f"{what}: WER {percent(group.wer[0])} to {percent(group.wer[1])}, {points(group.difference)} {group.bounds}, "
        f"adjusted {p_value(group.pair.p_adjusted)}; {group.behind}. All groups pooled: {percent(mean.wer[0])} to "
        f"{percent(mean.wer[1])}, {points(mean.difference)} {mean.bounds}, {pooled}; {mean.behind}."
    )


def _single_groups(comparison: Comparison) -> Iterator[Sentence]:
    """Count the groups shown to be better and worse, for each two runs where these are few."""
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    twos = _twos(comparison)
    for first, second in twos if len(twos) <= FEW_PAIRS else []:
        cells = [one for one in comparison.cells if (one.first, one.second) == (first, second) and one.p is not None]
        shown = [one.difference or 0.0 for one in cells if _is_shown(one, alpha)]
        fewer, more = sum(one < 0 for one in shown), sum(one > 0 for one in shown)
        worse = [turned for one in cells if _is_shown(one, alpha) and (turned := _turned(one, 1, labels)) is not None]
        named = first_five(
            _named(one, several=False) for one in sorted(worse, key=lambda one: -one.difference) if one.difference > 0
        )
        yield Sentence(
            text=f"Of {count(len(cells), 'group')} under one condition that could be compared, {labels[second]} has "
            f"fewer errors than {labels[first]}, shown, in {fewer:,} and more in {more:,}"
            f"{f' ({named})' if named else ''}; of the other "
            f"{len(cells) - len(shown):,} a difference is not shown."
        )


def _gaps(comparison: Comparison) -> Iterator[Sentence]:
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    found = [gap for gap in comparison.gaps if gap.change is not None]
    if not found:
        yield Sentence(text="Did the gap close? Not evaluated: too few groups can be compared with each other.")
        return
    twos = {(gap.first, gap.second) for gap in found}
    verdicts = [gap_verdict(gap.change, gap.p_adjusted, alpha) for gap in found]
    for gap, verdict in zip(found, verdicts, strict=True):
        if len(twos) <= FEW_PAIRS or verdict != NOT_SHOWN:
            yield Sentence(text=_gap(gap, verdict, labels), key=gap.key)
    if len(twos) > FEW_PAIRS:
        silent = sum(verdict == NOT_SHOWN for verdict in verdicts)
        yield Sentence(text=f"Of {len(found):,} gaps of two runs under one condition, {NOT_SHOWN} in {silent:,}.")
    yield Sentence(text=APPROXIMATE)


def _gap(gap: GapChange, verdict: str, labels: dict[str, str]) -> str:
    first, second = labels[gap.first], labels[gap.second]
    bounds = between(gap.ci_low, gap.ci_high, sign="+") or "(no interval)"
    behind = support(gap.n_speakers, gap.n_ref_words, speakers_known=True)
    text = (
        f"Did the gap close? Under {label(gap.key.condition)}, {gap_points(gap.gap_first)} in {first}"
        f"{extremes(gap.worst_first, gap.best_first)} and {gap_points(gap.gap_second)} in {second}"
        f"{extremes(gap.worst_second, gap.best_second)}: {points(gap.change)} {bounds}, adjusted "
        f"{p_value(gap.p_adjusted)}; {verdict}; {gap.n_groups:,} groups, {behind}."
    )
    if gap.note and (gap.worst_first, gap.best_first) != (gap.worst_second, gap.best_second):
        text += (
            f" The two gaps are not between the same groups: from {label(gap.best_first)} to {label(gap.worst_first)} "
            f"it is {points(gap.same_groups_second)} in {second}."
        )
    return text


def extremes(worst: str, best: str) -> str:
    """Return between which groups a gap lies, in brackets; nothing where all have the same WER."""
    return "" if worst == best else f" ({label(worst)} over {label(best)})"


def _group_gaps(comparison: Comparison) -> Sentence:
    labels, alpha = shown_labels(comparison), alpha_of(comparison)
    tested = [one for one in comparison.group_gaps if one.p_adjusted is not None]
    shown = [one for one in tested if _is_shown(one, alpha)]
    if not tested:
        return Sentence(text="Whether the gap of one group to the others changed is not evaluated.")
    if not shown:
        return Sentence(
            text=f"Of {count(len(tested), 'gap')} of one group to the others, none is shown to have changed."
        )
    named = [
        f"{label(one.key.accent)} under {label(one.key.condition)}, {labels[one.first]} to {labels[one.second]}: "
        f"{points(one.gap_first)} to {points(one.gap_second)}"
        for one in shown[:MOST_NAMED]
    ]
    more = f" (and {len(shown) - MOST_NAMED:,} more)" if len(shown) > MOST_NAMED else ""
    return Sentence(text=f"Gaps of one group to the others that are shown to have changed: {'; '.join(named)}{more}.")


def _suppressed(comparison: Comparison) -> Iterator[Sentence]:
    if comparison.suppressed:
        named = listed(f"{label(key.accent)} under {label(key.condition)}" for key in comparison.suppressed)
        yield Sentence(
            text="In no number of two runs, because a run does not publish it or both together answered too few "
            f"speakers: {named}.",
            warning=True,
        )
