"""What the statistics may be told: the one place of their names, defaults and ranges."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.stats.hallucination_settings import HallucinationSettings
from pipeline.tables import POOLED

ACCENT = "accent"
"""What every crossing of attributes holds."""

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
    strata: tuple[Name, ...] = Field(default=(), max_length=8)
    """gaps are also standardized to a common mix of these: attributes of the corpus, and ``length_band``"""
    length_bands: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(
        default=(5, 15, 25), min_length=1, max_length=20
    )
    """largest number of reference words of each ``length_band`` but the last"""
    permutations: int = Field(default=2000, ge=99, le=100_000)
    """random rearrangements behind each p-value and each null mean"""
    bootstrap: int = Field(default=2000, ge=0, le=100_000)
    """times that the speakers of a cell of 30 and more are drawn again for a second interval; 0: no such interval"""
    material_gap_points: float = Field(default=5.0, gt=0, le=1000)
    """a gap, in points of WER, that matters: the model says how probable a larger one is"""
    equivalence_margin: float = Field(default=1.25, gt=1, le=10)
    """an accent is equivalent within this ratio of WERs to the reference, both ways"""
    equivalence_level: float = Field(default=0.05, gt=0, le=0.2)
    """error allowed in each of the two one-sided tests of equivalence; their interval has twice this outside"""
    faas: bool = False
    """compute FAAS for comparison with studies that report it; the card names its faults and keeps it apart"""
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

    @field_validator("strata")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"{list(value)} names one of them twice")
        return value

    @field_validator("length_bands")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(low >= high for low, high in pairwise(value)):
            raise ValueError(f"{list(value)} must ascend: each is where a band ends")
        return value

    intersections: tuple[tuple[Name, ...], ...] = ()
    """attributes crossed with the accent, such as (accent, gender); each crossing is compared within its accents"""

    @field_validator("intersections")
    @classmethod
    def _crossings(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for crossing in value:
            if ACCENT not in crossing or len(crossing) < 2 or len(set(crossing)) < len(crossing):
                raise ValueError(f"{list(crossing)}: cross '{ACCENT}' with one or more attributes, each named once")
        if len({frozenset(crossing) for crossing in value}) < len(value):
            raise ValueError("two crossings are of the same attributes")
        return tuple((ACCENT, *(name for name in crossing if name != ACCENT)) for crossing in value)

    regression: bool = False
    """also fit a mixed model of accent x condition, as a confirmation; needs the extra ``regression``"""

    @field_validator("reference_accent")
    @classmethod
    def _not_the_pool(cls, value: str | None) -> str | None:
        if value == POOLED:
            raise ValueError(f"'{POOLED}' names the cells that pool every accent, not an accent")
        return value
