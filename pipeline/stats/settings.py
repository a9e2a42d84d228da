"""What the statistics may be told: the one place of their names, defaults and ranges."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

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
    material_gap_points: float = Field(default=5.0, gt=0, le=1000)
    """a gap, in points of WER, that matters: the model says how probable a larger one is"""
    equivalence_margin: float = Field(default=1.25, gt=1, le=10)
    """an accent is equivalent within this ratio of WERs to the reference, both ways"""
    equivalence_level: float = Field(default=0.05, gt=0, le=0.2)
    """error allowed in each of the two one-sided tests of equivalence; their interval has twice this outside"""
    faas: bool = False
    """compute FAAS for comparison with studies that report it; the card names its faults and keeps it apart"""
    seed: int = Field(default=0, ge=0, lt=2**63)
    regression: bool = False
    """also fit a mixed model of accent x condition, as a confirmation; needs the extra ``regression``"""

    @field_validator("reference_accent")
    @classmethod
    def _not_the_pool(cls, value: str | None) -> str | None:
        if value == POOLED:
            raise ValueError(f"'{POOLED}' names the cells that pool every accent, not an accent")
        return value
