"""What the scores do not hold is counted once, in its own cell."""

from collections.abc import Sequence

import pandas as pd

from pipeline import tables
from pipeline.records import Exclusion, Reason
from pipeline.stages.count_left_out import KEY, count_left_out

SHA = "a" * 64


def utterance(name: str, accent: str, reference: str) -> dict[str, object]:
    return {
        "utterance_id": name, "corpus": "c", "speaker_id": "s", "accent": accent, "raw_accent": accent,
        "reference": reference, "audio": "x.wav", "audio_sha256": SHA, "sample_rate_hz": 16000, "duration_s": 1.0,
        "synthetic": False, "label_provenance": "",
    }  # fmt: skip


def counted(
    said: Sequence[tuple[str, str | None, str]], excluded: Sequence[Exclusion], references: Sequence[str]
) -> pd.DataFrame:
    """Count for one utterance each of accents a, b, ...; ``said``: utterance, hypothesis, status."""
    utterances = [utterance(f"u{n}", "ab"[n % 2], text) for n, text in enumerate(references)]
    trials = [
        {"utterance_id": f"u{n}", "condition": "clean", "trial_key": f"{n:064}", "slot": 0, "plan": "{}"}
        for n in range(len(references))
    ]
    transcripts = [
        dict.fromkeys(tables.columns(tables.Transcripts))
        | {"trial_key": f"{int(name[1:]):064}", "backend": "engine", "hypothesis": text, "status": status, "detail": ""}
        for name, text, status in said
    ]
    return count_left_out(
        tables.build(utterances, tables.Utterances, where="test"),
        tables.build(trials, tables.Trials, where="test"),
        tables.build(transcripts, tables.Transcripts, where="test"),
        tables.build(excluded, tables.Exclusions, where="test"),
        normalizers={"plain": str.lower, "letters": lambda text: text.replace("-", " ")},
        backend="engine",
    )


def test_failures_renderings_and_what_was_not_delivered_are_kept_apart() -> None:
    lost = [
        Exclusion("transcribe", "u0", "clean", Reason.TRANSCRIPTION_FAILED, "the job failed"),
        Exclusion("transcribe", "u1", "clean", Reason.NO_ACTIVE_SPEECH, "silent"),
        Exclusion("transcribe.repeats", "u2", "clean", Reason.TRANSCRIPTION_FAILED, "a repeat"),
        Exclusion("load_utterances", "u9", "", Reason.MISSING_AUDIO, "gone"),
    ]
    table = counted([("u2", "", "missing"), ("u3", "", "ok")], lost, ["one", "two", "three", "four"])
    found = table.set_index(KEY)
    for normalizer in ("plain", "letters"):
        a, b = (found.loc[(accent, "clean", "engine", normalizer)].to_dict() for accent in "ab")
        assert a["n_failed"] == a["n_not_delivered"] == b["n_unrendered"] == 1
        assert a["n_unrendered"] == b["n_failed"] == b["n_not_delivered"] == 0
        assert a["n_no_reference_words"] == b["n_no_reference_words"] == 0


def test_words_heard_without_a_reference_word_count_under_the_normalizer_that_leaves_none() -> None:
    lost = [Exclusion("score", "u0", "clean", Reason.NO_REFERENCE_WORDS, "no words")]
    table = counted([("u0", "uh huh", "ok"), ("u1", "two", "ok")], lost, ["--", "two"])
    [row] = tables.rows(table)
    assert (row["accent"], row["normalizer"]) == ("a", "letters")
    assert (row["n_no_reference_words"], row["no_reference_inserted_words"]) == (1, 2)


def test_nothing_left_out_is_no_row() -> None:
    assert counted([("u0", "one", "ok")], [], ["one"]).empty
    assert counted([], [], []).empty
