"""What was fixed before any number was seen, on the card: its hash, and every change after results existed."""

from pipeline.card.evidence import Evidence
from pipeline.card.model import Block, Fact, Facts, Listing, Sentence
from pipeline.card.study_measures import Analysis
from pipeline.card.wording import count, listed, outside


def changed_sentence(found: Analysis) -> Sentence | None:
    """Return how often the analysis was changed after results existed; None where it never was."""
    if not found.changes:
        return None
    times = len(found.changes)
    each = "; ".join(f"{change.at}: {outside(listed(change.changed), limit=600)}" for change in found.changes)
    text = f"The analysis was changed {count(times, 'time')} after results existed: {each}."
    return Sentence(text=f"{text} Read its p-values and verdicts as exploratory.", warning=True)


def blocks(evidence: Evidence) -> list[Block]:
    """Return the settings with their hash, and what was changed in them."""
    found = evidence.numbers.analysis
    settings = listed(f"{name} = {value}" for name, value in found.settings.items())
    facts = [
        Fact(label="Analysis (SHA-256 of its settings, also in every table of results)", value=found.sha256),
        Fact(label="Settings of the analysis", value=outside(settings, limit=3000)),
    ]
    changed = changed_sentence(found)
    none = Sentence(text="This run records no change of the analysis after results existed.")
    return [Facts(facts=facts), Listing(items=[changed or none])]
