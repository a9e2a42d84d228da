"""Scores from tables: what is counted, what is excluded, and that neither order nor repetition matters."""

from typing import Any

import pandas as pd
import pytest

from pipeline import tables
from pipeline.errors import TableError
from pipeline.records import Reason
from pipeline.stages.score import score
from pipeline.text import pairs
from pipeline.text.alignment import count_all

NORMALIZERS = {"lower": lambda text: " ".join(text.lower().split()), "as_is": lambda text: text}
Heard = list[tuple[str, str, str]]
"""Utterance, reference, hypothesis."""


def tables_of(heard: Heard, condition: str = "clean", **utterance: Any) -> tuple[pd.DataFrame, ...]:
    spoken = {
        "corpus": "c", "speaker_id": "s", "accent": "a", "raw_accent": "a", "audio": "x", "audio_sha256": "0" * 64,
        "sample_rate_hz": 16000, "duration_s": 1.0, "synthetic": False, "label_provenance": "",
    } | utterance  # fmt: skip
    said = dict.fromkeys(("decode_s", "avg_logprob", "no_speech_prob", "compression_ratio", "n_tokens"))
    utterances = [spoken | {"utterance_id": name, "reference": reference} for name, reference, _ in heard]
    trials = [
        {"utterance_id": name, "condition": condition, "trial_key": f"{name:>064}", "slot": 0, "plan": "{}"}
        for name, _, _ in heard
    ]
    transcripts = [
        said | {"trial_key": f"{name:>064}", "backend": "e", "hypothesis": text, "status": "ok", "detail": ""}
        for name, _, text in heard
    ]
    return (
        tables.build(utterances, tables.Utterances, where="test"),
        tables.build(trials, tables.Trials, where="test"),
        tables.build(transcripts, tables.Transcripts, where="test"),
    )


def test_every_normalizer_counts_every_trial() -> None:
    scores, excluded = score(*tables_of([("u1", "The cat sat", "the cat"), ("u2", "no", "yes no")]), NORMALIZERS)
    assert excluded == []
    found = scores.set_index(["normalizer", "utterance_id"])[["hits", "substitutions", "deletions", "insertions"]]
    assert found.loc[("lower", "u1")].tolist() == [2, 0, 1, 0]
    assert found.loc[("as_is", "u1")].tolist() == [1, 1, 1, 0]
    assert found.loc[("lower", "u2")].tolist() == [1, 0, 0, 1]
    assert scores["normalizer"].tolist() == ["as_is"] * 2 + ["lower"] * 2
    assert scores["normalized_reference"].tolist()[2] == "the cat sat"


def test_an_empty_hypothesis_is_all_deletions_and_an_empty_reference_an_exclusion() -> None:
    heard = [("u1", "a b", ""), ("u2", "  ", "uh huh"), ("u3", "", "")]
    scores, excluded = score(*tables_of(heard, "noise"), {"as_is": NORMALIZERS["as_is"]})
    assert scores["utterance_id"].tolist() == ["u1"]
    assert scores[["hits", "deletions"]].iloc[0].tolist() == [0, 2]
    assert [(one.utterance_id, one.condition, one.reason) for one in excluded] == [
        ("u2", "noise", Reason.NO_REFERENCE_WORDS), ("u3", "noise", Reason.NO_REFERENCE_WORDS)
    ]  # fmt: skip
    assert [one.detail.split("; ")[1] for one in excluded] == ["2 word(s) heard", "0 word(s) heard"]


def test_a_trial_that_failed_has_no_score_and_the_others_keep_their_order() -> None:
    utterances, trials, transcripts = tables_of([(name, "a b", name) for name in ("u3", "u1", "u2")])
    scores, excluded = score(utterances, trials, transcripts.iloc[[2, 0]], {"as_is": NORMALIZERS["as_is"]})
    assert scores["utterance_id"].tolist() == ["u3", "u2"]
    assert scores["normalized_hypothesis"].tolist() == ["u3", "u2"]
    assert excluded == []


def test_odd_labels_and_a_missing_speaker_come_through_unchanged() -> None:
    labels = {"speaker_id": None, "accent": "null,\n\U0001f442"}
    scores, _ = score(*tables_of([("NA", "none", "null")], "None", **labels), {"as_is": NORMALIZERS["as_is"]})
    row = scores.iloc[0]
    assert [row["utterance_id"], row["condition"], row["accent"]] == ["NA", "None", "null,\n\U0001f442"]
    assert pd.isna(row["speaker_id"])
    assert row["substitutions"] == 1


def test_rows_that_are_alike_are_aligned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(pairs, "count_all", lambda both: sizes.append(len(both[0])) or count_all(both))
    scores, _ = score(*tables_of([(f"u{place}", "A b", "a B") for place in range(300)]), NORMALIZERS)
    assert sum(sizes) == 2
    assert scores.groupby("normalizer")["hits"].sum().to_dict() == {"as_is": 0, "lower": 600}


def test_no_trials_give_an_empty_table_of_scores() -> None:
    scores, excluded = score(*tables_of([]), NORMALIZERS)
    assert scores.empty
    assert list(scores.columns) == list(tables.columns(tables.Scores))
    assert excluded == []


@pytest.mark.parametrize("doubled", [1, 2])
def test_a_key_that_is_there_twice_is_refused(doubled: int) -> None:
    made = list(tables_of([("u1", "a", "a"), ("u2", "a", "a")]))
    made[doubled] = made[doubled].assign(trial_key="0" * 64)
    with pytest.raises(TableError, match="trial_key"):
        score(*made, NORMALIZERS)
