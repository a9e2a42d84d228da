"""From the table of scores to integer counts per speaker and condition.

Everything downstream is a function of these sums. They are sorted by label, so the order of the rows cannot matter.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MIN_K_EFF = 3.0
"""Below this effective number of speakers there is no interval, and no place in an order (statistics: 2.4)."""

KINDS = ("hits", "substitutions", "deletions", "insertions")


def effective_speakers(words: IntArray) -> float:
    """Return k_eff = N^2 / sum N_s^2 of the reference words per speaker; 0 without words."""
    total = float(words.sum())
    return total**2 / float(np.square(words.astype(np.float64)).sum()) if total else 0.0


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What is taken as independent: a speaker within an accent, or an utterance whose speaker has no name."""

    accent: str
    name: str
    named: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one backend and normalizer. The arrays are units x conditions, in the order of the two tuples.

    Utterances without reference words add nothing (statistics: 1, empty reference); ``rows`` still counts them.
    """

    units: tuple[Unit, ...]
    conditions: tuple[str, ...]
    counts: Mapping[str, IntArray]
    utterances: IntArray
    rows: IntArray

    @property
    def errors(self) -> IntArray:
        """Substitutions + deletions + insertions."""
        return self.counts["substitutions"] + self.counts["deletions"] + self.counts["insertions"]

    @property
    def words(self) -> IntArray:
        """Reference words: hits + substitutions + deletions."""
        return self.counts["hits"] + self.counts["substitutions"] + self.counts["deletions"]

    @property
    def accents(self) -> tuple[str, ...]:
        """The accents, sorted."""
        return tuple(sorted({unit.accent for unit in self.units}))

    def members(self, accents: Sequence[str]) -> BoolArray:
        """Return which units speak one of ``accents``."""
        wanted = set(accents)
        return np.array([unit.accent in wanted for unit in self.units], dtype=bool)


@dataclass(frozen=True, slots=True)
class Group:
    """The units of one accent under one condition that have reference words; tuple and arrays of length k."""

    accent: str
    units: tuple[Unit, ...]
    errors: IntArray
    words: IntArray

    @property
    def n_speakers(self) -> int:
        """Named speakers."""
        return sum(unit.named for unit in self.units)

    @property
    def all_named(self) -> bool:
        """Whether every unit is a named speaker."""
        return self.n_speakers == len(self.units)

    def is_ranked(self, min_speakers: int) -> bool:
        """Return whether this accent may be compared."""
        return is_ranked(self.words, all_named=self.all_named, min_speakers=min_speakers)

    @property
    def wer(self) -> float:
        """Errors / reference words of the group; not capped at 1. Needs at least one unit."""
        return int(self.errors.sum()) / int(self.words.sum())


def studies(scores: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield (backend, normalizer, its rows) in the order of the labels."""
    backends, backend_names = pd.factorize(scores["backend"], sort=True)
    normalizers, normalizer_names = pd.factorize(scores["normalizer"], sort=True)
    study = backends * len(normalizer_names) + normalizers
    for place in np.unique(study):
        # a mask, not a groupby: a million rows with their texts are copied at most once, and not at all if all are one
        rows = scores if (study == place).all() else scores[study == place]
        backend, normalizer = divmod(int(place), len(normalizer_names))
        yield str(backend_names[backend]), str(normalizer_names[normalizer]), rows


def tally(rows: pd.DataFrame) -> Tally:
    """Sum the scores of one backend and normalizer over the utterances of each unit and condition."""
    units, unit = _units(rows)
    condition, conditions = pd.factorize(rows["condition"], sort=True)
    shape = (len(units), len(conditions))
    cell = unit * shape[1] + condition
    worded = has_words(rows).to_numpy(dtype=bool)

    def sums(values: NDArray[np.generic]) -> IntArray:
        # bincount adds in float64, which holds every integer below 2^53
        flat = np.bincount(cell, weights=np.where(worded, values, 0).astype(np.float64), minlength=shape[0] * shape[1])
        return np.rint(flat).astype(np.int64).reshape(shape)

    return Tally(
        units=units,
        conditions=tuple(conditions.tolist()),
        counts={kind: sums(rows[kind].to_numpy()) for kind in KINDS},
        utterances=sums(np.ones(len(rows))),
        rows=np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64),
    )


Tallies = Sequence[tuple[str, str, Tally]]
"""Backend, normalizer and their counts."""


def tallies(scores: pd.DataFrame) -> Tallies:
    """Return the tally of every backend and normalizer, in the order of ``studies``; what many tables are made of."""
    return [(backend, normalizer, tally(rows)) for backend, normalizer, rows in studies(scores)]


def has_words(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Return which scores have at least one reference word."""
    return (rows["hits"] + rows["substitutions"] + rows["deletions"]) > 0


def group(counts: Tally, accent: str, condition: str) -> Group:
    """Return the units of ``accent`` with reference words under ``condition``; possibly none."""
    column = counts.conditions.index(condition)
    worded = counts.words[:, column]
    places = np.flatnonzero(counts.members([accent]) & (worded > 0))
    return Group(
        accent=accent,
        units=tuple(counts.units[place] for place in places),
        errors=counts.errors[places, column],
        words=worded[places],
    )


def is_ranked(words: IntArray, *, all_named: bool, min_speakers: int) -> bool:
    """Return whether an accent may be compared: speakers all named, enough of them, and no one outweighing the rest.

    ``words``: reference words of each speaker, shape (k,), all above zero.
    """
    return all_named and len(words) >= min_speakers and effective_speakers(words) >= MIN_K_EFF


def ranked_groups(counts: Tally, condition: str, min_speakers: int) -> list[Group]:
    """Return the accents that may be compared under ``condition``, in the order of their labels."""
    every = (group(counts, accent, condition) for accent in counts.accents)
    return [one for one in every if one.is_ranked(min_speakers)]


def _units(rows: pd.DataFrame) -> tuple[tuple[Unit, ...], IntArray]:
    """Return the units in their order, and which one each row is of.

    Many rows, few units: rows are compared as numbers, and no row becomes an object.
    """
    accent, accents = pd.factorize(rows["accent"])
    name, speakers = pd.factorize(rows["speaker_id"])
    unknown = np.flatnonzero(name < 0)
    utterance, utterances = pd.factorize(rows["utterance_id"].iloc[unknown])
    name[unknown] = len(speakers) + utterance
    names = [*((one, True) for one in speakers.tolist()), *((one, False) for one in utterances.tolist())]
    keys, unit = np.unique(accent.astype(np.int64) * len(names) + name, return_inverse=True)
    pairs = [divmod(key, len(names)) for key in keys.tolist()]
    found = [Unit(str(accents[one]), *names[other]) for one, other in pairs]
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    return tuple(found[place] for place in order), rank[unit]
