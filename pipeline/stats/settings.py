"""What the statistics may be told: the one place of their names, defaults and ranges."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.stats.hallucination_settings import HallucinationSettings
from pipeline.tables import POOLED

Name = Annotated[str, Field(min_length=1)]


class StatsSettings(BaseModel):
    """Fixed before the numbers are seen; part of the hashed configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference_condition: Name = "clean"
    """the condition that every other one is paired with"""
    reference_accent: Name | None = None
    """compare each accent with this one; without it, with the rest (never with the best that was observed)"""
    min_speakers: int = Field(default=5, ge=2, le=1000)
    """an accent with fewer named speakers is shown and never ranked, compared or called best or worst"""
    confidence: float = Field(default=0.95, ge=0.5, lt=1.0)
    """level of every interval"""
    permutations: int = Field(default=2000, ge=99, le=100_000)
    """random rearrangements behind each p-value and each null mean"""
    seed: int = Field(default=0, ge=0, lt=2**63)
    hallucination: HallucinationSettings | None = HallucinationSettings()
    """how transcripts are screened for invented text; null: not at all"""
    terms: Name | None = None
    """a file of terms that matter (CSV, TSV, JSONL, YAML or text): how often each is heard where it was said"""
    tags: Name | None = None
    """a file of tagged reference words (CSV, TSV or JSONL): errors by tag"""

    def inputs(self) -> dict[str, Path]:
        """Return the user's files that the statistics read, by the setting that names each."""
        screening = self.hallucination
        named = {
            "stats.hallucination.phrases": screening.phrases if screening else None,
            "stats.hallucination.reviewed": screening.reviewed if screening else None,
            "stats.terms": self.terms,
            "stats.tags": self.tags,
        }
        return {name: Path(path) for name, path in named.items() if path}

    @field_validator("reference_accent")
    @classmethod
    def _not_the_pool(cls, value: str | None) -> str | None:
        if value == POOLED:
            raise ValueError(f"'{POOLED}' names the cells that pool every accent, not an accent")
        return value
