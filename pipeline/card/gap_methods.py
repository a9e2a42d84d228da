"""How gaps were modeled and tested: told once where it is the same under every condition, and else in each line."""

from pipeline.card.evidence import Evidence
from pipeline.card.measures import Disparity
from pipeline.card.model import Sentence

MODEL, TEST = "model_gap", "omnibus_q"
_NAMES = {MODEL: "Less what chance adds", TEST: "Permutation test over all groups"}
_JOIN = "; "


def method_sentences(evidence: Evidence) -> list[Sentence]:
    """Return what holds of the model and the test under every condition; none with one condition."""
    shared = {name: _shared(evidence, statistic) for statistic, name in _NAMES.items()}
    told = [f"{name}: {_JOIN.join(parts)}." for name, parts in shared.items() if parts]
    return [Sentence(text=" ".join(["Method, the same under every condition.", *told]))] if told else []


def own_note(evidence: Evidence, item: Disparity) -> str:
    """Return what of the note of a model or a test is told of this condition alone; empty: nothing."""
    shared = _shared(evidence, item.statistic)
    return _JOIN.join(part for part in item.note.split(_JOIN) if part and part not in shared)


def _shared(evidence: Evidence, statistic: str) -> list[str]:
    """Return the parts that stand in the notes of all conditions with a value, in their order."""
    found = [evidence.disparity(statistic, condition) for condition in evidence.view.conditions]
    notes = [item.note.split(_JOIN) for item in found if item is not None and _has_value(item)]
    if len(notes) < 2:
        return []
    return [part for part in notes[0] if part and all(part in note for note in notes[1:])]


def _has_value(item: Disparity) -> bool:
    return item.value is not None or item.p is not None
