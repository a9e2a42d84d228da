"""What of a study may be passed on: the floor, what it hid, and rounding, so that no sum can be worked backwards.

A cell of few speakers says something of persons. Where the floor holds, every published number (card, CSV) is made
from the shown cells alone; what is hidden has a name here and no number.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.artifacts import CorpusRecord
from pipeline.card.keys import Frozen, Key, Number
from pipeline.card.settings import PublishSettings

DEFAULT_FLOOR = 10
"""Speakers of a published cell, unless the study says otherwise (statistics: 9)."""
SUPPRESSED = "suppressed"
WORD_STEP = 10
RATE_DIGITS = 3
"""Of a share: 0.1 point."""
COUNTS = ("hits", "substitutions", "deletions", "insertions")
_AS_THEY_ARE = ("p", "confidence", "gap_limit", "temperature", "words")
"""And every probability: names that begin with ``p_`` or end with ``_p``."""
_COUNT_TRIALS = ("n_no_reference_words",)
_LESS_EXACT = {"k_eff": 1, "false_rate": 5, "false_ci_low": 5, "false_ci_high": 5}
"""Decimals where three say too much, or nothing: false terms are few in a thousand words."""
WORD_MEASURES = ("insertion_rate", "length_ratio", "repeat_disagreement")
"""Signs of invented text of which ``count`` and ``base`` are words; those of the others are trials."""


class HiddenCell(Frozen):
    """A group under a condition that is not published, or only as a part of a merged group."""

    accent: str
    condition: str
    merged_into: str


class HiddenGroup(Frozen):
    """A group of an intersection that is not published under any condition."""

    accent: str
    crossing: str
    group: str


class Publication(Number):
    """The rule of publication and what it hid. ``floor`` is missing where everything is shown."""

    key: Key = Key()
    method: str = "a cell below the floor, or that would give one away, is not published"
    floor: int | None = None
    words: int = 0
    rounded: bool = False
    public: bool = False
    """everything is shown because the corpus is open to everyone, not because the publisher chose so"""
    cells: tuple[HiddenCell, ...] = ()
    groups: tuple[HiddenGroup, ...] = ()
    reference_hidden: bool = False
    """the declared reference group is hidden, so groups are compared with the rest"""

    @property
    def hidden(self) -> set[tuple[str, str]]:
        """The hidden cells: accent, condition."""
        return {(cell.accent, cell.condition) for cell in self.cells}


def rule(settings: PublishSettings, corpus: CorpusRecord | None) -> Publication:
    """Return the rule that holds for a study, with nothing hidden yet."""
    public = corpus is not None and corpus.public
    if settings.floor == "off" or (settings.floor is None and public):
        return Publication(public=public and settings.floor is None)
    return Publication(floor=settings.floor or DEFAULT_FLOOR, words=settings.words, rounded=settings.rounded)


def rounded_words(number: int) -> int:
    """Return a count of words to the nearest 10."""
    return WORD_STEP * round(number / WORD_STEP)


def _counts_words(name: str, measure: str = "") -> bool:
    if name in _COUNT_TRIALS:
        return False
    if name in ("count", "base"):
        return measure in WORD_MEASURES
    return name in COUNTS or any(kind in name for kind in ("word", "error", "character"))


def _digits(name: str) -> int:
    return _LESS_EXACT.get(name, RATE_DIGITS)


def rounded_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of results with rates to 0.1 point and counts of words and errors to 10.

    Speakers, utterances and trials stay as they are; so do p-values, which no count can be worked out from.
    """
    found = table.copy()
    for column in table.columns:
        name, values = str(column), table[column]
        if pd.api.types.is_bool_dtype(values) or _is_exact(name):
            continue
        if pd.api.types.is_integer_dtype(values):
            chosen = _rows_of_words(table, name)
            found[column] = values.where(~chosen, values.map(lambda value: rounded_words(int(value))))
        elif pd.api.types.is_float_dtype(values):
            found[column] = values.where(_rows_of_p(table, name), values.round(_digits(name)))
    return found


def _rows_of_words(table: pd.DataFrame, name: str) -> "pd.Series[bool]":
    measures = table["measure"] if "measure" in table else pd.Series("", index=table.index)
    return measures.map(lambda measure: _counts_words(name, str(measure))).astype("bool")


def _rows_of_p(table: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """Return the rows whose ``value`` is a p-value by their measure."""
    if name != "value" or "measure" not in table:
        return pd.Series(False, index=table.index)
    return table["measure"].str.endswith("_p")


def _is_exact(name: str) -> bool:
    return name in _AS_THEY_ARE or name.startswith("p_") or name.endswith("_p")


def rounded_values(value: Any, name: str = "", measure: str = "") -> Any:
    """Return a number, or every number in mappings and lists, rounded by the same rules.

    ``name`` is its key, ``measure`` stands beside it.
    """
    if isinstance(value, Mapping):
        measure = str(value.get("measure", ""))
        return {key: rounded_values(inner, str(key), measure) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded_values(inner, name) for inner in value]
    if isinstance(value, bool) or _is_exact(name) or (name == "value" and measure.endswith("_p")):
        return value
    if isinstance(value, int):
        return rounded_words(value) if _counts_words(name, measure) else value
    return round(value, _digits(name)) if isinstance(value, float) and math.isfinite(value) else value
