"""Repeats of a trial against each other and against its reference; a part of ``summarize``.

In: Scores, Trials, Repeats, normalizers. Out: one repeated trial for every score and temperature. Excludes nothing: a
trial with fewer than two repeats at a temperature (they failed, and are listed as such, or only one was asked for) is
handed on with what it has, and counted as left out.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.records import ErrorCounts
from pipeline.stats.counts import KINDS
from pipeline.stats.variability import RepeatedTrial
from pipeline.text.alignment import count_errors

NEIGHBORS = 5
"""Repeats after it with which each is compared, the first again after the last: every pair of up to eleven repeats, and
of more a number of pairs that grows with the repeats and not with their square."""

Drawn = dict[tuple[str, str], dict[float, list[str]]]
"""By trial key and backend, then by temperature: the hypotheses in the order of the repeats."""


def compare_repeats(
    scores: pd.DataFrame,
    trials: pd.DataFrame,
    repeats: pd.DataFrame,
    normalizers: Mapping[str, Callable[[str], str]],
) -> list[RepeatedTrial]:
    """Align the repeats of every scored trial, at each temperature on its own, under every normalizer."""
    if repeats.empty:
        return []
    drawn = _drawn(repeats)
    texts = repeats["hypothesis"].unique()
    said = {name: {text: normalize(text) for text in texts} for name, normalize in normalizers.items()}
    temperatures = {str(name): sorted(group.unique()) for name, group in repeats.groupby("backend")["temperature"]}
    keys = trials[["utterance_id", "condition", "trial_key"]]
    placed = scores.merge(keys, on=["utterance_id", "condition"], validate="many_to_one")
    found = []
    for row in tables.rows(placed):
        own = drawn.get((row["trial_key"], row["backend"]), {})
        for temperature in temperatures.get(row["backend"], ()):
            heard = [said[row["normalizer"]][text] for text in own.get(temperature, ())]
            found.append(_compared(row, float(temperature), heard))
    return found


def _drawn(repeats: pd.DataFrame) -> Drawn:
    drawn: Drawn = defaultdict(lambda: defaultdict(list))
    # in the order of the repeats, which decides who is whose neighbor
    for row in tables.rows(repeats.sort_values("repeat", kind="stable")):
        drawn[row["trial_key"], row["backend"]][row["temperature"]].append(row["hypothesis"])
    return drawn


def _compared(row: Mapping[str, Any], temperature: float, texts: Sequence[str]) -> RepeatedTrial:
    errors = {text: count_errors(row["normalized_reference"], text) for text in set(texts)}
    speaker = row["speaker_id"]
    return RepeatedTrial(
        utterance_id=row["utterance_id"],
        condition=row["condition"],
        backend=row["backend"],
        normalizer=row["normalizer"],
        speaker_id=None if pd.isna(speaker) else speaker,
        accent=row["accent"],
        temperature=temperature,
        n_repeats=len(texts),
        alike=len(errors) == 1,
        between=between(texts),
        repeated=sum((errors[text] for text in texts), ErrorCounts.zero()),
        scored=ErrorCounts(**{kind: row[kind] for kind in KINDS}),
    )


def between(texts: Sequence[str]) -> ErrorCounts:
    """Count the words in which normalized texts differ, each of a pair once as reference and once as hypothesis.

    A pair is aligned once: read the other way a minimal alignment stays minimal, and its deletions are insertions.
    """
    pairs = [(min(texts[i], texts[j]), max(texts[i], texts[j])) for i, j in _pairs(len(texts))]
    aligned = {pair: count_errors(*pair) for pair in set(pairs)}
    one_way = sum((aligned[pair] for pair in pairs), ErrorCounts.zero())
    return one_way + ErrorCounts(one_way.hits, one_way.substitutions, one_way.insertions, one_way.deletions)


@cache
def _pairs(n: int) -> tuple[tuple[int, int], ...]:
    """Return the places of ``n`` repeats that are compared, each pair once."""
    ahead = ((i, (i + step) % n) for i in range(n) for step in range(1, NEIGHBORS + 1))
    return tuple(sorted({(min(pair), max(pair)) for pair in ahead if pair[0] != pair[1]}))
