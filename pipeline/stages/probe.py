"""What the recognizer says where nobody speaks: a few real trials, rendered again without their talker.

In: Trials; then what ``transcribe`` made of the probe's own trials. Out: the probe's Trials, then NonSpeech.
Excludes nothing by itself: a probe trial that could not be rendered or heard is an exclusion of ``transcribe``, which
the run files under this stage's name.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from augment import SAMPLE_RATE_HZ
from augment.chain import Probe
from pipeline import tables
from pipeline.artifacts import sha256_of
from pipeline.records import Exclusion
from pipeline.text.normalizers import NoSettings, Verbatim

NAME = "transcribe.probe"
"""A part of ``transcribe``, whose configuration and restart decide over it too."""


def plan_probe(trials: pd.DataFrame, probe: Probe) -> pd.DataFrame:
    """Return the probe's trials: of each condition and slot that occur, the one of the utterance with the lowest id.

    Noise, gain, offset and channel are those of that trial, by its plan; what differs is the speech, and so the key.
    """
    ordered = trials.sort_values("utterance_id", kind="stable")
    chosen = trials[trials.index.isin(ordered.drop_duplicates(["condition", "slot"]).index)]
    keys = [sha256_of([key, probe]) for key in chosen["trial_key"]]
    return tables.check(chosen.assign(trial_key=keys).reset_index(drop=True), tables.Trials, where=NAME)


def without_reference(utterances: pd.DataFrame) -> pd.DataFrame:
    """Return the utterances with nothing to be heard in them."""
    return utterances.assign(reference="")


def as_probe(excluded: Sequence[Exclusion]) -> list[Exclusion]:
    """Return exclusions of the probe's trials under this stage's name: they are no lost trials of the study."""
    return [replace(lost, stage=NAME) for lost in excluded]


def non_speech(planned: pd.DataFrame, transcripts: pd.DataFrame, renderings: pd.DataFrame) -> pd.DataFrame:
    """Return what was said without speech: a checked ``tables.NonSpeech``, in the order of the trials.

    Words are counted as ``verbatim`` does: punctuation is no word, and nothing that was said is dropped. The rule is
    the same in every study, whatever its normalizers.
    """
    words = Verbatim(NoSettings())
    heard = planned.merge(transcripts, on="trial_key", validate="one_to_one")
    heard = heard.merge(renderings, on="trial_key", validate="one_to_one")
    rows = [
        {
            "utterance_id": row["utterance_id"],
            "condition": row["condition"],
            "slot": row["slot"],
            "trial_key": row["trial_key"],
            "backend": row["backend"],
            "duration_s": row["samples"] / SAMPLE_RATE_HZ,
            "hypothesis": row["hypothesis"].strip(),
            "n_words": len(words(row["hypothesis"]).split()),
            "audio_sha256": row["audio_sha256"],
        }
        for row in tables.rows(heard)
    ]
    return tables.build(rows, tables.NonSpeech, where=NAME)
