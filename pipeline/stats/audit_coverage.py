"""Who is there: speakers, utterances, words and minutes of each accent, and of each attribute's values within it.

Combinations that nobody has are rows too, so that what is missing has a name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.audit_tables import NOT_STATED, AuditCoverage
from pipeline.records import Support
from pipeline.stats.counts import MIN_K_EFF
from pipeline.stats.speaker_units import banded, identifies, scale
from pipeline.stats.supported import OK_K_EFF

EMPTY = "empty"
NOBODY = dict.fromkeys(("n_speakers", "k_eff", "n_utterances", "n_unnamed", "n_words", "seconds", "silent"), 0.0)


def coverage(utterances: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Return ``AuditCoverage`` of utterances with ``accent``, ``speaker_id``, ``words``, ``duration_s``, attributes.

    Attributes that tell speakers apart instead of grouping them are not crossed.
    """
    accents = sorted(utterances["accent"].unique())
    table = utterances[["accent", "speaker_id", "words", "duration_s"]]
    rows = [_row(accent, "", NOT_STATED, cell) for (accent, _), cell in _cells(table.assign(value="")).items()]
    for name in crossed(utterances, attributes):
        cells = _cells(table.assign(value=banded(utterances[name]).fillna(NOT_STATED)))
        for accent in accents:
            for value in dict.fromkeys(value for _, value in sorted(cells, key=lambda cell: _order(cell[1]))):
                if value != NOT_STATED or (accent, value) in cells:
                    rows.append(_row(accent, name, value, cells.get((accent, value), NOBODY)))
    return tables.build(rows, AuditCoverage, where="audit")


def crossed(utterances: pd.DataFrame, attributes: Sequence[str]) -> list[str]:
    """Return the attributes that group speakers: at least one value, and not one for nearly every speaker.

    An utterance that nobody is named for counts as a speaker of its own.
    """
    found, unnamed = [], utterances["speaker_id"].isna()
    for name in attributes:
        speakers = utterances.loc[unnamed | ~utterances.duplicated(["accent", "speaker_id", name]), name]
        if speakers.notna().any() and (scale(speakers) is not None or not identifies(speakers)):
            found.append(name)
    return found


def _cells(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """Return what is counted by accent and value, in their order."""
    by = ["accent", "value"]
    counted = table.assign(
        unnamed=table["speaker_id"].isna(), seconds=table["duration_s"], silent=table["duration_s"].isna()
    )
    found = counted.groupby(by, sort=True).agg(
        n_utterances=("words", "size"), n_unnamed=("unnamed", "sum"), n_words=("words", "sum"),
        seconds=("seconds", "sum"), silent=("silent", "sum"),
    )  # fmt: skip
    each = table.groupby([*by, "speaker_id"], sort=True)["words"].sum().astype("float64")
    speakers = pd.DataFrame({"n": 1.0, "words": each, "squares": np.square(each)}).groupby(level=by).sum()
    # effective speakers, N^2 / sum N_s^2, 0 without words
    k_eff = (np.square(speakers["words"]) / speakers["squares"]).fillna(0.0)
    found = found.assign(n_speakers=speakers["n"], k_eff=k_eff).fillna({"n_speakers": 0.0, "k_eff": 0.0})
    keys = [(str(accent), str(value)) for accent, value in found.index]
    return dict(zip(keys, found.to_dict("records"), strict=True))  # type: ignore[arg-type]


def _order(value: str) -> tuple[int, float, str]:
    """Return a place for a value: bands of numbers by their first, then names, and last what is not stated."""
    try:
        return 0, float(value.partition(" to ")[0]), value
    except ValueError:
        return (1 if value else 2), 0.0, value


def _row(accent: str, attribute: str, value: str, cell: Mapping[str, float]) -> dict[str, Any]:
    counts = {name: int(cell[name]) for name in ("n_speakers", "n_utterances", "n_unnamed", "n_words")}
    return {
        "accent": accent,
        "attribute": attribute,
        "value": value,
        **counts,
        "k_eff": cell["k_eff"],
        "minutes": None if cell["silent"] else cell["seconds"] / 60,
        "support": _support(counts["n_utterances"], cell["k_eff"]),
    }


def _support(n_utterances: int, k_eff: float) -> str:
    if not n_utterances:
        return EMPTY
    # the sum of equal parts may fall short of their number by a rounding
    if k_eff >= OK_K_EFF - 1e-9:
        return Support.OK
    return Support.THIN if k_eff >= MIN_K_EFF - 1e-9 else Support.INSUFFICIENT
