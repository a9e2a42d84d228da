"""The controlled vocabulary of accents: raw labels of corpora to the ids that the study groups by.

A label is looked up, never guessed: one that nobody mapped, or that means different things in different
corpora, has no accent here, and the row that carries it is excluded with the label in its detail.
"""

from collections import defaultdict
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.corpora.shipped import read_shipped
from pipeline.tables import POOLED


class Accent(BaseModel):
    """One group that can be compared. ``labels`` are the raw labels that mean it, by corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Field(min_length=1)
    parent: str | None
    labels: dict[str, tuple[str, ...]] = {}


class Vocabulary(BaseModel):
    """All accents, checked: unique ids, known parents without a circle, one meaning a label within a corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accents: tuple[Accent, ...]

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
        for corpus, labels in self.labels().items():
            for label, ids in labels.items():
                meant = ids | ({label} & set(parents))
                if len(meant) > 1:
                    raise ValueError(f"label '{label}' of '{corpus}' means {' and '.join(sorted(meant))}")
        return self

    def labels(self) -> dict[str, dict[str, set[str]]]:
        """Return corpus to folded raw label to the accent ids that it means."""
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for accent in self.accents:
            for corpus, labels in accent.labels.items():
                for label in labels:
                    found[corpus][fold(label)].add(accent.id)
        return {corpus: dict(labels) for corpus, labels in found.items()}

    def lookup(self, corpus: str | None = None) -> dict[str, set[str]]:
        """Return folded raw label to accent ids, for one corpus's labels or (None) for all of them together.

        Every id is a label of itself. A label with several ids is ambiguous.
        """
        known = self.labels()
        merged: dict[str, set[str]] = defaultdict(set)
        for labels in known.values() if corpus is None else [known.get(corpus, {})]:
            for label, ids in labels.items():
                merged[label] |= ids
        for accent in self.accents:
            merged[accent.id].add(accent.id)
        return dict(merged)


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
