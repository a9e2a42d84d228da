"""Which rows about single words, or about part of an accent's speakers, must not be published (statistics: 9).

A cell may have speakers enough while few of them said a term, carry a tag, or were heard at every SNR: what is said of
those few is as much theirs as a thin cell's WER, and must not follow from the total that is shown.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.stats.counts import BoolArray
from pipeline.stats.suppression import protect
from pipeline.tables import POOLED

STUDY = ["condition", "backend", "normalizer"]
SAID = ["hits", "substitutions", "deletions"]
"""Of a tagged word, what became of it; together, how often it was said."""


def few_speakers(table: pd.DataFrame, floor: int) -> BoolArray:
    """Return which rows rest on some named speakers and on fewer than ``floor``."""
    if "n_speakers" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    return table["n_speakers"].between(1, floor - 1).to_numpy(dtype=bool)


def thin_terms(table: pd.DataFrame, counts: pd.DataFrame, scores: pd.DataFrame, floor: int) -> BoolArray:
    """Return which rows of ``Terms`` to hide: by accent over all terms, and by term over all accents.

    Args:
        table: the rows.
        counts: one a score and term, with the score's label in ``row``, and ``term``, ``said``.
        scores: what ``counts`` was counted in.
        floor: named speakers that a published row needs.
    """
    said = _placed(counts, scores)
    accents, terms = _hidden(said, [], "accent", floor), _hidden(said, [], "term", floor)
    keys = list(zip(*(table[name] for name in STUDY), strict=True))
    rows = zip(keys, table["term"], table["accent"], strict=True)
    return np.array([(key, term) in terms if term else (key, accent) in accents for key, term, accent in rows], bool)


def thin_tags(table: pd.DataFrame, counts: pd.DataFrame, scores: pd.DataFrame, floor: int) -> BoolArray:
    """Return which rows of ``TagErrors`` to hide, by accent within each tag; see ``thin_terms``."""
    said = _placed(counts.assign(said=counts[SAID].sum(axis=1)), scores)
    accents = _hidden(said, ["tag"], "accent", floor)
    keys = zip(*(table[name] for name in [*STUDY, "tag"]), strict=True)
    return np.array([place in accents for place in zip(keys, table["accent"], strict=True)], bool)


def _placed(counts: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return what was said, with its cell and its speaker (missing: without a name)."""
    found = counts[counts["said"] > 0].merge(
        scores[[*STUDY, "accent", "speaker_id"]], left_on="row", right_index=True, how="inner"
    )
    return found.assign(speaker=found["accent"] + "/" + found["speaker_id"])


def _hidden(said: pd.DataFrame, further: Sequence[str], part: str, floor: int) -> set[tuple[tuple[str, ...], str]]:
    """Return (study, part) of every part to hide; ``ALL`` where the total of the parts is itself too small."""
    hidden: set[tuple[tuple[str, ...], str]] = set()
    for study, rows in said.groupby([*STUDY, *further], sort=True):
        key = tuple(map(str, study))
        names = sorted(rows[part].unique())
        place = rows[part].map({name: at for at, name in enumerate(names)}).to_numpy(dtype=np.int64)
        people, speakers = pd.factorize(rows["speaker"])[0], rows["speaker"].nunique()
        heard = np.zeros((len(names), speakers), dtype=bool)
        heard[place[people >= 0], people[people >= 0]] = True

        def unsafe(parts: BoolArray, heard: BoolArray = heard) -> bool:
            return bool(parts.any()) and int(heard[parts].any(axis=0).sum()) < floor

        words = np.bincount(place, weights=rows["said"], minlength=len(names)).astype(np.int64)
        own, one = np.eye(len(names), dtype=bool), np.zeros(len(names), dtype=np.int64)
        found = protect(own, one, unsafe, words)
        hidden |= {(key, name) for name, is_hidden in zip(names, found, strict=True) if is_hidden}
        if unsafe(np.ones(len(names), dtype=bool)):
            hidden.add((key, POOLED))
    return hidden
