"""Errors by tag of the reference word, per accent x condition: the table of ``TagErrors``.

*In*: scores and what became of their tagged words. *Out*: one row a tag and cell, and one ``ALL`` a tag and condition.
Words add up and are divided last; the speaker is the unit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import screening_tables, tables
from pipeline.stats.counts import IntArray
from pipeline.stats.event_rates import Kind, Layout, Voices, layout, rates
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED

NOTE = "errors on the tagged words only: an inserted word stands on no reference word and is left out"
UNPLACED = "{count} tag(s) fit no word of the normalized reference"
UNSCORED = "{count} tag(s) of the file are of utterances without a score"


@dataclass(frozen=True, eq=False)
class TaggedErrors:
    """What became of the tagged words of every score."""

    counts: pd.DataFrame
    """one row a score and tag: row (the score's label), tag, hits, substitutions, deletions, unplaced"""
    tags: tuple[str, ...]
    unscored: Mapping[str, int]
    """by tag: those of utterances that have no score"""


def tag_errors(
    scores: pd.DataFrame, found: TaggedErrors | None, settings: StatsSettings, *, synthetic: bool, voices: Voices
) -> pd.DataFrame:
    """Return the table of ``TagErrors``; empty where the study has no tags (``found`` is None).

    The interval is the log jackknife over speakers (statistics: 2.1), ending at 1.
    """
    rows: list[dict[str, Any]] = []
    if found is not None:
        counted = found.counts.set_index("row")
        for (backend, normalizer), part in scores.groupby(["backend", "normalizer"], sort=True):
            own = counted.loc[counted.index.intersection(part.index)].sort_index()
            at = part.index.get_indexer(own.index).astype(np.int64)
            names = own["tag"].to_numpy(dtype=object)
            of = layout(part, voices)
            labels = {"backend": str(backend), "normalizer": str(normalizer), "synthetic": synthetic}
            for tag in found.tags:
                mine, left = np.flatnonzero(names == tag), found.unscored.get(tag, 0)
                each = _rows(of, own.iloc[mine], at[mine], settings, unscored=left)
                rows += [row | labels | {"tag": tag} for row in each]
    return tables.build(rows, screening_tables.TagErrors, where="tag_errors")


def _rows(
    of: Layout, own: pd.DataFrame, at: IntArray, settings: StatsSettings, *, unscored: int
) -> Iterator[dict[str, Any]]:
    kinds = {name: of.sums(own[name].to_numpy(), at) for name in ("hits", "substitutions", "deletions", "unplaced")}
    errors = kinds["substitutions"] + kinds["deletions"]
    measured = rates(of, errors, errors + kinds["hits"], confidence=settings.confidence, kind=Kind(share=True))
    for accent, condition, units, column in of.cells(of.sums(1)):
        rate = measured[accent, condition]
        sums = {name: int(values[units, column].sum()) for name, values in kinds.items()}
        notes = [NOTE]
        if sums["unplaced"]:
            notes.append(UNPLACED.format(count=sums["unplaced"]))
        if unscored and accent == POOLED:
            notes.append(UNSCORED.format(count=unscored))
        yield {
            "accent": accent,
            "condition": condition,
            "n_speakers": rate.n_speakers,
            "k_eff": rate.k_eff,
            "n_words": rate.base,
            **{name: sums[name] for name in ("hits", "substitutions", "deletions")},
            "error_rate": rate.value,
            "ci_low": rate.ci_low,
            "ci_high": rate.ci_high,
            "support": rate.support.value,
            "unit": rate.unit,
            "n_unplaced": sums["unplaced"],
            "note": "; ".join(notes),
        }
