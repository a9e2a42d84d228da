"""The part of section 9 on repeated transcripts: how widely the recognizer's own guesses spread."""

from collections.abc import Mapping

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.keys import Key
from pipeline.card.model import Block, Heading, Row, Sentence, Table, TableCell
from pipeline.card.repeat_measures import Variability
from pipeline.card.wording import NOT_EVALUATED, between, count, label, percent
from pipeline.records import Support
from pipeline.tables import POOLED

TITLE = "Variability of repeated transcripts"
UNTESTED = (
    "Repeats are drawn at random from the same audio; none of them is scored. How far two of them differ says how "
    "widely the recognizer's own guesses spread, not how right they are. Not tested: whether groups differ in this, "
    "and whether drawing changes WER."
)
Found = Mapping[tuple[Key, float], Variability]


def variability(evidence: Evidence) -> list[Block]:
    """Return the table of every temperature, or how it would be evaluated."""
    items = evidence.numbers.variability
    if not any(item.n_trials for item in items):
        return [Heading(text=TITLE), Sentence(text=f"{TITLE}: {NOT_EVALUATED}{_why_not(evidence)}")]
    found = {(item.key, item.temperature): item for item in items}
    temperatures = sorted({item.temperature for item in items})
    drawn = [_table(evidence, found, temperature) for temperature in temperatures]
    return [Heading(text=TITLE), *drawn, Sentence(text=UNTESTED)]


def _why_not(evidence: Evidence) -> str:
    asr = evidence.view.source.record.config.get("asr")
    if not isinstance(asr, Mapping) or "repeats" not in asr:
        return ": this recognizer has no setting asr.repeats."
    if asr["repeats"]:
        return ": no scored trial has two repeats at one temperature; section 4 lists those that failed."
    return "; with asr.repeats=5 a recognizer that can draw at random transcribes every trial five times more."


def _table(evidence: Evidence, found: Found, temperature: float) -> Table:
    conditions = evidence.view.conditions
    rows = [
        Row(head=accent_name(accent), cells=[_cell(evidence, found, accent, name, temperature) for name in conditions])
        for accent in [*evidence.view.accents, POOLED]
    ]
    caption = (
        f"Words in which two repeats of one trial differ, per word, at temperature {temperature:g} "
        f"({evidence.level} intervals); how often all repeats are alike; WER of the repeats beside that of the scored "
        "transcripts of the same trials"
    )
    return evidence.table(caption, ["Group", *map(label, conditions)], rows)


def _cell(evidence: Evidence, found: Found, accent: str, condition: str, temperature: float) -> TableCell:
    key = evidence.view.key(accent=accent, condition=condition)
    item = found.get((key, temperature))
    if item is None or not item.n_trials:
        return TableCell(lines=[NOT_EVALUATED, *(_left_out(item) if item else [])], key=key)
    differ = f"{percent(item.disagreement)} {between(item.ci_low, item.ci_high)}".strip()
    lines = [
        differ if item.disagreement is not None else "no words in any repeat",
        f"alike {percent(item.n_alike / item.n_trials)} ({item.n_alike:,} of {count(item.n_trials, 'trial')})",
        f"WER {percent(item.repeat_wer)} of {count(item.n_repeats, 'repeat')}, {percent(item.scored_wer)} scored",
        evidence.stands_on(item.n_speakers, item.n_ref_words),
        *_alternatives(evidence, found, item),
        *_marks(item),
    ]
    return TableCell(lines=[*lines, *_left_out(item)], key=key)


def _alternatives(evidence: Evidence, found: Found, item: Variability) -> list[str]:
    keys = [item.key.model_copy(update={"normalizer": other}) for other in evidence.view.others]
    others = [other for key in keys if (other := found.get((key, item.temperature))) is not None]
    return [", ".join(f"{label(one.key.normalizer)} {percent(one.disagreement)}" for one in others)] if others else []


def _marks(item: Variability) -> list[str]:
    if item.support == Support.ZERO_ERRORS:
        return ["no difference counted"]
    if item.support == Support.THIN:
        return ["thin"]
    return ["no interval"] if item.ci_low is None else []


def _left_out(item: Variability) -> list[str]:
    return [f"{count(item.n_left_out, 'trial')} left out: fewer than two repeats"] if item.n_left_out else []
