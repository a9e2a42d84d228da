"""What goes with accent, and what goes with what else the corpus declares.

*In*: speakers with attributes and measures. *Out*: associations with p-values that Holm adjusts within a family, and
what each is made of. A difference between accents may belong to whatever goes with accent; an association that is not
shown is not shown to be absent.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.audit_tables import ACCENT, AuditAssociations, AuditGroups
from pipeline.records import significance_level
from pipeline.stats.association import Association, categorical, ranked_by_group, ranked_together
from pipeline.stats.counts import BoolArray, FloatArray, IntArray
from pipeline.stats.multiplicity import holm
from pipeline.stats.speaker_units import Units, identifies

FEWEST_DRAWS = 1_999
FEWEST_ALIKE = 3
"""Speakers of one accent that must share a value before one may say that accent and attribute cannot be told apart;
two, where a test shows that they go together."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A question: does ``attribute`` go with ``against``?"""

    attribute: str
    against: str
    family: str
    measured: bool


@dataclass(frozen=True, slots=True)
class _Test:
    """How a question is answered."""

    draws: int
    seed: int
    alpha: float


def confounds(units: Units, *, confidence: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ``AuditAssociations`` and ``AuditGroups`` of every pair that is asked about."""
    pairs = list(_pairs(units))
    largest = max((sum(one.family == name for one in pairs) for name in ("accent", "attribute")), default=0)
    # enough that the smallest p-value there is can be shown after Holm's division
    draws = max(FEWEST_DRAWS, math.ceil(2 * largest / (1 - confidence)))
    rows, groups = [], []
    for pair in pairs:
        row, own = _asked(pair, units, _Test(draws, seed, significance_level(confidence)))
        rows.append(row)
        groups += own
    _adjust(rows, significance_level(confidence))
    return (
        tables.build(rows, AuditAssociations, where="audit"),
        tables.build(groups, AuditGroups, where="audit"),
    )


def _pairs(units: Units) -> Iterator[_Pair]:
    usable = [name for name in units.attributes if _usable(units, name)]
    for name in units.attributes:
        yield _Pair(name, ACCENT, "accent", False)
    for name in units.measures if units.table[ACCENT].nunique() > 1 else ():
        yield _Pair(name, ACCENT, "accent", True)
    for name, other in combinations(usable, 2):
        yield _Pair(name, other, "attribute", False)
    for name in units.measures:
        for other in usable:
            yield _Pair(name, other, "attribute", True)


def _usable(units: Units, name: str) -> bool:
    column = units.table[name]
    return column.nunique() > 1 and (units.numbers(name) is not None or not identifies(column))


def _adjust(rows: Sequence[dict[str, Any]], alpha: float) -> None:
    for family in ("accent", "attribute"):
        tested = [row for row in rows if row["family"] == family and row["p"] is not None]
        for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
            row["p_adjusted"], row["shown"] = float(adjusted), bool(adjusted < alpha)


def _asked(pair: _Pair, units: Units, test: _Test) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    first, second = units.numbers(pair.attribute), None if pair.against == ACCENT else units.numbers(pair.against)
    if first is None and second is not None:  # the number is what is ranked by the category
        pair = _Pair(pair.against, pair.attribute, pair.family, pair.measured)
        first, second = second, None
    columns = units.table[[pair.attribute, pair.against]]
    stated = columns.notna().all(axis=1).to_numpy()
    row: dict[str, Any] = {
        "attribute": pair.attribute,
        "against": pair.against,
        "family": pair.family,
        "measured": pair.measured,
        "n_units": int(stated.sum()),
        "unit": units.unit,
        "n_mixed": units.n_mixed.get(pair.attribute, 0),
        "nested": "",
        "shown": False,
        **dict.fromkeys(("value", "p", "p_adjusted")),
        "note": "",
        "measure": "",
    }
    found, groups, nested = _found(pair, columns[stated], (first, second), stated, test)
    row |= {"nested": nested, "measure": found.measure, "value": found.value, "p": found.p}
    return row | _without_a_test(row, columns[stated], first is None), groups


def _without_a_test(row: dict[str, Any], columns: pd.DataFrame, is_categorical: bool) -> dict[str, Any]:
    """Return what has to be taken back of a row, and why."""
    if is_categorical and identifies(columns[row["attribute"]]):
        return {"value": None, "p": None, "nested": "", "note": "not tested: it tells units apart and groups nobody"}
    if row["unit"] == "utterance":
        return {"p": None, "note": "not tested: speakers are unknown, and utterances are not independent"}
    if row["p"] is None and row["nested"] != "constant":
        return {"note": f"not tested: {_why(row, columns)}"}
    return {}


def _why(row: dict[str, Any], columns: pd.DataFrame) -> str:
    if not row["n_units"]:
        return "it varies within every speaker" if row["n_mixed"] else "nowhere stated"
    if columns[row["against"]].nunique() < 2:
        return f"there is one {row['against']}"
    return "the same for everybody" if columns[row["attribute"]].nunique() < 2 else "too few"


def _found(
    pair: _Pair,
    columns: pd.DataFrame,
    numbers: tuple[FloatArray | None, FloatArray | None],
    stated: BoolArray,
    test: _Test,
) -> tuple[Association, list[dict[str, Any]], str]:
    draws, seed = test.draws, test.seed
    key, names = {"attribute": pair.attribute, "against": pair.against}, (pair.attribute, pair.against)
    first, second = numbers
    if first is not None and second is not None:
        return ranked_together(first[stated], second[stated], draws=draws, seed=seed, names=names), [], ""
    labels, groups = pd.factorize(columns[pair.against], sort=True)
    if first is not None:
        values = first[stated]
        found = ranked_by_group(values, labels.astype(np.int64), draws=draws, seed=seed, names=names)
        return found, [_median(key, str(name), values[labels == at]) for at, name in enumerate(groups)], ""
    places, levels = pd.factorize(columns[pair.attribute], sort=True)
    if len(levels) > 1 and identifies(columns[pair.attribute]):
        return Association("", None, None), [], ""
    table = np.zeros((len(groups), len(levels)), dtype=np.int64)
    np.add.at(table, (labels, places), 1)
    rows = [
        {**key, "group": str(groups[at]), "level": str(levels[to]), "n_units": int(table[at, to]), "median": None}
        for at, to in zip(*np.nonzero(table), strict=True)
    ]
    found = categorical(table, draws=draws, seed=seed, names=names)
    fewest = FEWEST_ALIKE if found.p is None or found.p >= test.alpha else 2
    return found, rows, _nested(table, fewest) if pair.against == ACCENT else ""


def _median(key: dict[str, str], group: str, values: FloatArray) -> dict[str, Any]:
    return {**key, "group": group, "level": "", "n_units": len(values), "median": float(np.median(values))}


def _nested(table: IntArray, fewest: int) -> str:
    """Return how far accent (rows) and attribute (columns) are one thing: what is nested in what.

    Accents of fewer than ``fewest`` say nothing of ``in_accent``; of values, every one has to lie in one accent.
    """
    if table.shape[1] < 2:
        return "constant" if table.sum() >= fewest else ""
    alike = (table > 0).sum(axis=1) == 1
    large = table.sum(axis=1) >= fewest
    values = table[large].argmax(axis=1)
    in_accent = large.sum() > 1 and bool(alike[large].all()) and len(set(values)) > 1
    wide = table[:, table.sum(axis=0) >= fewest]
    in_attribute = bool(((table > 0).sum(axis=0) == 1).all()) and len(set(wide.argmax(axis=0))) > 1
    if in_accent and in_attribute and bool(alike.all()) and len(set(values)) == len(values):
        return "same"
    return "in_accent" if in_accent else "in_attribute" if in_attribute else ""
