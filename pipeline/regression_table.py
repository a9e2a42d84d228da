"""The table of the optional mixed model of accent x condition."""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables


class Regressions(tables._Table):
    """The accent x condition interaction from a mixed model, as a confirmation; ``accent`` is empty for their mean."""

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0, description="in the model")
    log_ratio: Series[float] = pa.Field(nullable=True, description="extra log degradation against the other accents")
    standard_error: Series[float] = pa.Field(nullable=True, ge=0)
    ratio: Series[float] = pa.Field(nullable=True, gt=0)
    ci_low: Series[float] = pa.Field(nullable=True, description="of the ratio, pointwise")
    ci_high: Series[float] = pa.Field(nullable=True)
    speaker_sd: Series[float] = pa.Field(nullable=True, ge=0, description="of log WER between speakers of an accent")
    speaker_condition_sd: Series[float] = pa.Field(nullable=True, ge=0, description="of a speaker between conditions")
    log_likelihood: Series[float] = pa.Field(nullable=True)
    converged: Series[bool]
    engine: Series[str]
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]
