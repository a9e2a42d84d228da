"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import screening_tables, tables
from pipeline.regression_table import Regressions

SUMMARY = "what_changes"
"""In ``Sensitivity``, the measure of the row, one a backend, that names what is not the same under all normalizers."""
BOOTSTRAP_SPEAKERS = 30
"""In ``Cells``, a cell with fewer speakers has no bootstrap interval (statistics: 2)."""


class Rates(tables._Table):
    """Every rate of a cell beside its WER, from sums over the cell; ``accent`` is ``ALL`` where all are pooled.

    A trial that failed or could not be rendered, and one whose reference has no words, is in the counts at the end and
    in nothing else. A transcript that was not delivered and counts as all deletions is in everything.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    n_utterances: Series[int] = pa.Field(ge=0, description="with reference words, scored")
    n_ref_words: Series[int] = pa.Field(ge=0)
    n_hyp_words: Series[int] = pa.Field(ge=0)
    wer: Series[float] = pa.Field(nullable=True, ge=0)
    substitution_rate: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    deletion_rate: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    insertion_rate: Series[float] = pa.Field(nullable=True, ge=0)
    precision: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="missing where nothing was heard")
    recall: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    f1: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="0 where nothing was heard")
    mer: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="match error rate")
    wil: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="word information lost")
    n_ref_characters: Series[int] = pa.Field(ge=0, description="spaces between words included")
    character_errors: Series[int] = pa.Field(ge=0)
    cer: Series[float] = pa.Field(nullable=True, ge=0)
    capped_errors: Series[int] = pa.Field(ge=0, description="no utterance with more errors than reference words")
    capped_wer: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="sensitivity, not the WER")
    n_above_one: Series[int] = pa.Field(ge=0, description="utterances with a WER above 1")
    n_mostly_inserted: Series[int] = pa.Field(ge=0, description="utterances with more insertions than reference words")
    mostly_inserted_share: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    n_empty_hypotheses: Series[int] = pa.Field(ge=0, description="scored as all deletions")
    n_not_delivered: Series[int] = pa.Field(ge=0, description="of these, transcripts that were not there")
    n_failed: Series[int] = pa.Field(ge=0, description="transcription failed: missing data, in no rate")
    n_unrendered: Series[int] = pa.Field(ge=0, description="could not be rendered: missing data, in no rate")
    n_no_reference_words: Series[int] = pa.Field(
        ge=0, description="utterances heard without a reference word, in no rate"
    )
    no_reference_inserted_words: Series[int] = pa.Field(
        ge=0, description="words heard in these: insertions on non-speech"
    )
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


class Sensitivity(tables._Table):
    """One conclusion under one normalizer, and whether it is the same under all normalizers of the run.

    ``accent`` and ``condition`` are empty where the conclusion is about all of them. The row with the measure
    ``what_changes``, one a backend, has no normalizer: its value counts what changes, and its conclusion names it.
    """

    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    measure: Series[str]
    accent: Series[str]
    value: Series[float] = pa.Field(nullable=True, description="the number behind it: a place, a gap, a p")
    conclusion: Series[str]
    changes: Series[bool] = pa.Field(description="another normalizer of the run leads to another conclusion")
    synthetic: Series[bool]

    class Config:
        unique = ["condition", "backend", "normalizer", "measure", "accent"]


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
    "rates": Rates,
    "standings": Standings,
    "detectable": Detectable,
    "snr_shifts": SnrShifts,
    "comparisons": Comparisons,
    "adjusted": Adjusted,
    "intersections": Intersections,
    "hallucinations": screening_tables.Hallucinations,
    "candidates": screening_tables.Candidates,
    "terms": screening_tables.Terms,
    "tag_errors": screening_tables.TagErrors,
    "regressions": Regressions,
    "sensitivity": Sensitivity,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
