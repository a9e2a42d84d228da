"""Scoring counts characters beside words, and a pair of texts once, however many trials have it."""

import pandas as pd
import pytest

from pipeline import tables
from pipeline.stages.score import score
from pipeline.text import pairs
from pipeline.text.alignment import count_all

SAID, HEARD = "every day life", "everyday live"


def tables_of(trials: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """So many trials of one text, all heard alike."""
    shared = {"corpus": "c", "speaker_id": "s", "accent": "a", "raw_accent": "a", "reference": SAID, "audio": "",
              "audio_sha256": None, "sample_rate_hz": 0, "duration_s": None, "synthetic": False,
              "label_provenance": ""}  # fmt: skip
    utterances = [shared | {"utterance_id": f"u{n}"} for n in range(trials)]
    planned = [{"utterance_id": f"u{n}", "condition": "clean", "trial_key": f"{n:064}", "slot": 0, "plan": "{}"}
               for n in range(trials)]  # fmt: skip
    empty = dict.fromkeys(tables.columns(tables.Transcripts))
    said = [empty | {"trial_key": f"{n:064}", "backend": "e", "hypothesis": HEARD, "status": "ok", "detail": ""}
            for n in range(trials)]  # fmt: skip
    return (
        tables.build(utterances, tables.Utterances, where="test"),
        tables.build(planned, tables.Trials, where="test"),
        tables.build(said, tables.Transcripts, where="test"),
    )


def test_a_pair_of_texts_is_aligned_once_and_counts_in_every_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    aligned: list[int] = []

    def watched(given):
        aligned.append(len(given[0]))
        return count_all(given)

    monkeypatch.setattr(pairs, "count_all", watched)
    scores, excluded = score(*tables_of(2000), {"plain": str.lower})
    assert sum(aligned) == 1
    assert len(scores) == 2000
    assert not excluded
    assert set(scores["ref_characters"]) == {14}
    assert set(scores["character_errors"]) == {2}  # a space left out, an f for a v
    assert set(scores["substitutions"] + scores["deletions"] + scores["insertions"]) == {3}
