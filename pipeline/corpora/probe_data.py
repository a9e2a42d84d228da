"""The probe corpus as data: prompts, pronunciation features and virtual voices, from ``data_manifests/probes/``."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.corpora.shipped import read_shipped

WORD_END = r"(?=[ ,.;:!?]|$)"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Prompt(_Data):
    """A text and its unmodified pronunciation, one phoneme string a sentence."""

    id: str = Field(pattern=r"^[a-z][0-9]{2}$")
    text: str = Field(min_length=1)
    phonemes: tuple[str, ...] = Field(min_length=1)


class Voice(_Data):
    """A virtual voice: ``scale`` multiplies frequencies, ``speed`` is what keeps the tempo."""

    id: str = Field(pattern=r"^[a-z][0-9]{2}$")
    scale: float = Field(ge=0.7, le=1.4)
    speed: float = Field(ge=0.5, le=2.0)


class Rewrite(_Data):
    """One regular expression over a phoneme string and what replaces its matches."""

    find: str
    replace: str


class Feature(_Data):
    """A documented pronunciation: rewrites in order, and the literature that describes it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    description: str
    source: str = Field(min_length=1)
    rewrites: tuple[Rewrite, ...]


class Prompts(_Data):
    """What the study's voices read, and what the babble is made of."""

    study: tuple[Prompt, ...] = Field(min_length=1)
    babble: tuple[Prompt, ...] = Field(min_length=1)


class Voices(_Data):
    """The study's voices, and those that are only ever babble."""

    study: tuple[Voice, ...] = Field(min_length=1)
    babble: tuple[Voice, ...] = Field(min_length=1)


class Features(_Data):
    """All features, and the named sets of phonemes that their rewrites use."""

    sets: dict[str, str]
    features: tuple[Feature, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        names = [feature.id for feature in self.features]
        if len(set(names)) < len(names):
            raise ValueError("a feature id occurs twice")
        for feature in self.features:
            try:
                self.apply(feature, "")
            except re.error as error:
                raise ValueError(f"feature '{feature.id}' has a broken rewrite: {error}") from error
        return self

    def apply(self, feature: Feature, phonemes: str) -> str:
        """Return ``phonemes`` after the feature's rewrites, each applied to what the one before left."""
        for rewrite in feature.rewrites:
            phonemes = re.sub(expand(rewrite.find, self.sets), rewrite.replace, phonemes)
        return phonemes

    def by_id(self) -> dict[str, Feature]:
        """Return the features by id, in the file's order."""
        return {feature.id: feature for feature in self.features}


def expand(pattern: str, sets: Mapping[str, str]) -> str:
    """Put the sets and the end of a word where a rewrite names them in braces."""
    for name, members in {**sets, "end": WORD_END}.items():
        pattern = pattern.replace("{" + name + "}", members)
    return pattern


def first_or_named(voices: Sequence[Voice], chosen: int | Sequence[str]) -> list[Voice]:
    """Return the first ``chosen`` voices, or those that it names, in its order."""
    if isinstance(chosen, int):
        return list(voices[:chosen])
    known = {voice.id: voice for voice in voices}
    return [known[name] for name in chosen]


@cache
def prompts() -> Prompts:
    """Return the shipped prompts."""
    return read_shipped("probes/prompts.yaml", Prompts)


@cache
def voices() -> Voices:
    """Return the shipped virtual voices."""
    return read_shipped("probes/voices.yaml", Voices)


@cache
def features() -> Features:
    """Return the shipped pronunciation features."""
    return read_shipped("probes/features.yaml", Features)
