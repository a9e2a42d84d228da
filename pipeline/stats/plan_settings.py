"""What the plan may be told: the effect to be shown, and what to assume where no run says it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.stats.settings import Name


class PlanSettings(BaseModel):
    """The ``plan`` section of a study; it decides no number of any run (statistics: 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratio: float = Field(default=1.25, gt=1.0, le=100.0)
    """of WERs, or of the harm that a condition does: the extra speakers needed to show it"""
    power: float = Field(default=0.8, ge=0.5, lt=1.0)
    """probability of showing an effect of that size"""
    multiplicity: Literal["holm", "none"] = "holm"
    """``holm``: each cell at alpha divided by the number of cells, as Holm's first step; ``none``: each on its own"""
    run_name: Name | None = None
    """a run under ``results_dir`` whose scores say sigma, phi, slope and WERs; null: what is assumed here"""
    sigma: float = Field(default=0.45, ge=0.0, le=3.0)
    """assumed SD of speakers' log WER (.35 to .5 in real data)"""
    phi: float = Field(default=4.0, gt=0.0, le=1000.0)
    """assumed variance of one speaker's errors over a Poisson variable's (3.5 to 11 in real data)"""
    slope_sd: float = Field(default=0.2, ge=0.0, le=3.0)
    """assumed SD over speakers of the log factor by which a condition multiplies errors"""
    wer: float = Field(default=0.2, gt=0.0, le=10.0)
    """assumed WER of every accent under every condition"""
