"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables


class Intersections(tables._Table):
    """WER of one group within an accent, such as its women, against the rest of that accent, under one condition.

    ``crossing`` and ``group`` are JSON: the names that were crossed, and the group's value of each beside the accent
    (null: not stated). A group too thin to be compared is rolled up: the ``rolled_up_`` columns hold the WER of the
    wider group that stands in for it.
    """

    accent: Series[str]
    crossing: Series[str]
    group: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers")
    n_utterances: Series[int] = pa.Field(ge=0)
    n_ref_words: Series[int] = pa.Field(ge=0)
    errors: Series[int] = pa.Field(ge=0)
    wer: Series[float] = pa.Field(nullable=True, ge=0)
    ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    support: Series[str] = pa.Field(isin=["ok", "thin", "insufficient", "zero_errors", "no_words"])
    unit: Series[str] = pa.Field(isin=["speaker", "utterance"], description="what the interval takes as independent")
    compared: Series[bool] = pa.Field(description="at or above the floor of speakers, and so is the rest of the accent")
    rest_n_speakers: Series[int] = pa.Field(ge=0, description="named, with words in the rest of the accent")
    rest_n_ref_words: Series[int] = pa.Field(ge=0)
    rest_wer: Series[float] = pa.Field(nullable=True, ge=0)
    gap: Series[float] = pa.Field(nullable=True, description="WER less that of the rest of the accent")
    gap_ci_low: Series[float] = pa.Field(nullable=True, description="pointwise")
    gap_ci_high: Series[float] = pa.Field(nullable=True)
    ratio: Series[float] = pa.Field(nullable=True, ge=0)
    ratio_ci_low: Series[float] = pa.Field(nullable=True, description="pointwise")
    ratio_ci_high: Series[float] = pa.Field(nullable=True)
    statistic: Series[float] = pa.Field(nullable=True, description="of the log ratio: Holm T, max-T its normal deviate")
    p_adjusted: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="over every comparison of the study")
    adjustment: Series[str] = pa.Field(description="how p was adjusted, and over how many comparisons")
    rolled_up_to: Series[str] = pa.Field(description="the wider group that stands in for a thin one; empty: none does")
    rolled_up_n_speakers: Series[int] = pa.Field(ge=0)
    rolled_up_wer: Series[float] = pa.Field(nullable=True, ge=0)
    rolled_up_ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    rolled_up_ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "crossing", "group", "condition", "backend", "normalizer"]


RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "intersections": Intersections,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
