"""How much a recognizer that samples varies: words in which repeats of one trial differ, per accent x condition.

*In*: repeated trials with their counts. *Out*: Variability, one row a temperature and cell and one ``ALL`` a condition.
Errors and words of all pairs of repeats add up and are divided last, as in a cell, and the speaker is the unit, so the
interval is the cells' own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.records import ErrorCounts, Support
from pipeline.stats.cells import cells
from pipeline.stats.counts import KINDS
from pipeline.stats.settings import StatsSettings

FEWEST = 2
"""Repeats without which a trial says nothing of how much they vary."""

Key = tuple[str, str, str, str]
"""Accent, condition, backend, normalizer."""


@dataclass(frozen=True, slots=True)
class RepeatedTrial:
    """A scored trial and its repeats at one temperature, under one normalizer; possibly too few to be compared."""

    utterance_id: str
    condition: str
    backend: str
    normalizer: str
    speaker_id: str | None
    accent: str
    temperature: float
    n_repeats: int
    alike: bool
    """the repeats all have the same normalized text"""
    between: ErrorCounts
    """of repeats aligned with each other, each once as reference and once as hypothesis of every pair"""
    repeated: ErrorCounts
    """of the repeats against the trial's reference"""
    scored: ErrorCounts
    """of the transcript that is scored against the trial's reference"""


def variability(
    trials: Sequence[RepeatedTrial],
    settings: StatsSettings,
    *,
    synthetic: bool,
    voices: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Return the table of variability; empty where nothing was repeated.

    The interval of ``disagreement`` is that of a cell's WER: log jackknife over speakers, voices as clusters in the
    ``ALL`` rows, none where too few speakers stand behind it (statistics: 2.1, 2.4). Where no pair differs there is no
    upper bound either: the cells' rule of three counts independent words, and here a word counts in several pairs.
    """
    rows = []
    settings = settings.model_copy(update={"bootstrap": 0})
    for temperature in sorted({trial.temperature for trial in trials}):
        drawn = [trial for trial in trials if trial.temperature == temperature]
        groups = _groups(drawn)
        for cell in tables.rows(cells(_pairs(drawn), settings, synthetic=synthetic, voices=voices)):
            key = (cell["accent"], cell["condition"], cell["backend"], cell["normalizer"])
            rows.append(_row(cell, groups[key]) | {"temperature": temperature})
    return tables.build(rows, tables.Variability, where="variability")


def _groups(trials: Iterable[RepeatedTrial]) -> dict[Key, list[RepeatedTrial]]:
    groups: dict[Key, list[RepeatedTrial]] = defaultdict(list)
    for trial in trials:
        for accent in (trial.accent, tables.POOLED):
            groups[accent, trial.condition, trial.backend, trial.normalizer].append(trial)
    return groups


def _pairs(trials: Iterable[RepeatedTrial]) -> pd.DataFrame:
    """Return the pairs as scores whose reference is a repeat; a trial that is not compared adds a row of zeros."""
    rows = [
        {
            "utterance_id": trial.utterance_id,
            "condition": trial.condition,
            "backend": trial.backend,
            "normalizer": trial.normalizer,
            "speaker_id": trial.speaker_id,
            "accent": trial.accent,
            **{kind: getattr(trial.between, kind) for kind in KINDS},
            "normalized_reference": "",
            "normalized_hypothesis": "",
        }
        for trial in trials
    ]
    return tables.build(rows, tables.Scores, where="variability")


def _row(cell: Mapping[str, Any], group: Sequence[RepeatedTrial]) -> dict[str, Any]:
    compared = [trial for trial in group if trial.n_repeats >= FEWEST]
    repeated = sum((trial.repeated for trial in compared), ErrorCounts.zero())
    scored = sum((trial.scored for trial in compared), ErrorCounts.zero())
    same = ("accent", "condition", "backend", "normalizer", "n_speakers", "k_eff", "support", "unit", "synthetic")
    bounded = cell["support"] != Support.ZERO_ERRORS
    return {name: cell[name] for name in same} | {
        "n_trials": len(compared),
        "n_left_out": len(group) - len(compared),
        "n_repeats": sum(trial.n_repeats for trial in compared),
        "n_alike": sum(trial.alike for trial in compared),
        "n_ref_words": scored.ref_words,
        "pair_words": cell["n_ref_words"],
        "pair_errors": cell["substitutions"] + cell["deletions"] + cell["insertions"],
        "disagreement": cell["wer"],
        "ci_low": cell["ci_low"] if bounded else None,
        "ci_high": cell["ci_high"] if bounded else None,
        "repeat_ref_words": repeated.ref_words,
        "repeat_errors": repeated.errors,
        "repeat_wer": repeated.wer,
        "scored_errors": scored.errors,
        "scored_wer": scored.wer,
    }
