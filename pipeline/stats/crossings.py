"""Attributes crossed with the accent: which group each score is in, and every accent's counts by group and speaker.

A value that the corpus does not state is a group of its own, never dropped.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import BoolArray, FloatArray, Group, IntArray, Tally, Unit, is_ranked, tally
from pipeline.stats.settings import ACCENT
from pipeline.tables import ATTRIBUTE_PREFIX


@dataclass(frozen=True, slots=True)
class Crossed:
    """One accent under one crossing: counts of shape (groups, speakers, conditions); unnamed utterances are speakers.

    ``groups`` and ``crossing`` are JSON as in the table of intersections.
    """

    crossing: str
    accent: str
    groups: tuple[str, ...]
    speakers: tuple[tuple[str, bool], ...]
    conditions: tuple[str, ...]
    errors: IntArray
    words: IntArray

    @property
    def labels(self) -> IntArray:
        """The first group in which each speaker has words, shape (speakers,)."""
        return np.asarray((self.words.sum(axis=2) > 0).argmax(axis=0), dtype=np.int64)

    @property
    def by_speaker(self) -> bool:
        """Whether no speaker is in two groups: the attribute belongs to the person, not to what was said."""
        return bool(((self.words.sum(axis=2) > 0).sum(axis=0) <= 1).all())

    def side(self, groups: BoolArray, condition: int) -> Group:
        """Return the speakers with words in any of ``groups`` (a mask) under one condition, their counts added up."""
        errors, words = self.errors[groups, :, condition].sum(axis=0), self.words[groups, :, condition].sum(axis=0)
        places = np.flatnonzero(words)
        units = tuple(Unit(self.accent, *self.speakers[place]) for place in places)
        return Group(self.accent, units, errors[places], words[places])

    def members(self, min_speakers: int) -> BoolArray:
        """Return which groups may be compared with the rest of the accent, shape (groups, conditions)."""
        named = np.array([is_named for _, is_named in self.speakers], dtype=bool)
        rest = self.words.sum(axis=0) - self.words
        return np.array(
            [
                [all(_enough(side[g, :, c], named, min_speakers) for side in (self.words, rest))
                 for c in range(len(self.conditions))]
                for g in range(len(self.groups))
            ],
            dtype=bool,
        ).reshape(len(self.groups), len(self.conditions))  # fmt: skip


def _enough(words: IntArray, named: BoolArray, min_speakers: int) -> bool:
    heard = words > 0
    return is_ranked(words[heard], all_named=bool(named[heard].all()), min_speakers=min_speakers)


def crossing_name(crossing: Sequence[str]) -> str:
    """Return a crossing as it stands in a table: a JSON list of names."""
    return json.dumps(list(crossing), ensure_ascii=False)


def group_names(utterances: pd.DataFrame, crossing: Sequence[str]) -> dict[str, str]:
    """Return the group of each utterance by its id: a JSON object of attribute to value, null where not stated."""
    names = [name for name in crossing if name != ACCENT]
    columns = [utterances[ATTRIBUTE_PREFIX + name].tolist() for name in names]
    texts: dict[tuple[str | None, ...], str] = {}
    found = {}
    for utterance, *values in zip(utterances["utterance_id"].tolist(), *columns, strict=True):
        stated = tuple(value if isinstance(value, str) and value.strip() else None for value in values)
        if stated not in texts:
            texts[stated] = json.dumps(dict(zip(names, stated, strict=True)), ensure_ascii=False)
        found[utterance] = texts[stated]
    return found


def as_accents(rows: pd.DataFrame, groups: Mapping[str, str]) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """Return scores in which accent and group together are the accent, and what each of those labels means."""
    pairs = list(zip(rows["accent"].tolist(), (groups[name] for name in rows["utterance_id"].tolist()), strict=True))
    labels = {pair: json.dumps(pair, ensure_ascii=False) for pair in set(pairs)}
    joined = rows.assign(accent=pd.Series([labels[pair] for pair in pairs], index=rows.index, dtype="str"))
    return joined, {label: pair for pair, label in labels.items()}


def crossed(counts: Tally, meant: Mapping[str, tuple[str, str]], crossing: str) -> Iterator[Crossed]:
    """Yield the counts of each accent, from the tally of scores whose accents are ``as_accents`` labels."""
    for accent in sorted({meant[label][0] for label in counts.accents}):
        places = [place for place, unit in enumerate(counts.units) if meant[unit.accent][0] == accent]
        groups = tuple(sorted({meant[counts.units[place].accent][1] for place in places}))
        speakers = tuple(sorted({(counts.units[place].name, counts.units[place].named) for place in places}))
        group_at = {name: at for at, name in enumerate(groups)}
        speaker_at = {speaker: at for at, speaker in enumerate(speakers)}
        errors, words = (
            np.zeros((len(groups), len(speakers), len(counts.conditions)), dtype=np.int64) for _ in range(2)
        )
        for place in places:
            unit = counts.units[place]
            at = group_at[meant[unit.accent][1]], speaker_at[unit.name, unit.named]
            errors[at], words[at] = counts.errors[place], counts.words[place]
        yield Crossed(crossing, accent, groups, speakers, counts.conditions, errors, words)


def moments(one: Crossed) -> FloatArray:
    """Return the sums that a contrast needs of each speaker: heard, e, n, e^2, e n, n^2; (speakers, conditions, 6)."""
    e, n = one.errors.sum(axis=0).astype(np.float64), one.words.sum(axis=0).astype(np.float64)
    return np.stack([(n > 0).astype(np.float64), e, n, e * e, e * n, n * n], axis=2)


def tallied(rows: pd.DataFrame, groups: Mapping[str, str], crossing: str) -> list[Crossed]:
    """Return the counts of every accent under one crossing, from scores of one backend and normalizer."""
    joined, meant = as_accents(rows, groups)
    return list(crossed(tally(joined), meant, crossing))
