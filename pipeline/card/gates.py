"""Are the limits of a release kept? Decided from the numbers of the card as they are published, and nothing else.

A limit that could not be judged was not kept: ``not_decided`` weighs as ``broken`` does. What is not ranked, or hidden
under a publication floor, is ``not_judged``, and named; but a group that is ranked under another condition and not
under this one, or that has speakers enough of whom too few were scored, lost its trials, and leaves the limit not
decided.

Under ``point`` the estimate is compared with the limit, under ``upper_bound`` the worse end of its interval. Under
``equivalence`` the limit is the margin of two one-sided tests: kept where the interval of a group's ratio lies within
1/margin to margin, broken where it lies wholly outside, else not decided (statistics: 3.5); every group must pass,
without a further correction.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.card.evidence import Evidence
from pipeline.card.gate_measures import Gate, Outcome
from pipeline.card.gate_settings import GateSettings
from pipeline.card.gate_words import sentence
from pipeline.card.measures import Cell
from pipeline.card.wording import NOT_EVALUATED, label, visible

ROUNDING = 1e-9
"""A number beyond its limit by less than this is at the limit: 0.25 - 0.2 is not 0.05 in a processor."""
MODEL = {"max_gap": "model_gap", "max_ratio": "model_ratio"}
"""The statistic between groups that a limit is about: what chance adds is taken off it (statistics: 3.1)."""
SUPPRESSED = "suppressed under the publication floor"
LOST = "ranked under other conditions but not here, so the limit is not decided"
UNHEARD = "the study has enough of its speakers, but too few of them were scored, so the limit is not decided"
UNDECIDED = (LOST, UNHEARD)
"""Why a group is not ranked although it should have been."""
ONE_CONDITION = "the study has no condition beside the reference condition"


@dataclass(frozen=True, slots=True)
class _Found:
    """A published number that a limit is about: its accent (empty: between groups), its ends, and what it rests on."""

    accent: str
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    n_speakers: int
    n_words: int
    n_groups: int = 1
    why_not: str = ""
    """why there is no value or no interval"""


def decide(evidence: Evidence, settings: GateSettings) -> list[Gate]:
    """Return the outcome of every limit under every condition, in the order of the settings; none where none is set.

    Args:
        evidence: the published numbers, not the exact ones: a verdict must be what a reader of card.json would find.
        settings: the limits and their rule.
    """
    return [gate for name, limit in settings.limits.items() for gate in _of_limit(evidence, settings, name, limit)]


def _of_limit(evidence: Evidence, settings: GateSettings, name: str, limit: float) -> Iterator[Gate]:
    conditions = list(settings.conditions or evidence.view.conditions)
    if name == "max_interaction":
        conditions = [condition for condition in conditions if condition != evidence.view.reference]
    if not conditions:
        nothing = _Found("", "ratio", None, None, None, 0, 0, why_not=ONE_CONDITION)
        yield _gate(evidence, settings.rule, name, limit, "", nothing)
    for condition in conditions:
        if name in MODEL and settings.rule != "equivalence":
            found = [_between(evidence, MODEL[name], condition)]
        else:
            found = [one for accent in evidence.view.accents if (one := _of_group(evidence, name, accent, condition))]
            found = found or [_nobody(evidence, condition)]
            yield from _left_out(evidence, settings.rule, name, limit, condition)
        yield from (_gate(evidence, settings.rule, name, limit, condition, one) for one in found)


def _between(evidence: Evidence, statistic: str, condition: str) -> _Found:
    """Return the model's number over all ranked groups."""
    item = evidence.disparity(statistic, condition)
    if item is None:
        return _nobody(evidence, condition)
    why = "" if item.value is not None else item.note or "no model"
    return _Found(
        "", statistic, item.value, item.ci_low, item.ci_high, item.n_speakers, item.n_ref_words, item.n_groups, why
    )


def _nobody(evidence: Evidence, condition: str) -> _Found:
    ranked = evidence.ranked(condition)
    why = "no two groups are compared" if ranked else "no group is ranked"
    return _Found("", "none", None, None, None, 0, 0, n_groups=len(ranked), why_not=why)


def _of_group(evidence: Evidence, name: str, accent: str, condition: str) -> _Found | None:
    """Return the number of one group, or None where it is not judged."""
    cell = evidence.cell(accent, condition)
    if cell is None or not cell.ranked:
        return None
    people = cell.n_speakers, cell.n_ref_words
    if name == "min_f1":
        return _Found(accent, "f1", cell.f1, None, None, *people, why_not="F1 has no value")
    if name == "max_wer":
        return _Found(accent, "wer", cell.wer, cell.ci_low, cell.ci_high, *people, why_not="its WER has no interval")
    if name == "max_interaction":
        harm = evidence.interaction(accent, condition)
        if harm is None or harm.ratio is None:
            why = harm.note if harm is not None and harm.note else NOT_EVALUATED
            return _Found(accent, "ratio", None, None, None, *people, why_not=why)
        return _Found(accent, "ratio", harm.ratio, harm.ci_low, harm.ci_high, *people, why_not=harm.note)
    standing = evidence.standing(accent, condition)
    if standing is not None and not standing.verdict:
        return None  # the reference, or nobody to be compared with
    if standing is None:
        return _Found(accent, "ratio", None, None, None, *people, why_not=NOT_EVALUATED)
    ends = standing.ratio_low, standing.ratio_high
    return _Found(accent, "ratio", standing.ratio, *ends, *people, why_not=standing.note if ends[0] is None else "")


def _left_out(evidence: Evidence, rule: str, name: str, limit: float, condition: str) -> Iterator[Gate]:
    """Yield the groups that are not judged under a condition: suppressed, not ranked, or lost."""
    for accent, why in unjudged(evidence, condition):
        cell = evidence.cell(accent, condition)
        people = (cell.n_speakers, cell.n_ref_words) if cell is not None else (0, 0)
        found = _Found(accent, "none", None, None, None, *people, why_not=why)
        yield _gate(
            evidence, rule, name, limit, condition, found, outcome="not_decided" if why in UNDECIDED else "not_judged"
        )


def unjudged(evidence: Evidence, condition: str) -> list[tuple[str, str]]:
    """Return the groups of which no limit speaks under a condition, each with the reason."""
    hidden = {
        cell.accent: f"judged within {label(cell.merged_into)}" if cell.merged_into else SUPPRESSED
        for cell in evidence.numbers.publication.cells
        if cell.condition in ("", condition)
    }
    unranked = {}
    for accent in evidence.view.accents:
        cell = evidence.cell(accent, condition)
        if accent not in hidden and (cell is None or not cell.ranked):
            unranked[accent] = _why_unranked(evidence, accent, cell)
    return sorted((hidden | unranked).items())


def _why_unranked(evidence: Evidence, accent: str, cell: Cell | None) -> str:
    if _ranked_elsewhere(evidence, accent):
        return LOST
    scored, enough = cell.n_speakers if cell is not None else 0, evidence.numbers.rules.min_speakers
    if scored < enough <= evidence.view.n_speakers.get(accent, 0):
        return UNHEARD
    return "not ranked" if cell is not None else "nothing scored"


def _ranked_elsewhere(evidence: Evidence, accent: str) -> bool:
    cells = (evidence.cell(accent, condition) for condition in evidence.view.conditions)
    return any(cell is not None and cell.ranked for cell in cells)


def _gate(
    evidence: Evidence,
    rule: str,
    name: str,
    limit: float,
    condition: str,
    found: _Found,
    *,
    outcome: Outcome | None = None,
) -> Gate:
    compared, judged = JUDGES[rule](name, limit, found)
    # of a group the others are told elsewhere, and without a condition nobody is judged
    left_out = unjudged(evidence, condition) if condition and not found.accent else []
    if judged == "kept" and any(why in UNDECIDED for _, why in left_out):
        judged = "not_decided"  # a gap that a group is missing from looks smaller than it is
    gate = Gate(
        key=evidence.view.key(accent=found.accent, condition=condition),
        method=METHODS[rule],
        gate=name,
        rule=rule,
        statistic=found.statistic,
        outcome=outcome or judged,
        limit=limit,
        value=found.value,
        ci_low=found.low,
        ci_high=found.high,
        compared=compared,
        n_groups=found.n_groups,
        n_speakers=found.n_speakers,
        n_ref_words=found.n_words,
        note=found.why_not,
        sentence="",
    )
    return gate.model_copy(update={"sentence": visible(sentence(evidence, gate, left_out))})


def _judge_point(name: str, limit: float, found: _Found) -> tuple[float | None, Outcome]:
    return found.value, _beyond(name, limit, found.value)


def _judge_bound(name: str, limit: float, found: _Found) -> tuple[float | None, Outcome]:
    end = found.low if name == "min_f1" else found.high
    return end, _beyond(name, limit, end)


def _beyond(name: str, limit: float, value: float | None) -> Outcome:
    """Return whether a value keeps its limit; a value at the limit does."""
    if value is None:
        return "not_decided"
    over = limit - value if name == "min_f1" else value - limit
    return "broken" if over > ROUNDING else "kept"


def _judge_equivalence(name: str, limit: float, found: _Found) -> tuple[float | None, Outcome]:
    """Return the end of the interval that is further from 1, and the verdict by its inclusion in the margin."""
    if found.low is None or found.high is None:
        return None, "not_decided"
    worse = found.high if found.low <= 0 or found.high >= 1 / found.low else found.low
    if found.low > limit + ROUNDING or found.high < 1 / limit - ROUNDING:
        return worse, "broken"
    within = found.low >= 1 / limit - ROUNDING and found.high <= limit + ROUNDING
    return worse, "kept" if within else "not_decided"


JUDGES: dict[str, Callable[[str, float, _Found], tuple[float | None, Outcome]]] = {
    "point": _judge_point,
    "upper_bound": _judge_bound,
    "equivalence": _judge_equivalence,
}
METHODS = {
    "point": "the published value compared with the limit",
    "upper_bound": "the worse end of the published interval compared with the limit",
    "equivalence": "two one-sided tests: inclusion of the interval of the ratio in 1/limit to limit",
}


def overall(gates: Sequence[Gate]) -> Outcome | None:
    """Return broken if one limit is, else not decided if one is not or none was judged, else kept; None without any."""
    if not gates:
        return None
    outcomes = {gate.outcome for gate in gates}
    if "broken" in outcomes:
        return "broken"
    return "kept" if "kept" in outcomes and "not_decided" not in outcomes else "not_decided"
