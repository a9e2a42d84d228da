"""Many texts at once: each distinct one is normalized once, and each distinct pair aligned once, on all processors.

Columns in, columns out: a row is never an object here, so that a million trials cost little more than their alignment.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.error_slots import ErrorSlots
from pipeline.errors import TableError
from pipeline.processors import spread
from pipeline.text.alignment import COUNTED, all_error_slots, count_all
from pipeline.text.normalizers import normalize_all

IntArray = NDArray[np.int64]
Normalize = Callable[[str], str]

SLOTS = "error_slots"
ERRORS = ("substitutions", "deletions", "insertions")
PART = 20_000
"""Texts, or pairs of them, that one process takes at a time; so few are worked on without starting any."""
LIGHT_PART = 100_000
"""The same for work that is lighter than an alignment with all its counts."""


@dataclass(frozen=True, eq=False)
class Texts:
    """The texts of many rows: each distinct one once, and its place for every row."""

    distinct: Sequence[str]
    places: IntArray

    @classmethod
    def of(cls, column: "pd.Series[str]") -> Self:
        """Find the distinct texts of a column; none may be missing."""
        places, distinct = pd.factorize(column)
        return cls(distinct.tolist(), places.astype(np.int64))

    def normalized(self, normalize: Normalize) -> Self:
        """Return the same rows after ``normalize``, which may make one text of several."""
        every = partial(normalize_all, normalize)
        parts = [self.distinct[at : at + PART] for at in range(0, len(self.distinct), PART)]
        done = spread(every, parts) if _travels(normalize) else map(every, parts)
        found = self.of(pd.Series([text for part in done for text in part], dtype="str"))
        return type(self)(found.distinct, found.places[self.places])

    def column(self) -> "pd.Series[str]":
        """Return the text of every row."""
        return pd.Series(self.distinct, dtype="str").take(self.places).reset_index(drop=True)


def count_pairs(references: Texts, hypotheses: Texts) -> tuple[dict[str, IntArray], ErrorSlots]:
    """Count the errors of each row's hypothesis against its reference, both normalized, and say where they lie.

    The counts, arrays of one value a row, are those of ``alignment.count_all``, by name. A pair that occurs in many
    rows is aligned once.
    """
    parts, rows = _distinct(references, hypotheses, PART)
    done = [count_all(([], [])), *spread(count_all, parts)]
    counted = np.concatenate([counts for counts, _ in done])
    by_name = {name: np.ascontiguousarray(counted[:, place])[rows] for place, name in enumerate(COUNTED)}
    return by_name, ErrorSlots.joined([slots for _, slots in done]).take(rows)


def error_slots(scores: pd.DataFrame) -> ErrorSlots:
    """Return where the errors of each score lie; of a run that did not store them each distinct pair is aligned again.

    Raises:
        TableError: if the stored ones are not as many as the errors.
    """
    if SLOTS not in scores:
        texts = [Texts.of(scores[name]) for name in ("normalized_reference", "normalized_hypothesis")]
        parts, rows = _distinct(texts[0], texts[1], LIGHT_PART)
        return ErrorSlots.joined(spread(all_error_slots, parts)).take(rows)
    found = ErrorSlots.read(scores[SLOTS])
    if (found.counts != scores[list(ERRORS)].sum(axis=1).to_numpy()).any():
        raise TableError("scores: its error slots are not as many as its errors. Score again: stages=[score,...].")
    return found


def _distinct(references: Texts, hypotheses: Texts, size: int) -> tuple[list[tuple[list[str], list[str]]], IntArray]:
    """Return the distinct pairs of texts in parts of ``size`` for one process each, and which of them each row is."""
    width = max(1, len(hypotheses.distinct))
    # sorted by reference, so that a part of the work holds few of them
    pairs, rows = np.unique(references.places * width + hypotheses.places, return_inverse=True)
    left = np.array(references.distinct, dtype=object)[pairs // width]
    right = np.array(hypotheses.distinct, dtype=object)[pairs % width]
    parts = [(left[at : at + size].tolist(), right[at : at + size].tolist()) for at in range(0, len(pairs), size)]
    return parts, rows.astype(np.int64)


def _travels(normalize: Normalize) -> bool:
    """Return whether another process can be given the normalizer; a function without a name of its own cannot."""
    try:
        pickle.dumps(normalize)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
