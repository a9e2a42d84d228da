"""Transcripts to word errors, under every normalizer.

In: Utterances, Trials, Transcripts, normalizers. Out: Scores, counts per trial and normalizer. Excludes:
trials whose reference holds no words after normalization; WER is undefined there, and the inserted words
are said in the detail.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import tables
from pipeline.errors import TableError
from pipeline.records import Exclusion, Reason
from pipeline.text.pairs import Texts, count_pairs

NAME = "score"


def score(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    transcripts: pd.DataFrame,
    normalizers: Mapping[str, Callable[[str], str]],
) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Align every hypothesis to its reference; an empty hypothesis is all deletions, never a skip."""
    rows, references, hypotheses = _heard(utterances, trials, transcripts)
    parts, excluded = [tables.build([], tables.Scores, where=NAME)], list[Exclusion]()
    for name, normalize in sorted(normalizers.items()):
        scored, wordless = _scored(rows, name, references.normalized(normalize), hypotheses.normalized(normalize))
        parts.append(scored)
        excluded += [_excluded(row, name) for row in tables.rows(wordless)]
    filled = [part for part in parts if len(part)] or parts[:1]
    return tables.check(pd.concat(filled, ignore_index=True), tables.Scores, where=NAME), excluded


def _heard(
    utterances: pd.DataFrame, trials: pd.DataFrame, transcripts: pd.DataFrame
) -> tuple[pd.DataFrame, Texts, Texts]:
    """Return the trials that have a transcript, in their order, with their references and hypotheses."""
    if trials["trial_key"].duplicated().any():
        raise TableError(f"{NAME}: two trials have one trial_key")
    said_at = _places(trials["trial_key"], transcripts["trial_key"])
    spoken_at = _places(trials["utterance_id"], utterances["utterance_id"])
    heard = np.flatnonzero((said_at >= 0) & (spoken_at >= 0))
    planned, said, spoken = trials.iloc[heard], transcripts.iloc[said_at[heard]], utterances.iloc[spoken_at[heard]]
    columns = {
        "utterance_id": planned["utterance_id"],
        "condition": planned["condition"],
        "backend": said["backend"],
        "speaker_id": spoken["speaker_id"],
        "accent": spoken["accent"],
    }
    rows = pd.DataFrame({name: column.array for name, column in columns.items()})
    return rows, Texts.of(spoken["reference"]), Texts.of(said["hypothesis"])


def _places(keys: "pd.Series[str]", among: "pd.Series[str]") -> NDArray[np.intp]:
    """Return where each key lies in ``among``, -1 where it does not."""
    # numbers first: a merge on a million hashes takes several times as long
    codes, distinct = pd.factorize(pd.concat([keys, among]))
    there = codes[len(keys) :]
    if len(there) and np.bincount(there).max() > 1:
        raise TableError(f"{NAME}: {among.name} is not unique")
    found = np.full(len(distinct), -1, dtype=np.intp)
    found[there] = np.arange(len(there))
    return found[codes[: len(keys)]]


def _scored(
    rows: pd.DataFrame, normalizer: str, references: Texts, hypotheses: Texts
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores under one normalizer, and the rows without a reference word among what was counted."""
    texts = {"normalized_reference": references.column(), "normalized_hypothesis": hypotheses.column()}
    counts, slots = count_pairs(references, hypotheses)
    every = rows.assign(normalizer=normalizer, **counts, error_slots=slots.column(), **texts)
    every = tables.cast(every, tables.columns(tables.Scores))[list(tables.columns(tables.Scores))]
    worded = (every["hits"] + every["substitutions"] + every["deletions"]) > 0
    return every[worded], every[~worded]


def _excluded(row: Mapping[str, Any], normalizer: str) -> Exclusion:
    detail = f"no words in the reference under normalizer {normalizer}; {row['insertions']} word(s) heard"
    return Exclusion(NAME, row["utterance_id"], row["condition"], Reason.NO_REFERENCE_WORDS, detail)
