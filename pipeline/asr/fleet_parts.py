"""Batches on their way through processes that may die, and the search for the one clip that kills them.

A batch is done again once. If that kills a process too it is halved, each half is tried on its own, and so on, until a
clip alone kills: that clip has failed, and the others keep their answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.asr.base import Hypothesis, Request
from pipeline.records import Status

_TRIES: Final = 2
"""One death may be chance (somebody else's memory); a batch that kills again is taken apart."""


@dataclass(slots=True, eq=False)
class Whole:
    """A batch as it was handed in, and the answers that are there, by place."""

    batch: Sequence[Request]
    said: dict[int, Hypothesis] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether every request is answered."""
        return len(self.said) == len(self.batch)

    @property
    def hypotheses(self) -> list[Hypothesis]:
        """The answers, in the order of the requests; of a batch that is done."""
        return [self.said[place] for place in range(len(self.batch))]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A batch, or the half of one, that is tried as it is; ``deaths`` processes died on it or on what it is half of."""

    whole: Whole
    start: int
    stop: int
    deaths: int = 0

    @classmethod
    def all_of(cls, batch: Sequence[Request]) -> "Part":
        """Return a whole batch, to be tried for the first time."""
        return cls(Whole(batch), 0, len(batch))

    @property
    def requests(self) -> Sequence[Request]:
        """What is asked; of an undivided batch the very batch."""
        return self.whole.batch if self.undivided else self.whole.batch[self.start : self.stop]

    @property
    def undivided(self) -> bool:
        """Whether this is still the batch that was handed in."""
        return self.stop - self.start == len(self.whole.batch)

    @property
    def speaks_against_recognizer(self) -> bool:
        """Whether one more death on this may be the recognizer's fault, not only a step of the search for a clip.

        The first on a batch may, and that of a clip alone in a batch taken apart: where every clip kills, none is it.
        """
        return self.deaths == 0 or (not self.undivided and self.stop - self.start == 1)

    @property
    def label(self) -> str:
        """The clips, for a person: the first, and how many more."""
        first, more = self.whole.batch[self.start], self.stop - self.start - 1
        return f"'{first.utterance_id}' under {first.condition}" + (f" and {more} more" if more else "")

    def answer(self, said: Sequence[Hypothesis]) -> None:
        """Note the answers to the requests of this part."""
        self.whole.said.update(zip(range(self.start, self.stop), said, strict=True))

    def after_death(self, how: str) -> list["Part"]:
        """Return what to try next after a process died on this; if nothing, the clip that kills is found and failed.

        Args:
            how: ``signal 9`` or ``exit code 1``.
        """
        deaths, middle = self.deaths + 1, (self.start + self.stop) // 2
        if deaths < _TRIES:
            return [Part(self.whole, self.start, self.stop, deaths)]
        if self.stop - self.start > 1:
            return [Part(self.whole, self.start, middle, deaths), Part(self.whole, middle, self.stop, deaths)]
        detail = f"the recognizer's process died on this clip ({how}) {deaths} times"
        self.answer([Hypothesis("", Status.FAILED, detail=detail)])
        return []
