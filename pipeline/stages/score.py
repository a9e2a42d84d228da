"""Transcripts to word errors, under every normalizer.

In: Utterances, Trials, Transcripts, normalizers. Out: Scores, counts per trial and normalizer. Excludes:
trials whose reference holds no words after normalization; WER is undefined there, and the inserted words
are said in the detail.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.records import Exclusion, Reason
from pipeline.text.alignment import count_characters, count_errors

NAME = "score"


def score(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    transcripts: pd.DataFrame,
    normalizers: Mapping[str, Callable[[str], str]],
) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Align every hypothesis to its reference; an empty hypothesis is all deletions, never a skip."""
    heard = trials.merge(transcripts, on="trial_key", validate="one_to_one")
    heard = heard.merge(utterances, on="utterance_id", validate="many_to_one")
    scores, excluded = [], []
    for name, normalize in sorted(normalizers.items()):
        references = {text: normalize(text) for text in heard["reference"].unique()}
        for row in tables.rows(heard):
            scored = _score(row, name, references[row["reference"]], normalize(row["hypothesis"]))
            if isinstance(scored, Exclusion):
                excluded.append(scored)
            else:
                scores.append(scored)
    return tables.build(scores, tables.Scores, where=NAME), excluded


def _score(
    row: Mapping[str, Any], normalizer: str, normalized_reference: str, normalized_hypothesis: str
) -> dict[str, Any] | Exclusion:
    counts = count_errors(normalized_reference, normalized_hypothesis)
    if counts.ref_words == 0:
        detail = f"no words in the reference under normalizer {normalizer}; {counts.insertions} word(s) heard"
        return Exclusion(NAME, row["utterance_id"], row["condition"], Reason.NO_REFERENCE_WORDS, detail)
    characters, character_errors = count_characters(normalized_reference, normalized_hypothesis)
    return {
        "utterance_id": row["utterance_id"],
        "condition": row["condition"],
        "backend": row["backend"],
        "normalizer": normalizer,
        "speaker_id": row["speaker_id"],
        "accent": row["accent"],
        "hits": counts.hits,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
        "ref_characters": characters,
        "character_errors": character_errors,
        "normalized_reference": normalized_reference,
        "normalized_hypothesis": normalized_hypothesis,
    }
