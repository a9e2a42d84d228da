"""The numbers of the mixed model that confirms, or does not, what the permutation test of the interaction found."""

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class Regression(Number):
    """Extra degradation of one accent under one condition in the model; their mean where the accent is empty."""

    n_speakers: int = Field(description="in the model of this condition, of all its accents")
    log_ratio: Rate
    standard_error: Rate
    ratio: Rate
    ci_low: Rate
    ci_high: Rate
    speaker_sd: Rate
    speaker_condition_sd: Rate
    log_likelihood: Rate
    converged: bool
    engine: Shown
    note: Shown
    synthetic: bool
