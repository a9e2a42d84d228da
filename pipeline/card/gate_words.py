"""Gates in words: a sentence a limit, the one line of all of them, and their part of the workflow advice."""

from collections.abc import Sequence

from pipeline.card.evidence import Evidence
from pipeline.card.folding import some_named
from pipeline.card.gate_measures import Gate, Outcome
from pipeline.card.model import Block, Heading, Listing, Sentence
from pipeline.card.wording import between, count, label, listed

WORDS: dict[Outcome, str] = {
    "kept": "kept",
    "broken": "broken",
    "not_decided": "not decided",
    "not_judged": "not judged",
}
QUANTITY = {
    "max_gap": "model gap",
    "max_ratio": "model ratio",
    "min_f1": "word-recognition F1",
    "max_wer": "WER",
    "max_interaction": "extra factor on its errors",
}
FACTORS = ("max_ratio", "max_interaction")
RULES = {
    "point": "the estimate must keep the limit",
    "upper_bound": "the worse end of the interval must keep the limit",
    "equivalence": "two one-sided tests; every ranked group must be shown to be within the margin",
}
MOST_DIGITS = 9
EXACT = 1e-9
TOLD = 3
"""Broken limits that the one line tells; the others are counted."""
LISTED = 30
"""Sentences on the card; the others are in card.json and junit.xml."""
NOT_KEPT = "A limit that could not be judged was not kept."


def sentence(evidence: Evidence, gate: Gate, left_out: Sequence[tuple[str, str]] = ()) -> str:
    """Return what became of one limit: outcome, group, condition, value, rule, limit and what it rests on.

    Args:
        evidence: the published numbers.
        gate: the outcome, without its sentence.
        left_out: groups that are not judged, each with the reason.
    """
    named = some_named([f"{label(accent)} ({why})" for accent, why in left_out], separator=", ")
    beside = f" Not judged: {named}." if named else ""
    if gate.outcome == "not_judged" or gate.value is None:
        return f"{_head(gate)}: {gate.note or 'no value'}.{beside}"
    people = evidence.stands_on(gate.n_speakers, gate.n_ref_words)
    groups = "" if gate.key.accent else f" between {count(gate.n_groups, 'ranked group')}"
    text = f"{_head(gate)}: {_quantity(gate)}{groups} {amount(gate, gate.value)} {_interval(gate)}".rstrip()
    return f"{text}; {_against(evidence, gate)} ({people}{_extremes(evidence, gate)}).{beside}"


def _head(gate: Gate) -> str:
    who = f" for {label(gate.key.accent)}" if gate.key.accent else ""
    place = f" under {label(gate.key.condition)}" if gate.key.condition else ""
    return f"{gate.gate} {WORDS[gate.outcome]}{who}{place}"


def _quantity(gate: Gate) -> str:
    return "WER as a ratio to that of the others" if gate.rule == "equivalence" else QUANTITY[gate.gate]


def _interval(gate: Gate) -> str:
    if gate.gate in FACTORS:
        return between(gate.ci_low, gate.ci_high, scale=1, digits=2)
    return between(gate.ci_low, gate.ci_high)


def _against(evidence: Evidence, gate: Gate) -> str:
    if gate.compared is None:
        return f"no interval to compare with the limit of {limit(gate)} ({gate.note or 'too few speakers or errors'})"
    if gate.rule == "equivalence":
        level = f"{100 * (1 - 2 * evidence.numbers.rules.equivalence_level):g}%"
        how = {"kept": "lies within", "broken": "lies wholly outside", "not_decided": "does not lie within"}
        return f"its {level} interval {how[gate.outcome]} the margin of {limit(gate)}, both ways"
    least = gate.gate == "min_f1"
    side = ("below" if least else "above") if gate.outcome == "broken" else "within"
    if gate.rule == "point":
        return f"{side} the limit of {limit(gate)}"
    end = f"the {'lower' if least else 'upper'} end of the {evidence.level} interval, {amount(gate, gate.compared)},"
    return f"{end} is {side} the limit of {limit(gate)}"


def _extremes(evidence: Evidence, gate: Gate) -> str:
    """Return the groups between which a gap lies, as they were counted."""
    gap = None if gate.key.accent else evidence.disparity("gap_max_min", gate.key.condition)
    named = []
    for accent, which in [] if gap is None else [(gap.worst, "highest WER"), (gap.best, "lowest")]:
        cell = evidence.cell(accent, gate.key.condition)
        if accent and cell is not None and cell.wer is not None:
            named.append(f"{which} {label(accent)}, {evidence.in_words(cell)}")
    return f"; as counted: {'; '.join(named)}" if named else ""


def amount(gate: Gate, value: float) -> str:
    """Return a value with as many digits as it takes to stand on its own side of the limit."""
    scale, digits = _scale(gate), 2 if gate.gate in FACTORS else 1
    for more in range(digits, MOST_DIGITS):
        shown = float(f"{scale * value:.{more}f}") - scale * gate.limit
        if (shown > EXACT) == (value > gate.limit + EXACT) and (shown < -EXACT) == (value < gate.limit - EXACT):
            digits = more
            break
    return f"{scale * value:.{digits}f}{_unit(gate)}"


def limit(gate: Gate) -> str:
    """Return the limit, exactly as it was set."""
    return f"{_scale(gate) * gate.limit:.10g}{_unit(gate)}"


def _scale(gate: Gate) -> float:
    return 1.0 if gate.gate in FACTORS else 100.0


def _unit(gate: Gate) -> str:
    return {"max_gap": " points", "min_f1": "%", "max_wer": "%"}.get(gate.gate, " times")


def summary(gates: Sequence[Gate], outcome: Outcome) -> Sentence:
    """Return all limits in one line: what they ended in, how many, and the first that were not kept."""
    bad = not_kept(gates)
    counts = [f"{number:,} {word}" for one, word in WORDS.items()
              if (number := sum(gate.outcome == one for gate in gates))]  # fmt: skip
    told = "; ".join(_short(gate) for gate in bad[:TOLD])
    more = f"; and {len(bad) - TOLD:,} more" if len(bad) > TOLD else ""
    text = f"Gates {WORDS[outcome]} (rule {gates[0].rule}: {listed(counts)}){f': {told}{more}' if told else ''}."
    return Sentence(text=text, warning=outcome != "kept")


def _short(gate: Gate) -> str:
    if gate.compared is None:
        return f"{_head(gate)} ({gate.note or 'no value'}; limit {limit(gate)})"
    rests_on = f", {count(gate.n_speakers, 'speaker')}, {count(gate.n_ref_words, 'word')}"
    return f"{_head(gate)} ({amount(gate, gate.compared)}, limit {limit(gate)}{rests_on})"


def not_kept(gates: Sequence[Gate]) -> list[Gate]:
    """Return the limits that are broken, then those that are not decided."""
    return [gate for wanted in ("broken", "not_decided") for gate in gates if gate.outcome == wanted]


def blocks(gates: Sequence[Gate]) -> list[Block]:
    """Return what stands under the workflow advice: what was not kept, one by one, and then the rest in short."""
    if not gates:
        return []
    bad = [Sentence(text=gate.sentence, key=gate.key, warning=True) for gate in not_kept(gates)]
    if len(bad) > LISTED:
        more = Sentence(text=f"And {len(bad) - LISTED:,} more, in card.json and junit.xml.", warning=True)
        bad = [*bad[:LISTED], more]
    rule = gates[0].rule
    return [
        Heading(text="Gates of the release"),
        Sentence(text=f"Decided from the numbers of this card by the rule {rule}: {RULES[rule]}. {NOT_KEPT}"),
        Listing(items=[*bad, *_kept(gates), *_not_judged(gates)]),
    ]


def _kept(gates: Sequence[Gate]) -> list[Sentence]:
    """Return a sentence a limit and condition; of several groups the one that is nearest to the limit."""
    found: dict[tuple[str, str], list[Gate]] = {}
    for gate in gates:
        if gate.outcome == "kept":
            found.setdefault((gate.gate, gate.key.condition), []).append(gate)
    sentences = []
    for each in found.values():
        nearest = min(each, key=lambda gate: (abs((gate.compared or 0.0) - gate.limit), gate.key.accent))
        others = f" Kept for {count(len(each), 'group')} here; this one is nearest to the limit."
        sentences.append(Sentence(text=nearest.sentence + others * (len(each) > 1), key=nearest.key))
    return sentences


def _not_judged(gates: Sequence[Gate]) -> list[Sentence]:
    """Return which groups no limit speaks of, once each."""
    found: dict[tuple[str, str], list[str]] = {}
    for gate in gates:
        if gate.outcome == "not_judged":
            places = found.setdefault((gate.key.accent, gate.note), [])
            places += [] if gate.key.condition in places else [gate.key.condition]
    if not found:
        return []
    named = [f"{label(accent)} under {listed(map(label, where))} ({why})" for (accent, why), where in found.items()]
    return [Sentence(text=f"Not judged: {some_named(named)}.")]
