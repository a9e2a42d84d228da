"""WER per accent x condition x backend x normalizer, with what the speakers behind it allow to say.

*In*: scores. *Out*: cells, one a group and one ``ALL`` a condition. Definitions and refusals: statistics 1, 2.1, 2.4.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import ErrorCounts, Interval, Support
from pipeline.stats import second_intervals
from pipeline.stats.bootstrap import bootstrap
from pipeline.stats.counts import (
    KINDS,
    MIN_K_EFF,
    BoolArray,
    IntArray,
    Tallies,
    Tally,
    effective_speakers,
    is_ranked,
    tallies,
)
from pipeline.stats.jackknife import MAX_FOLD, log_interval, log_variance
from pipeline.stats.second_intervals import Spread
from pipeline.stats.settings import StatsSettings

OK_K_EFF = 10.0
"""From this effective number of speakers on an interval carries no warning."""
ZERO_ERROR_K_EFF = 5.0
"""Effective speakers needed for an upper bound on a WER of zero."""
RULE_OF_THREE = 3.0
"""Upper 95% limit of a Poisson mean of which zero events were seen (statistics: 2.4)."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell before its row: units with reference words (arrays of length k) and the sums over them."""

    accent: str
    condition: str
    errors: IntArray
    words: IntArray
    counts: ErrorCounts
    n_utterances: int
    n_speakers: int
    all_named: bool
    k_eff: float
    log_variance: float


def cells(
    scores: pd.DataFrame,
    settings: StatsSettings,
    *,
    synthetic: bool,
    voices: Mapping[tuple[str, str], str] | None = None,
    counted: Tallies | None = None,
) -> pd.DataFrame:
    """Return the table of cells; ``counted`` are the ``tallies`` of the scores where they are at hand.

    WER is sum of errors / sum of reference words, never capped. The interval is the log-WER jackknife over speakers, t
    with k_eff - 1 degrees of freedom. In the ``ALL`` rows speakers of every accent are pooled as they come, so accents
    with more words weigh more; where one voice appears in several accents (``voices``: of each accent and speaker),
    its speakers are one cluster there, or the pooled interval would be too narrow. ``n_speakers`` counts named speakers
    with reference words; where a speaker has no name the utterance is the unit, ``unit`` says so, and the interval is
    then too narrow by an unknown amount.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, counts in tallies(scores) if counted is None else counted:
        every = _of_tally(counts, voices or {})
        drawn, lent = bootstrap(counts, voices or {}, settings, backend, normalizer), _lent(every, settings.confidence)
        design_effect = _design_effect(every)
        for cell in every:
            at = (cell.accent, cell.condition)
            row = _row(cell, design_effect, settings) | second_intervals.columns(lent.get(at), drawn.get(at))
            rows.append(row | {"backend": backend, "normalizer": normalizer, "synthetic": synthetic})
    return tables.build(rows, tables.Cells, where="cells")


def _of_tally(counts: Tally, voices: Mapping[tuple[str, str], str]) -> list[_Cell]:
    found = []
    groups = [*((accent, counts.members([accent])) for accent in counts.accents)]
    groups.append((tables.POOLED, counts.members(counts.accents)))
    for accent, members in groups:
        for column, condition in enumerate(counts.conditions):
            if counts.rows[members, column].any():
                worded = members & (counts.words[:, column] > 0)
                found.append(_cell(counts, accent, condition, members=worded, voices=voices))
    return found


def _cell(
    counts: Tally, accent: str, condition: str, *, members: BoolArray, voices: Mapping[tuple[str, str], str]
) -> _Cell:
    column = counts.conditions.index(condition)
    places = np.flatnonzero(members)
    shared = [voices.get((counts.units[place].accent, counts.units[place].name), f"\0{place}") for place in places]
    # within one accent a voice is one speaker, and this changes nothing
    clusters = np.unique(shared, return_inverse=True)[1]
    cluster_errors = np.bincount(clusters, weights=counts.errors[members, column]).astype(np.int64)
    cluster_words = np.bincount(clusters, weights=counts.words[members, column]).astype(np.int64)
    errors, words = counts.errors[members, column], counts.words[members, column]
    named = [counts.units[place].named for place in places]
    return _Cell(
        accent=accent,
        condition=condition,
        errors=errors,
        words=words,
        counts=ErrorCounts(**{kind: int(counts.counts[kind][members, column].sum()) for kind in KINDS}),
        n_utterances=int(counts.utterances[members, column].sum()),
        n_speakers=sum(named),
        all_named=all(named),
        k_eff=effective_speakers(cluster_words),
        log_variance=log_variance(cluster_errors, cluster_words),
    )


def _design_effect(every: list[_Cell]) -> float:
    """Return the pooled speaker-over-Poisson factor of log WER of the accents' cells; NaN if no cell has one.

    A cell's factor is its jackknife variance over the Poisson variance 1/E. Cells are weighted by k_eff - 1. Never
    below 1: the bound it serves is not to be narrower than independent words would make it.
    """
    usable = [cell for cell in every if cell.accent != tables.POOLED and cell.log_variance >= 0]
    degrees = sum(cell.k_eff - 1 for cell in usable)
    if not degrees > 0:
        return math.nan
    weighted = sum((cell.k_eff - 1) * cell.log_variance * cell.counts.errors for cell in usable)
    return max(1.0, weighted / degrees)


def _lent(every: list[_Cell], confidence: float) -> dict[tuple[str, str], Interval]:
    """Return the intervals with a borrowed variance; the accents under one condition lend each other theirs."""
    found: dict[tuple[str, str], Interval] = {}
    for condition in {cell.condition for cell in every}:
        chosen = [one for one in every if one.condition == condition and one.accent != tables.POOLED]
        spreads = {one.accent: Spread(one.counts.wer, one.log_variance, one.k_eff) for one in chosen if one.counts.wer}
        lent = second_intervals.borrowed_intervals(spreads, confidence=confidence)
        found |= {(accent, condition): interval for accent, interval in lent.items()}
    return found


def _support(cell: _Cell, design_effect: float, confidence: float) -> tuple[Support, Interval | None]:
    if not cell.counts.ref_words:
        return Support.NO_WORDS, None
    if not cell.counts.errors:
        return Support.ZERO_ERRORS, _zero_error_bound(cell, design_effect, confidence)
    if cell.k_eff < MIN_K_EFF or not cell.log_variance > 0:
        # speakers who all err alike tell nothing of how others would: a zero-width interval would claim certainty
        return Support.INSUFFICIENT, None
    wer = cell.counts.errors / cell.counts.ref_words
    found = log_interval(wer, cell.log_variance, cell.k_eff - 1, confidence=confidence)
    if found is None or found.high > MAX_FOLD * found.low:
        return Support.INSUFFICIENT, None
    return (Support.OK if cell.k_eff >= OK_K_EFF else Support.THIN), found


def _zero_error_bound(cell: _Cell, design_effect: float, confidence: float) -> Interval | None:
    """Return [0, 3.0 * DEFF / N], one-sided, or None where too few speakers or no other cell can carry it."""
    if cell.k_eff < ZERO_ERROR_K_EFF or math.isnan(design_effect):
        return None
    # -log(1 - confidence) is the Poisson limit at any level; 3.0 is its customary rounding at 95%
    limit = RULE_OF_THREE * math.log1p(-confidence) / math.log(0.05)
    return Interval(0.0, limit * design_effect / cell.counts.ref_words)


def _row(cell: _Cell, design_effect: float, settings: StatsSettings) -> dict[str, Any]:
    support, found = _support(cell, design_effect, settings.confidence)
    pooled = cell.accent == tables.POOLED
    return {
        "accent": cell.accent,
        "condition": cell.condition,
        "n_speakers": cell.n_speakers,
        "k_eff": cell.k_eff,
        "n_utterances": cell.n_utterances,
        "n_ref_words": cell.counts.ref_words,
        **{kind: getattr(cell.counts, kind) for kind in KINDS},
        "wer": cell.counts.wer,
        "ci_low": found.low if found else None,
        "ci_high": found.high if found else None,
        "speaker_mean_wer": float(np.mean(cell.errors / cell.words)) if len(cell.words) else None,
        "f1": cell.counts.f1,
        "support": support.value,
        "unit": "speaker" if cell.all_named else "utterance",
        "ranked": not pooled and is_ranked(cell.words, all_named=cell.all_named, min_speakers=settings.min_speakers),
    }
