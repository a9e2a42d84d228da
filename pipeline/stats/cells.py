"""WER per accent x condition x backend x normalizer, with what the speakers behind it allow to say.

*In*: scores. *Out*: cells, one a group and one ``ALL`` a condition. Definitions and refusals: statistics 1, 2.1, 2.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import ErrorCounts, Interval
from pipeline.stats import second_intervals
from pipeline.stats.bootstrap import bootstrap
from pipeline.stats.counts import (
    KINDS,
    BoolArray,
    IntArray,
    Tallies,
    Tally,
    effective_speakers,
    is_ranked,
    tallies,
)
from pipeline.stats.jackknife import log_variance
from pipeline.stats.second_intervals import Spread
from pipeline.stats.settings import StatsSettings
from pipeline.stats.supported import Sampled, design_effect, supported


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
    sampled: Sampled


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
        effect = design_effect(cell.sampled for cell in every if cell.accent != tables.POOLED)
        for cell in every:
            at = (cell.accent, cell.condition)
            row = _row(cell, effect, settings) | second_intervals.columns(lent.get(at), drawn.get(at))
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
        sampled=Sampled(
            int(errors.sum()),
            int(words.sum()),
            effective_speakers(cluster_words),
            log_variance(cluster_errors, cluster_words),
        ),
    )


def _lent(every: list[_Cell], confidence: float) -> dict[tuple[str, str], Interval]:
    """Return the intervals with a borrowed variance; the accents under one condition lend each other theirs."""
    found: dict[tuple[str, str], Interval] = {}
    for condition in {cell.condition for cell in every}:
        chosen = [one for one in every if one.condition == condition and one.accent != tables.POOLED]
        spreads = {
            one.accent: Spread(one.counts.wer, one.sampled.log_variance, one.sampled.k_eff)
            for one in chosen
            if one.counts.wer
        }
        lent = second_intervals.borrowed_intervals(spreads, confidence=confidence)
        found |= {(accent, condition): interval for accent, interval in lent.items()}
    return found


def _row(cell: _Cell, effect: float, settings: StatsSettings) -> dict[str, Any]:
    support, found = supported(cell.sampled, effect, settings.confidence)
    pooled = cell.accent == tables.POOLED
    return {
        "accent": cell.accent,
        "condition": cell.condition,
        "n_speakers": cell.n_speakers,
        "k_eff": cell.sampled.k_eff,
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
