"""What the scores do not hold, counted by cell: failures, renderings that could not be made, references without words.

In: Utterances, Trials, Transcripts, Exclusions, normalizers. Out: a table of counts for the summaries, by accent,
condition, recognizer and normalizer. Excludes nothing: all of it was excluded before, with a reason, or is a transcript
that was not delivered and counts as all deletions.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from pipeline.records import Reason, Status

NAME = "summarize.left_out"
KEY = ["accent", "condition", "backend", "normalizer"]
COUNTS = ["n_failed", "n_unrendered", "n_not_delivered", "n_no_reference_words", "no_reference_inserted_words"]
TRANSCRIBE, SCORE = "transcribe", "score"
"""The stages that excluded them."""


def count_left_out(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    transcripts: pd.DataFrame,
    exclusions: pd.DataFrame,
    *,
    normalizers: Mapping[str, Callable[[str], str]],
    backend: str,
) -> pd.DataFrame:
    """Return ``KEY`` and ``COUNTS``, one row a cell in which anything was left out.

    Args:
        utterances: of the study.
        trials: all that were planned.
        transcripts: all that there are.
        exclusions: of every stage so far.
        normalizers: by name.
        backend: whose the failures are; there is one recognizer in a study.
    """
    spoken = utterances[["utterance_id", "accent", "reference"]]
    lost = exclusions[exclusions["stage"] == TRANSCRIBE].merge(spoken, on="utterance_id")
    failed = lost["reason"] == Reason.TRANSCRIPTION_FAILED
    absent = transcripts[transcripts["status"] == Status.MISSING].merge(trials, on="trial_key")
    absent = absent.merge(spoken, on="utterance_id")
    parts = []
    for name, normalize in sorted(normalizers.items()):
        of = {"backend": backend, "normalizer": name}
        parts += [
            lost[failed].assign(**of, n_failed=1),
            lost[~failed].assign(**of, n_unrendered=1),
            absent.assign(normalizer=name, n_not_delivered=1),
            _without_words(spoken, trials, transcripts, exclusions, normalize).assign(normalizer=name),
        ]
    whole = pd.concat([part.reindex(columns=[*KEY, *COUNTS]) for part in parts], ignore_index=True)
    whole[COUNTS] = whole[COUNTS].astype("float64").fillna(0.0).astype("int64")
    return whole.astype(dict.fromkeys(KEY, "str")).groupby(KEY, as_index=False, sort=True)[COUNTS].sum()


def _without_words(
    spoken: pd.DataFrame,
    trials: pd.DataFrame,
    transcripts: pd.DataFrame,
    exclusions: pd.DataFrame,
    normalize: Callable[[str], str],
) -> pd.DataFrame:
    """Return the trials that were heard and whose reference has no words under this normalizer."""
    reason = (exclusions["stage"] == SCORE) & (exclusions["reason"] == Reason.NO_REFERENCE_WORDS)
    suspected = spoken[spoken["utterance_id"].isin(exclusions.loc[reason, "utterance_id"])]
    empty = np.array([not normalize(text).split() for text in suspected["reference"]], dtype=bool)
    wordless = suspected[empty]
    heard = wordless.merge(trials, on="utterance_id").merge(transcripts, on="trial_key")
    words = [len(normalize(text).split()) for text in heard["hypothesis"]]
    return heard.assign(n_no_reference_words=1, no_reference_inserted_words=words)
