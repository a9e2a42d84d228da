"""What a strategy finds: one candidate utterance, as the corpus itself has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records import Reason


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate utterance.

    ``where`` is the place in the corpus that a reader can look up, ``cells`` are keyed by the corpus's own column
    names, and ``problem`` is empty or says why it cannot be used; ``reason`` is then that of its exclusion.
    """

    where: str
    cells: Mapping[str, str]
    problem: str = ""
    reason: Reason = Reason.MISSING_VALUE
