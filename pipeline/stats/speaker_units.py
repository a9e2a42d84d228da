"""From utterances to what is independent: one row a speaker, with what the corpus declares and what was measured.

An attribute that is stated differently within one speaker is missing there and counted; a speaker's measure is the
median of its recordings. Where nobody is named, the utterance stands in, and nothing is tested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import FloatArray

FEWEST_NUMBERS = 6
"""Distinct values that make a column of numbers a scale; fewer are codes, and counted as categories."""
BANDS = 3
"""A scale is cut into so many bands to count who is there."""


@dataclass(frozen=True, eq=False)
class Units:
    """Speakers (or utterances): ``accent``, the attributes as text, the measures as numbers; sorted."""

    table: pd.DataFrame
    unit: str
    attributes: tuple[str, ...]
    measures: tuple[str, ...]
    n_mixed: Mapping[str, int]

    def numbers(self, name: str) -> FloatArray | None:
        """Return a column as numbers (NaN: not stated), or None where it holds categories."""
        if name in self.measures:
            return self.table[name].to_numpy(dtype=np.float64)
        return scale(self.table[name])


def scale(column: pd.Series) -> FloatArray | None:
    """Return a text column as numbers where all that is stated is a finite number of one scale, else None."""
    stated = column.dropna().unique()
    found = {text: _number(text) for text in stated}
    if len(set(found.values())) < FEWEST_NUMBERS or not all(np.isfinite(value) for value in found.values()):
        return None
    return column.map(found).to_numpy(dtype=np.float64)


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else np.nan  # Python reads 1_0 as 10; no corpus means that
    except ValueError:
        return np.nan


def identifies(column: pd.Series) -> bool:
    """Return whether nearly every unit has a value of its own: it tells units apart, and groups nobody."""
    stated = column.dropna()
    return stated.nunique() > max(2, len(stated) / 2)


def units(utterances: pd.DataFrame, attributes: Sequence[str], measures: Sequence[str]) -> Units:
    """Return the units of utterances with ``accent``, ``speaker_id``, the attributes and the measures."""
    named = utterances[utterances["speaker_id"].notna()]
    if named.empty:
        table = utterances[["accent", *attributes, *measures]].sort_values(["accent", *attributes, *measures])
        return Units(table.reset_index(drop=True), "utterance", tuple(attributes), tuple(measures), {})
    grouped = named.groupby(["accent", "speaker_id"], sort=True)
    parts = [grouped[name].first().where(grouped[name].nunique() == 1) for name in attributes]
    parts += [grouped[name].median().rename(name) for name in measures]
    table = pd.concat(parts, axis=1) if parts else grouped.size().to_frame("n").drop(columns="n")
    mixed = {name: int((grouped[name].nunique() > 1).sum()) for name in attributes}
    return Units(table.reset_index(), "speaker", tuple(attributes), tuple(measures), mixed)


def banded(column: pd.Series) -> pd.Series:
    """Return a column of text with a scale cut into bands of about as many units each, as in ``21 to 30``."""
    values = scale(column)
    if values is None:
        return column
    stated = np.unique(values[np.isfinite(values)])
    edges = np.unique(np.quantile(values[np.isfinite(values)], np.arange(1, BANDS) / BANDS, method="lower"))
    place = np.searchsorted(edges, values, side="left").astype(np.float64)
    names = {}
    for band in range(len(edges) + 1):
        inside = stated[np.searchsorted(edges, stated, side="left") == band]
        if len(inside):
            names[band] = f"{inside[0]:g} to {inside[-1]:g}" if len(inside) > 1 else f"{inside[0]:g}"
    shown = [names[int(at)] if np.isfinite(value) else None for at, value in zip(place, values, strict=True)]
    return pd.Series(shown, index=column.index, dtype="str", name=column.name)
