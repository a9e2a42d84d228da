"""Recall and false insertions of the terms that matter, per accent x condition: the table of ``Terms``.

*In*: scores and the terms found in them. *Out*: one row a cell over all terms, and one a term and condition over all
accents. Occurrences add up and are divided last; the speaker is the unit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import screening_tables, tables
from pipeline.screening_tables import EMPTIED, UNSAID
from pipeline.stats.counts import IntArray
from pipeline.stats.rates import Kind, Layout, Rate, Voices, layout, rates
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED

SOME_EMPTIED = "left out, because normalization leaves nothing of them: "


@dataclass(frozen=True, eq=False)
class FoundTerms:
    """How often the terms of a list were said, found and invented in every score."""

    counts: pd.DataFrame
    """one row a score and term: row (the score's label), term, said, found, false"""
    terms: tuple[str, ...]
    emptied: Mapping[str, frozenset[str]]
    """by normalizer: the terms of which it leaves nothing"""


def term_table(
    scores: pd.DataFrame, found: FoundTerms | None, settings: StatsSettings, *, synthetic: bool, voices: Voices
) -> pd.DataFrame:
    """Return the table of ``Terms``; empty where the study lists none (``found`` is None).

    The interval of recall is that of the missed share, by the log jackknife over speakers (statistics: 2.1), taken from
    1: a recall lies near 1, where a logarithm says nothing of it.
    """
    rows: list[dict[str, Any]] = []
    if found is not None:
        counted = found.counts.set_index("row")
        for (backend, normalizer), part in scores.groupby(["backend", "normalizer"], sort=True):
            own = counted.loc[counted.index.intersection(part.index)].sort_index()
            at = part.index.get_indexer(own.index).astype(np.int64)
            emptied = found.emptied.get(str(normalizer), frozenset())
            labels = {"backend": str(backend), "normalizer": str(normalizer), "synthetic": synthetic}
            rows += [row | labels for row in _study(part, own, at, found.terms, emptied, settings, voices)]
    return tables.build(rows, screening_tables.Terms, where="terms")


def _study(
    part: pd.DataFrame,
    own: pd.DataFrame,
    at: IntArray,
    terms: tuple[str, ...],
    emptied: frozenset[str],
    settings: StatsSettings,
    voices: Voices,
) -> Iterator[dict[str, Any]]:
    of = layout(part, voices)
    trials = of.sums(1)
    words = of.sums((part["hits"] + part["substitutions"] + part["deletions"]).to_numpy())
    note = SOME_EMPTIED + ", ".join(sorted(emptied)) if emptied else ""
    yield from _rows(of, trials, words, own, at, settings, term="", note=note)
    names = own["term"].to_numpy(dtype=object)
    for term in sorted(terms):
        mine = np.flatnonzero(names == term)
        why = EMPTIED if term in emptied else ""
        yield from _rows(of, trials, words, own.iloc[mine], at[mine], settings, term=term, note=why)


def _rows(
    of: Layout,
    trials: IntArray,
    words: IntArray,
    own: pd.DataFrame,
    at: IntArray,
    settings: StatsSettings,
    *,
    term: str,
    note: str,
) -> Iterator[dict[str, Any]]:
    said, found, false = (of.sums(own[name].to_numpy(), at) for name in ("said", "found", "false"))
    recall, invented = (
        rates(of, counts, bases, confidence=settings.confidence, kind=kind, pooled_only=bool(term))
        for counts, bases, kind in ((found, said, Kind(of_rest=True)), (false, words, Kind()))
    )
    for accent, condition, units, column in of.cells(trials):
        if not term or accent == POOLED:
            key = (accent, condition)
            n_trials = int(trials[units, column].sum())
            why = note or (UNSAID if term and not recall[key].base else "")
            yield _row(key, term, recall[key], invented[key], n_trials) | {"note": why}


def _row(key: tuple[str, str], term: str, recall: Rate, invented: Rate, n_trials: int) -> dict[str, Any]:
    return {
        "term": term,
        "accent": key[0],
        "condition": key[1],
        "n_trials": n_trials,
        "n_said": recall.base,
        "n_found": recall.count,
        "recall": recall.value,
        "recall_ci_low": recall.ci_low,
        "recall_ci_high": recall.ci_high,
        "recall_support": recall.support.value,
        "n_speakers": recall.n_speakers,
        "k_eff": recall.k_eff,
        "n_ref_words": invented.base,
        "n_false": invented.count,
        "false_rate": invented.value,
        "false_ci_low": invented.ci_low,
        "false_ci_high": invented.ci_high,
        "false_support": invented.support.value,
        "unit": invented.unit,
    }
