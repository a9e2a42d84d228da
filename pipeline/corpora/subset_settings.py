"""Which part of a corpus is studied: wishes that are kept by hash, so that a choice does not hang on any order."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.registration import SUBSET_RULES


class SubsetSettings(BaseModel):
    """What is wished for; all that is set holds together. Nothing set: the whole corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accents: tuple[str, ...] = ()
    """ids of the accents to keep; empty: all"""
    speakers_per_accent: int | None = Field(None, ge=1)
    """whole speakers are chosen before utterances"""
    utterances_per_speaker: int | None = Field(None, ge=1)
    """at most so many of each speaker"""
    minutes_per_accent: float | None = Field(None, gt=0, allow_inf_nan=False)
    """at most so much speech, spread over the chosen speakers: everybody's first utterance before anybody's second"""
    balance: tuple[str, ...] = ()
    """attributes over whose values each accent gets equal numbers of speakers, such as gender"""
    match: Literal["prompt"] | None = None
    """prompt: only texts that the accents share, each read equally often in every accent that has it"""
    match_share: float = Field(1.0, gt=0, le=1, allow_inf_nan=False)
    """share of the accents that must have read a text; two accents at least"""
    manifest: Path | None = None
    """a frozen manifest, with or without texts: exactly its utterances, as far as they are unchanged"""
    if_fewer: Literal["all", "refuse"] = "all"
    """where there is less than wished for: take what there is and say so, or stop"""
    seed: int = Field(0, ge=0)
    """another one draws another subset"""

    @field_validator("accents", "balance")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value) or not all(value):
            raise ValueError("name each one once")
        return value

    @property
    def active(self) -> bool:
        """Whether anything is to be left out."""
        return any(getattr(self, name) for name in SUBSET_RULES)

    @property
    def by_speaker(self) -> bool:
        """Whether a rule counts speakers, so that an utterance of nobody known cannot take part."""
        return bool(self.speakers_per_accent or self.utterances_per_speaker or self.balance)

    @property
    def needs_recordings(self) -> bool:
        """Whether a rule asks for more than who says what: durations, attributes or hashes."""
        return bool(self.minutes_per_accent or self.balance or self.manifest)
