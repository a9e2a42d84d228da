"""Finds known sequences of words in a text: the longest first, from left to right, none overlapping another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """``words[start:end]`` is one of the forms of ``name``."""

    name: str
    start: int
    end: int


class Sequences:
    """Named word sequences, each name with one form or more. A form belongs to the first name that claims it."""

    def __init__(self, forms: Mapping[str, Iterable[Words]]) -> None:
        owner: dict[Words, str] = {}
        for name, own in forms.items():
            for words in own:
                if words:
                    owner.setdefault(words, name)
        self._by_first: dict[str, list[tuple[Words, str]]] = defaultdict(list)
        # the longest form that fits wins: "insulin glargine" is not also "insulin"
        for words, name in sorted(owner.items(), key=lambda item: -len(item[0])):
            self._by_first[words[0]].append((words, name))
        self._firsts = frozenset(self._by_first)

    def find(self, text: str) -> tuple[Occurrence, ...]:
        """Return what occurs in a normalized text, in its order."""
        return self.find_in(text.split())

    def find_in(self, words: Sequence[str]) -> tuple[Occurrence, ...]:
        """Return what occurs in the words of a normalized text, in their order."""
        if self._firsts.isdisjoint(words):
            return ()
        found, place = [], 0
        while place < len(words):
            here = self._at(words, place)
            if here is not None:
                found.append(here)
            place = here.end if here else place + 1
        return tuple(found)

    def _at(self, words: Sequence[str], place: int) -> Occurrence | None:
        for form, name in self._by_first.get(words[place], ()):
            end = place + len(form)
            if tuple(words[place:end]) == form:
                return Occurrence(name, place, end)
        return None
