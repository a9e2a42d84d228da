"""Which conclusions another normalizer than the main one changes, in a sentence each."""

from pipeline.card.evidence import Evidence
from pipeline.card.model import Block, Listing, Sentence
from pipeline.card.normalizer_measures import NormalizerChange
from pipeline.card.wording import count, label

NAMED = 8
"""Changes that a sentence names; the table of sensitivity has all of them."""
MEASURES = {
    "rank": "place by WER",
    "highest": "group with the highest WER",
    "lowest": "group with the lowest WER",
    "gap_max_min": "naive gap",
    "omnibus_p": "difference between groups",
    "interaction_p": "disproportionate harm",
}
PLACES = ("rank",)
"""Measures that are counted and not named one by one: one group that moves moves others."""


def change_blocks(evidence: Evidence) -> list[Block]:
    """Return one sentence for each other normalizer: what it changes, or that it changes nothing that was compared."""
    view = evidence.view
    if not view.others:
        text = "One normalizer was run: whether another one would change a conclusion is not evaluated."
        return [Sentence(text=text)]
    return [Listing(items=[_sentence(evidence, other) for other in view.others])]


def _sentence(evidence: Evidence, other: str) -> Sentence:
    changes = [item for item in evidence.numbers.normalizer_changes if item.key.normalizer == other]
    places = sum(item.measure in PLACES for item in changes)
    named = [_named(item) for item in changes if item.measure not in PLACES]
    more = [f"and {count(len(named) - NAMED, 'other conclusion')}"] if len(named) > NAMED else []
    moved = [f"{count(places, 'place')} of groups by WER"] if places else []
    start = f"Under {label(other)} instead of {label(evidence.view.main)}"
    key = evidence.view.key(normalizer=other)
    if not changes:
        return Sentence(text=f"{start}: places by WER, tests and verdicts lead to the same conclusions.", key=key)
    return Sentence(text=f"{start} these change: {'; '.join([*named[:NAMED], *more, *moved])}.", key=key, warning=True)


def _named(item: NormalizerChange) -> str:
    measure = MEASURES.get(item.measure, item.measure.replace(".", " ").replace("_", " "))
    of = f" of {label(item.key.accent)}" if item.key.accent else ""
    place = f" under {label(item.key.condition)}" if item.key.condition else " over all conditions"
    return f"{measure}{of}{place}: {label(item.conclusion_main)} becomes {label(item.conclusion)}"
