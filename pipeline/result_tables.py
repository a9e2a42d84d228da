"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables


class Comparisons(tables._Table):
    """One condition against the reference condition on the utterances scored under both; ``ALL`` pools every accent."""

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0, description="named")
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers, or of voices in ALL")
    n_utterances: Series[int] = pa.Field(ge=0)
    n_ref_words: Series[int] = pa.Field(ge=0)
    errors_reference: Series[int] = pa.Field(ge=0, description="under the reference condition")
    errors: Series[int] = pa.Field(ge=0)
    wer_reference: Series[float] = pa.Field(nullable=True, ge=0)
    wer: Series[float] = pa.Field(nullable=True, ge=0)
    difference: Series[float] = pa.Field(nullable=True, description="wer less wer_reference, as a fraction")
    ci_low: Series[float] = pa.Field(nullable=True, description="of the difference: jackknife over speakers")
    ci_high: Series[float] = pa.Field(nullable=True)
    ratio: Series[float] = pa.Field(nullable=True, ge=0, description="wer over wer_reference")
    p: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="primary: sign flips of speakers' differences")
    p_adjusted: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="Holm over the n_family p-values")
    n_family: Series[int] = pa.Field(ge=0, description="p-values of this backend and normalizer")
    n_segments: Series[int] = pa.Field(ge=0, description="of MAPSSWE: stretches with an error under either condition")
    mapsswe_z: Series[float] = pa.Field(nullable=True, description="customary; takes segments as independent")
    mapsswe_p: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="customary, not adjusted")
    unit: Series[str] = pa.Field(isin=["speaker", "utterance"])
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


class Adjusted(tables._Table):
    """The gap of one accent to a reference or to the rest, raw and freed from what was read, by method."""

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    method: Series[str] = pa.Field(isin=["raw", "two_way", "shared_texts", "standardized"])
    n_speakers: Series[int] = pa.Field(ge=0, description="of this accent, behind this row")
    n_ref_words: Series[int] = pa.Field(ge=0)
    n_texts: Series[int] = pa.Field(ge=0, description="different normalized references")
    kept_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="of the accent's words, in this row")
    text_overlap: Series[float] = pa.Field(nullable=True, ge=0, le=1.000001, description="with the other side")
    gap: Series[float] = pa.Field(nullable=True, description="difference of WER, as a fraction")
    gap_ci_low: Series[float] = pa.Field(nullable=True, description="pointwise")
    gap_ci_high: Series[float] = pa.Field(nullable=True)
    ratio: Series[float] = pa.Field(nullable=True, ge=0)
    ratio_ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    ratio_ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    strata_missing: Series[str] = pa.Field(description="strata that this accent lacks, or hardly has")
    confounded: Series[bool] = pa.Field(description="texts differ, and nothing here can tell accent from content")
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer", "method"]


RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "comparisons": Comparisons,
    "adjusted": Adjusted,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
