"""What a strategy finds: one candidate utterance, as the corpus itself has it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate utterance.

    ``where`` is the place in the corpus that a reader can look up, ``cells`` are keyed by the corpus's own column
    names, and ``problem`` is empty or says why the cells cannot be told apart.
    """

    where: str
    cells: Mapping[str, str]
    problem: str = ""
