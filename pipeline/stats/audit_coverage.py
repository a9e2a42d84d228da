"""Who is there: speakers, utterances, words and minutes of each accent, and of each attribute's values within it.

Combinations that nobody has are rows too, so that what is missing has a name.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.audit_tables import NOT_STATED, AuditCoverage
from pipeline.records import Support
from pipeline.stats.cells import OK_K_EFF
from pipeline.stats.counts import MIN_K_EFF, effective_speakers
from pipeline.stats.speaker_units import banded, identifies, scale

EMPTY = "empty"


def coverage(utterances: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Return ``AuditCoverage`` of utterances with ``accent``, ``speaker_id``, ``words``, ``duration_s``, attributes.

    Attributes that tell speakers apart instead of grouping them are not crossed.
    """
    accents = sorted(utterances["accent"].unique())
    rows = [_row(str(accent), "", NOT_STATED, own) for accent, own in utterances.groupby("accent", sort=True)]
    for name in crossed(utterances, attributes):
        rows += _crossing(utterances.assign(value=banded(utterances[name]).fillna(NOT_STATED)), accents, name)
    return tables.build(rows, AuditCoverage, where="audit")


def crossed(utterances: pd.DataFrame, attributes: Sequence[str]) -> list[str]:
    """Return the attributes that group speakers: at least one value, and not one for nearly every speaker."""
    found = []
    for name in attributes:
        speakers = utterances.drop_duplicates(["accent", "speaker_id", name])[name]
        if speakers.notna().any() and (scale(speakers) is not None or not identifies(speakers)):
            found.append(name)
    return found


def _crossing(table: pd.DataFrame, accents: Sequence[str], attribute: str) -> Iterator[dict[str, Any]]:
    grouped = table.groupby(["accent", "value"], sort=True)
    cells = {(str(accent), str(value)): own for (accent, value), own in grouped}
    values = dict.fromkeys(value for _, value in sorted(cells, key=lambda cell: _order(cell[1])))
    for accent in accents:
        for value in values:
            own = cells.get((accent, value))
            if own is not None or value != NOT_STATED:
                yield _row(accent, attribute, value, table.iloc[:0] if own is None else own)


def _order(value: str) -> tuple[int, float, str]:
    """Return a place for a value: bands of numbers by their first, then names, and last what is not stated."""
    try:
        return 0, float(value.partition(" to ")[0]), value
    except ValueError:
        return (1 if value else 2), 0.0, value


def _row(accent: str, attribute: str, value: str, own: pd.DataFrame) -> dict[str, Any]:
    named = own[own["speaker_id"].notna()]
    words = named.groupby("speaker_id", sort=True)["words"].sum().to_numpy(dtype=np.int64)
    k_eff = effective_speakers(words)
    known = bool(own["duration_s"].notna().all())
    return {
        "accent": accent,
        "attribute": attribute,
        "value": value,
        "n_speakers": len(words),
        "k_eff": k_eff,
        "n_utterances": len(own),
        "n_unnamed": len(own) - len(named),
        "n_words": int(own["words"].sum()),
        "minutes": float(own["duration_s"].sum()) / 60 if known else None,
        "support": _support(len(own), k_eff),
    }


def _support(n_utterances: int, k_eff: float) -> str:
    if not n_utterances:
        return EMPTY
    # the sum of equal parts may fall short of their number by a rounding
    if k_eff >= OK_K_EFF - 1e-9:
        return Support.OK
    return Support.THIN if k_eff >= MIN_K_EFF - 1e-9 else Support.INSUFFICIENT
