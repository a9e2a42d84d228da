"""The service card as one value: every section in its order, and under them every number.

The order and the starred fields are those of the published AI service cards, with what those leave out: intervals,
speakers and words per group, conditions, the worst group's name, and what chance alone would give.
"""

from collections.abc import Sequence

from pipeline.card import (
    audited_data,
    closing,
    data,
    fairness,
    front,
    gate_words,
    gates,
    recordings,
    registered,
    results,
    robustness,
    suppressed,
    veracity,
)
from pipeline.card.adjusted import confounded_sentences
from pipeline.card.evidence import Evidence, gather
from pipeline.card.gate_measures import Gate
from pipeline.card.measures import Numbers
from pipeline.card.model import CardContent, Section, Sentence
from pipeline.card.publication import rounded_values
from pipeline.card.view import CardInput
from pipeline.card.wording import NOT_EVALUATED, SYNTHETIC, count, label

__all__ = ["CardContent", "CardInput", "build"]

SECTIONS = (
    front.header,
    front.overview,
    front.intended_use,
    data.evaluation_data,
    results.expectations,
    results.overall,
    fairness.fairness,
    robustness.robustness,
    veracity.veracity,
    closing.explainability,
    closing.privacy,
    closing.review,
    closing.advice,
    closing.own_content,
    closing.glossary,
)


def build(card_input: CardInput) -> CardContent:
    """Write the card of one run. The same tables give the same card, whatever the order of their rows."""
    evidence = gather(card_input)
    view, numbers = evidence.view, _published(evidence.numbers)
    decided = gates.decide(Evidence(view, numbers), card_input.gate)
    return CardContent(
        title=card_input.settings.title,
        synthetic=view.synthetic,
        speakers_known=view.speakers_known,
        backend=view.backend,
        main_normalizer=view.main,
        accents=list(view.accents),
        conditions=list(view.conditions),
        summary=_with_gates(_summary(evidence), decided),
        sections=[_advised(section(evidence), decided) for section in SECTIONS],
        numbers=numbers,
        gates=decided,
    )


def _with_gates(summary: list[Sentence], decided: Sequence[Gate]) -> list[Sentence]:
    outcome = gates.overall(decided)
    return summary if outcome is None else [summary[0], gate_words.summary(decided, outcome), *summary[1:]]


def _advised(section: Section, decided: Sequence[Gate]) -> Section:
    """Return the section, its gates with it where it is the one that advises."""
    if section.slug != closing.ADVICE:
        return section
    return section.model_copy(update={"blocks": [*section.blocks, *gate_words.blocks(decided)]})


def _published(numbers: Numbers) -> Numbers:
    """Return the numbers as they may be published; sentences are written from the exact ones and say fewer digits."""
    if not numbers.publication.rounded:
        return numbers
    return Numbers.model_validate(rounded_values(numbers.model_dump()))


def _summary(evidence: Evidence) -> list[Sentence]:
    view = evidence.view
    what = f"{label(view.backend)}: {count(len(view.accents), 'group')}, {count(len(view.conditions), 'condition')}."
    summary = [Sentence(text=what)]
    if view.synthetic:
        summary.append(Sentence(text=f"{SYNTHETIC.capitalize()}.", warning=True))
    notes = suppressed.sentence(evidence.numbers.publication), registered.changed_sentence(evidence.numbers.analysis)
    summary += [note for note in notes if note is not None]
    if view.source.renderings.empty and not view.source.transcripts.empty:
        summary.append(Sentence(text=front.played(view), warning=True))
    if not view.speakers_known:
        summary.append(Sentence(text=data.UNITS_WARNING, warning=True))
    summary += data.unstated_labels(evidence)
    summary += recordings.short_warning(evidence)
    summary += audited_data.short_warning(evidence)
    if view.main != view.source.settings.main_normalizer and view.main:
        wanted = label(view.source.settings.main_normalizer)
        summary.append(Sentence(text=f"{wanted} was not run; the main normalizer is {label(view.main)}.", warning=True))
    if not evidence.measured and evidence.numbers.publication.cells:
        return [*summary, Sentence(text="Word errors: suppressed in every group.", warning=True)]
    if not evidence.measured:
        return [*summary, Sentence(text=f"Word errors: {NOT_EVALUATED}. Nothing was scored.", warning=True)]
    floors = [block for block in fairness.floor_sentences(evidence) if isinstance(block, Sentence)]
    gaps = [fairness.short_gap_sentence(evidence, condition) for condition in view.conditions]
    gaps += confounded_sentences(evidence)
    return [*summary, *floors, *gaps, *robustness.interaction_sentences(evidence)]
