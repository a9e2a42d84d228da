"""Strata of utterances that the study declares: attributes of the corpus, and the length of the reference."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.tables import ATTRIBUTE_PREFIX

LENGTH_BAND = "length_band"
"""The name in ``stats.strata`` of bands of the number of reference words; no attribute of a corpus."""
UNKNOWN = "not given"


def missing_attributes(names: Sequence[str], utterances: pd.DataFrame) -> list[str]:
    """Return the declared strata that the utterances do not have."""
    if utterances.empty:  # such a table has no columns for attributes
        return []
    return [name for name in names if name != LENGTH_BAND and ATTRIBUTE_PREFIX + name not in utterances]


def strata(
    scores: pd.DataFrame, utterances: pd.DataFrame, names: Sequence[str], bands: Sequence[int]
) -> "pd.Series[str]":
    """Return the stratum of each score in words, such as ``domain=clinical, 6 to 15 words``.

    Args:
        scores: of one normalizer.
        utterances: with the attributes, one row an utterance.
        names: of attributes, without their prefix, and perhaps ``length_band``.
        bands: the largest number of reference words of each band but the last, ascending.
    """
    parts = [_lengths(scores, bands) if name == LENGTH_BAND else _attribute(scores, utterances, name) for name in names]
    joined = [", ".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(scores)
    return pd.Series(joined, index=scores.index, dtype="str")


def _attribute(scores: pd.DataFrame, utterances: pd.DataFrame, name: str) -> list[str]:
    values = utterances.set_index("utterance_id")[ATTRIBUTE_PREFIX + name]
    found = values.reindex(scores["utterance_id"])
    return [f"{name}={UNKNOWN if pd.isna(value) else value}" for value in found]


def _lengths(scores: pd.DataFrame, bands: Sequence[int]) -> list[str]:
    words = (scores["hits"] + scores["substitutions"] + scores["deletions"]).to_numpy()
    ends = [f"{low + 1} to {high} words" for low, high in zip((0, *bands[:-1]), bands, strict=True)]
    labels = [*ends, f"more than {bands[-1]} words"]
    return [labels[place] for place in np.searchsorted(np.asarray(bands), words, side="left").tolist()]
