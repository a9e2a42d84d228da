"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables
from pipeline.regression_table import Regressions


class Standings(tables._Table):
    """Where one accent stands under one condition: its WER, raw and shrunken, its place, its distance to the reference.

    Accents that may not be ranked have only counts, WER and a note.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers")
    n_ref_words: Series[int] = pa.Field(ge=0)
    wer: Series[float] = pa.Field(nullable=True, ge=0)
    ranked: Series[bool]
    shrunken_wer: Series[float] = pa.Field(nullable=True, ge=0, description="posterior median of the model")
    shrunken_low: Series[float] = pa.Field(nullable=True, ge=0)
    shrunken_high: Series[float] = pa.Field(nullable=True, ge=0)
    p_worst: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="probability in the model")
    p_best: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    against: Series[str] = pa.Field(description="the reference accent, or 'rest': the others, equally weighted")
    log_ratio: Series[float] = pa.Field(nullable=True)
    ratio: Series[float] = pa.Field(nullable=True, ge=0, description="WER divided by that of ``against``")
    ratio_low: Series[float] = pa.Field(nullable=True, ge=0, description="1 - 2 equivalence_level interval")
    ratio_high: Series[float] = pa.Field(nullable=True, ge=0)
    p_equivalent: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="two one-sided tests, the larger p")
    p_worse_holm: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="of 'the ratio is at most the margin', Holm over the condition's accents"
    )
    verdict: Series[str] = pa.Field(isin=["equivalent", "worse", "better", "inconclusive", ""])
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "regressions": Regressions,
    "standings": Standings,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
