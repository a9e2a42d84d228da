"""The controlled vocabulary of accents: raw labels of corpora to the ids that the study groups by.

A label is looked up, never guessed: one that nobody mapped, or that means different things in different
corpora, has no accent here, and the row that carries it is excluded with the label in its detail.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.corpora.shipped import read_shipped
from pipeline.tables import POOLED


class Accent(BaseModel):
    """One group that can be compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Field(min_length=1)
    parent: str | None


class Vocabulary(BaseModel):
    """All accents and, by corpus, the raw labels that mean one of them.

    Checked: unique ids, known parents without a circle, labels of known accents, one meaning a label within a corpus.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accents: tuple[Accent, ...]
    labels: dict[str, dict[str, str]]
    """corpus to raw label to accent id"""
    own: tuple[str, ...] = ()
    """labels that mean what they do in their own corpus only: codes, and words that others use for other groups"""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parents = {accent.id: accent.parent for accent in self.accents}
        if len(parents) != len(self.accents):
            raise ValueError("an accent id occurs twice")
        if POOLED.casefold() in parents:
            raise ValueError(f"'{POOLED}' names the rows that pool all accents and cannot be an accent")
        for accent in self.accents:
            if accent.parent is not None and accent.parent not in parents:
                raise ValueError(f"accent '{accent.id}' has the unknown parent '{accent.parent}'")
            _refuse_circle(accent.id, parents)
        for corpus, labels in self.labels.items():
            unknown = sorted(set(labels.values()) - set(parents))
            if unknown:
                raise ValueError(f"labels of '{corpus}' mean the unknown accent '{unknown[0]}'")
            for label, ids in _folded(labels).items():
                meant = ids | ({label} & set(parents))
                if len(meant) > 1:
                    raise ValueError(f"label '{label}' of '{corpus}' means {' and '.join(sorted(meant))}")
        known = {label for labels in self.labels.values() for label in _folded(labels)}
        if strange := sorted(label for label in self.own if fold(label) not in known or fold(label) in parents):
            raise ValueError(f"own: '{strange[0]}' is no corpus's label, or an accent's id")
        return self

    def lookup(self, corpus: str | None = None) -> dict[str, set[str]]:
        """Return folded raw label to accent ids, for one corpus's labels or (None) for all of them together.

        Every id is a label of itself. A label with several ids is ambiguous; one with none means something in its own
        corpus only.
        """
        merged: dict[str, set[str]] = defaultdict(set)
        for labels in self.labels.values() if corpus is None else [self.labels.get(corpus, {})]:
            for label, ids in _folded(labels).items():
                merged[label] |= ids
        for label in () if corpus is not None else map(fold, self.own):
            merged[label] = set()
        for accent in self.accents:
            merged[accent.id].add(accent.id)
        return dict(merged)

    def below(self, ids: Iterable[str]) -> frozenset[str]:
        """Return ``ids`` and every accent that rolls up into one of them."""
        found = set(ids)
        while more := {accent.id for accent in self.accents if accent.parent in found} - found:
            found |= more
        return frozenset(found)


def _folded(labels: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for label, accent in labels.items():
        found[fold(label)].add(accent)
    return dict(found)


def fold(label: str) -> str:
    """Return ``label`` as it is compared: trimmed, inner white space single, case ignored."""
    return " ".join(label.split()).casefold()


@cache
def vocabulary() -> Vocabulary:
    """Return the shipped vocabulary, read once.

    Raises:
        StudyError: if ``data_manifests/accents.yaml`` is missing or inconsistent.
    """
    return read_shipped("accents.yaml", Vocabulary)


def _refuse_circle(start: str, parents: dict[str, str | None]) -> None:
    seen, at = {start}, parents[start]
    while at is not None and at in parents:
        if at in seen:
            raise ValueError(f"accent '{start}' is among its own ancestors")
        seen.add(at)
        at = parents[at]
