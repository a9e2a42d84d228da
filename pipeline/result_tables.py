"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables


class Plan(tables._Table):
    """What one accent under one condition could show, and what more it would take. Made by the stage ``plan``.

    ``question`` is ``disparity`` (WER against the other accents, or the reference accent ``against``) or
    ``interaction`` (what the condition does beyond what it does to the others). ``sigma`` and ``phi`` are those of the
    question: of log WER, or of the log change.
    """

    question: Series[str] = pa.Field(isin=["disparity", "interaction"])
    accent: Series[str]
    condition: Series[str]
    against: Series[str] = pa.Field(description="the reference accent; empty: the other accents")
    n_speakers: Series[int] = pa.Field(ge=0, description="named, with reference words")
    k_eff: Series[float] = pa.Field(ge=0)
    n_utterances: Series[int] = pa.Field(ge=0)
    n_ref_words: Series[int] = pa.Field(ge=0)
    words_per_speaker: Series[float] = pa.Field(nullable=True, gt=0)
    wer: Series[float] = pa.Field(gt=0, description="assumed, or that of the run")
    sigma: Series[float] = pa.Field(ge=0)
    phi: Series[float] = pa.Field(ge=0)
    alpha: Series[float] = pa.Field(gt=0, lt=1, description="of this cell, after the correction for all of them")
    power: Series[float] = pa.Field(gt=0, lt=1)
    detectable_ratio: Series[float] = pa.Field(nullable=True, ge=1)
    ratio: Series[float] = pa.Field(gt=1, description="asked for")
    extra_speakers: Series[float] = pa.Field(
        nullable=True, ge=0, description="of this accent alone, others as they are"
    )
    speakers_each: Series[float] = pa.Field(nullable=True, ge=1, description="of this and one other accent, in all")
    basis: Series[str]
    note: Series[str]

    class Config:
        unique = ["question", "accent", "condition"]


class SnrShifts(tables._Table):
    """By how many dB of SNR one accent is behind the others at equal WER, in one noise that was run at several SNRs.

    Positive: the noise must be so much weaker for this accent to have the others' WER.
    """

    accent: Series[str]
    noise: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    conditions: Series[str] = pa.Field(description="the ladder, lowest SNR first")
    n_snrs: Series[int] = pa.Field(ge=1)
    snr_low_db: Series[float]
    snr_high_db: Series[float]
    n_speakers: Series[int] = pa.Field(ge=0, description="named, heard at every SNR")
    n_ref_words: Series[int] = pa.Field(ge=0, description="at each SNR")
    shift_db: Series[float] = pa.Field(nullable=True)
    ci_low_db: Series[float] = pa.Field(nullable=True, description="pointwise")
    ci_high_db: Series[float] = pa.Field(nullable=True)
    wer_low: Series[float] = pa.Field(nullable=True, gt=0, description="the band of WERs that both curves pass through")
    wer_high: Series[float] = pa.Field(nullable=True, gt=0)
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "noise", "backend", "normalizer"]


class Detectable(tables._Table):
    """Which ratio of WERs this study would have shown, accent against the others (or the reference accent).

    From the observed scatter of its speakers, with power .8, two-sided. What is smaller may be there unseen.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    against: Series[str] = pa.Field(description="the reference accent; empty: the other accents")
    n_speakers: Series[int] = pa.Field(ge=0)
    log_error: Series[float] = pa.Field(nullable=True, ge=0, description="standard error of the log ratio")
    degrees: Series[float] = pa.Field(nullable=True, gt=0)
    detectable_ratio: Series[float] = pa.Field(nullable=True, ge=1, description="in this cell alone")
    n_cells: Series[int] = pa.Field(ge=0, description="accents x conditions that are compared")
    detectable_ratio_holm: Series[float] = pa.Field(nullable=True, ge=1, description="with alpha / n_cells")
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "detectable": Detectable,
    "snr_shifts": SnrShifts,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
