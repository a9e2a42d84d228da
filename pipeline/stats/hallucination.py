"""Signs of invented text per accent x condition: the table of ``Hallucinations``.

*In*: scores, the signs found in each (one row a score), what was said without speech, how repeats vary. *Out*: one row
a measure and cell, and one ``ALL`` a condition. A sign is a reason to listen, not a finding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from pipeline import screening_tables, tables
from pipeline.records import Support
from pipeline.screening_tables import VERDICTS
from pipeline.stats.counts import BoolArray, IntArray
from pipeline.stats.event_rates import Kind, Layout, Rate, Voices, layout, rates
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED


class Criterion(StrEnum):
    """A sign that makes a trial a candidate."""

    MOSTLY_INSERTED = "mostly_inserted"
    LONG_INSERTION = "long_insertion"
    LONG_HYPOTHESIS = "long_hypothesis"
    REPEATED_WORDS = "repeated_words"
    COMPRESSIBLE = "compressible"
    KNOWN_PHRASE = "known_phrase"
    REPEATS_DIFFER = "repeats_differ"
    TEXT_FOR_EMPTY_REFERENCE = "text_for_empty_reference"
    TEXT_WITHOUT_SPEECH = "text_without_speech"


OF_SCORES = tuple(Criterion)[:7]
"""The criteria that a scored trial is held to."""
REPEATS_COMPARED = "repeats_compared"
INSERTION_RUN = "insertion_run"
VERDICT = "verdict"
NOTES = {
    "insertion_rate": "inserted words per reference word",
    "length_ratio": "words of the hypotheses per word of the references",
    "longest_insertion": "count: inserted words in the longest run of any trial; no interval of a maximum",
    "wer_above_one": "trials with more errors than reference words",
    Criterion.MOSTLY_INSERTED: "trials with more inserted words than reference words",
    Criterion.LONG_INSERTION: "trials with a run of inserted words of stats.hallucination.insertion_run or more",
    Criterion.LONG_HYPOTHESIS: "trials whose hypothesis is longer than stats.hallucination.length_ratio references",
    Criterion.REPEATED_WORDS: "trials with a group of words repeated in a row, as the reference does not",
    Criterion.COMPRESSIBLE: "trials whose hypothesis compresses as a loop does, and whose reference does not",
    Criterion.KNOWN_PHRASE: "trials with a listed phrase that the reference does not hold",
    Criterion.REPEATS_DIFFER: "of trials with repeats: those whose repeats differ widely at the lowest temperature",
    "candidates": "trials with any of these signs",
    "reviewed": "scored trials on which a reviewer's verdict is used; not a random sample, so no interval",
    "reviewed_hallucination": "of the reviewed trials, those a reviewer called a hallucination; no interval",
}


@dataclass(frozen=True, eq=False)
class Signs:
    """What the screen found in every transcript."""

    of_scores: pd.DataFrame
    """one row a score, under its label: ``OF_SCORES``, ``REPEATS_COMPARED``, ``INSERTION_RUN``, ``VERDICT``"""
    empty_references: pd.DataFrame
    """trials without reference words: backend, normalizer, condition, accent, has_text"""
    unused: int
    """verdicts of the reviewed file that fit no transcript of this run"""


def hallucinations(
    scores: pd.DataFrame,
    signs: Signs | None,
    nonspeech: pd.DataFrame,
    variability: pd.DataFrame,
    settings: StatsSettings,
    *,
    synthetic: bool,
    voices: Voices,
) -> pd.DataFrame:
    """Return the table of ``Hallucinations``; empty where the study does not screen (``signs`` is None).

    Every share or rate has the interval of a cell: log jackknife over speakers (statistics: 2.1). A maximum, verdicts,
    what was said without speech and for empty references have none: no speaker stands behind them, or none by chance.
    """
    rows: list[dict[str, Any]] = []
    if signs is not None:
        for (backend, normalizer), part in scores.groupby(["backend", "normalizer"], sort=True):
            own = {"backend": str(backend), "normalizer": str(normalizer), "synthetic": synthetic}
            found = signs.of_scores.loc[part.index]
            rows += [row | own for row in _study(part, found, signs.unused, settings, voices)]
        rows += [row | {"synthetic": synthetic} for row in _counted(nonspeech, signs.empty_references)]
        rows += [row | {"synthetic": synthetic} for row in _repeats(variability)]
    order = {name: place for place, name in enumerate(NOTES)}
    rows.sort(key=lambda row: (row["backend"], row["normalizer"], row["condition"], row["accent"] == POOLED,
                               row["accent"], order.get(row["measure"], len(order)), row["measure"]))  # fmt: skip
    return tables.build(rows, screening_tables.Hallucinations, where="hallucinations")


def _study(
    part: pd.DataFrame, found: pd.DataFrame, unused: int, settings: StatsSettings, voices: Voices
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one backend and normalizer."""
    of = layout(part, voices)
    trials = of.sums(1)
    heard = list(of.cells(trials))
    for name, (counts, bases, kind) in _measures(of, part, found, trials).items():
        measured = rates(of, counts, bases, confidence=settings.confidence, kind=kind)
        for accent, condition, _, _ in heard:
            yield _row(accent, condition, str(name), measured[accent, condition])
    runs = np.zeros(of.shape, dtype=np.int64)
    np.maximum.at(runs.reshape(-1), of.places, found[INSERTION_RUN].to_numpy())
    verdicts = found[VERDICT].to_numpy(dtype=object)
    reviewed, invented = of.sums(verdicts != ""), of.sums(verdicts == VERDICTS[0])
    for accent, condition, units, at in heard:
        n_trials = int(trials[units, at].sum())
        yield _plain(accent, condition, "longest_insertion", int(runs[units, at].max()), n_trials, value=False)
        if reviewed.any() or unused:
            note = NOTES["reviewed"]
            if unused and accent == POOLED:
                note += f"; {unused} verdict(s) of the file fit no transcript of this run"
            n_reviewed = int(reviewed[units, at].sum())
            yield _plain(accent, condition, "reviewed", n_reviewed, n_trials, note=note)
            count = int(invented[units, at].sum())
            yield _plain(accent, condition, "reviewed_hallucination", count, n_reviewed)


def _measures(
    of: Layout, part: pd.DataFrame, found: pd.DataFrame, trials: IntArray
) -> dict[str, tuple[IntArray, IntArray, Kind]]:
    hits, substitutions, deletions, insertions = (
        part[kind].to_numpy() for kind in ("hits", "substitutions", "deletions", "insertions")
    )
    words, share = of.sums(hits + substitutions + deletions), Kind(share=True)
    measures = {
        "insertion_rate": (of.sums(insertions), words, Kind()),
        "length_ratio": (of.sums(hits + substitutions + insertions), words, Kind(bounded=False)),
        "wer_above_one": (of.sums(insertions > hits), trials, share),  # S + D + I > H + S + D
    }
    compared = of.sums(found[REPEATS_COMPARED].to_numpy())
    for criterion in OF_SCORES:
        bases = compared if criterion is Criterion.REPEATS_DIFFER else trials
        if bases.any():
            measures[criterion] = (of.sums(found[criterion].to_numpy()), bases, share)
    measures["candidates"] = (of.sums(any_of(found)), trials, share)
    return measures


def any_of(found: pd.DataFrame) -> BoolArray:
    """Return which scores show at least one sign."""
    return np.asarray(found[list(OF_SCORES)].to_numpy(dtype=bool).any(axis=1), dtype=bool)


def _row(accent: str, condition: str, measure: str, rate: Rate) -> dict[str, Any]:
    fields = ("count", "base", "value", "ci_low", "ci_high", "n_speakers", "k_eff", "unit")
    return {field: getattr(rate, field) for field in fields} | {
        "accent": accent,
        "condition": condition,
        "measure": measure,
        "support": rate.support.value,
        "note": NOTES[measure],
    }


def _plain(
    accent: str, condition: str, measure: str, count: int, base: int, *, value: bool = True, note: str = ""
) -> dict[str, Any]:
    """Return a row without an interval."""
    return {
        "accent": accent,
        "condition": condition,
        "measure": measure,
        "count": count,
        "base": base,
        "value": count / base if value and base else None,
        "ci_low": None,
        "ci_high": None,
        "n_speakers": 0,
        "k_eff": 0.0,
        "support": (Support.INSUFFICIENT if base else Support.NO_WORDS).value,
        "unit": "utterance",
        "note": note or NOTES[measure],
    }


def _counted(nonspeech: pd.DataFrame, empty_references: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield what was said where nobody spoke, and for references without words: counts of trials."""
    for (backend, condition), group in nonspeech.groupby(["backend", "condition"], sort=True):
        texts = int((group["hypothesis"] != "").sum())
        note = "renderings without speech, of noise or of silence, with any output; words in babble may have been heard"
        row = _plain(POOLED, str(condition), Criterion.TEXT_WITHOUT_SPEECH, texts, len(group), note=note)
        yield row | {"backend": str(backend), "normalizer": ""}
    pooled = pd.concat([empty_references, empty_references.assign(accent=POOLED)])
    for key, group in pooled.groupby(["backend", "normalizer", "condition", "accent"], sort=True):
        backend, normalizer, condition, accent = map(str, key)
        note = "of trials whose reference has no words after normalization: those with words in the hypothesis"
        texts = int(group["has_text"].sum())
        row = _plain(accent, condition, Criterion.TEXT_FOR_EMPTY_REFERENCE, texts, len(group), note=note)
        yield row | {"backend": backend, "normalizer": normalizer}


def _repeats(variability: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the disagreement of repeats at the lowest temperature, as the table of variability has it."""
    lowest = variability.groupby("backend")["temperature"].transform("min")
    same = (
        "accent",
        "condition",
        "backend",
        "normalizer",
        "ci_low",
        "ci_high",
        "n_speakers",
        "k_eff",
        "support",
        "unit",
    )
    for row in tables.rows(variability[variability["temperature"] == lowest]):
        yield {name: row[name] for name in same} | {
            "measure": "repeat_disagreement",
            "count": row["pair_errors"],
            "base": row["pair_words"],
            "value": row["disagreement"],
            "note": f"words in which two repeats of a trial differ, per word, at temperature {row['temperature']:g}",
        }
