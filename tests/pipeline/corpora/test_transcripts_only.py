"""A corpus of texts and labels: which file, which columns, one utterance of several recognizers' rows."""

import json
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.corpora.transcripts_only import TranscriptsOnlyCorpus, TranscriptsOnlySettings
from pipeline.errors import ManifestError

HEADER = "utterance_id,reference,speaker_id,accent"


def corpus(folder: Path, text: str, *, name: str = "manifest.csv", **settings: object) -> TranscriptsOnlyCorpus:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return TranscriptsOnlyCorpus(TranscriptsOnlySettings.model_validate({"path": folder} | settings))


def test_a_folder_stands_for_the_manifest_in_it_and_nothing_of_the_audio_is_known(tmp_path: Path) -> None:
    one = corpus(tmp_path / "calls", f'{HEADER}\nu1,null,s1,NA\nu2,None,,"a, b"\n')
    loaded = one.load()
    assert one.name == "calls"
    assert one.inputs() == (tmp_path / "calls" / "manifest.csv",)
    table = loaded.utterances
    assert table["reference"].tolist() == ["null", "None"]
    assert table["accent"].tolist() == ["NA", "a, b"]
    assert table["speaker_id"].isna().tolist() == [False, True]
    assert table[["duration_s", "audio_sha256"]].isna().all().all()
    assert (table["audio"] == "").all()


def test_a_folder_with_no_manifest_or_with_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"holds no manifest\.csv"):
        corpus(tmp_path / "x", "", name="other.csv").load()
    corpus(tmp_path / "y", f"{HEADER}\nu1,a,s,x\n")
    with pytest.raises(ManifestError, match=r"manifest.csv and manifest.tsv"):
        corpus(tmp_path / "y", "", name="manifest.tsv").load()


def test_columns_are_called_what_the_user_says(tmp_path: Path) -> None:
    text = "id,said,who,l1,whisper,age\n7,hello,s1,fr,hullo,30\n"
    named = {"id_column": "id", "reference_column": "said", "speaker_column": "who", "accent_column": "l1"}
    row = corpus(tmp_path / "x", text, attributes=["age"], **named).load().utterances.iloc[0]
    assert (row["utterance_id"], row["reference"], row["speaker_id"], row["accent"]) == ("7", "hello", "s1", "fr")
    assert row["attr_age"] == "30"
    with pytest.raises(ManifestError, match="no column 'l2'"):
        corpus(tmp_path / "x", text, **(named | {"accent_column": "l2"})).load()
    with pytest.raises(ValidationError, match="four different columns"):
        TranscriptsOnlySettings.model_validate({"path": "x", "id_column": "reference"})


def test_rows_of_several_recognizers_are_one_utterance_unless_they_disagree(tmp_path: Path) -> None:
    header = f"{HEADER},system,hypothesis"
    rows = ["u1,one two,s1,x,A,one", "u1,one two,s1,x,B,two", "u2,three,s1,x,A,", "u2,tree,s1,x,B,"]
    loaded = corpus(tmp_path / "x", "\n".join([header, *rows])).load()
    assert loaded.utterances["utterance_id"].tolist() == ["u1"]
    assert [(lost.utterance_id, lost.reason) for lost in loaded.exclusions] == [("u2", "duplicate_id")] * 2
    assert loaded.rows == 3


def test_rows_that_cannot_be_used_are_excluded_with_a_reason(tmp_path: Path) -> None:
    rows = ["u1,hello,s1,x", "u2,,s1,x", "u3,hello,s1,", ",hello,s1,x", "u5,hello,s1,ALL", "u6,hello,s1"]
    loaded = corpus(tmp_path / "x", "\n".join([HEADER, *rows])).load()
    assert len(loaded.utterances) + len(loaded.exclusions) == loaded.rows == 6
    reasons = {lost.utterance_id: str(lost.reason) for lost in loaded.exclusions}
    assert reasons == {
        "u2": "empty_reference", "u3": "missing_value", "line 5": "missing_value", "u5": "unknown_accent",
        "u6": "missing_value",
    }  # fmt: skip
    with pytest.raises(ManifestError, match="5 of 6 rows"):
        corpus(tmp_path / "x", "\n".join([HEADER, *rows]), on_bad_row="stop").load()


def test_labels_with_line_ends_commas_and_emoji_stay_what_they_are(tmp_path: Path) -> None:
    labels = ["two\nlines", "a, b", "\U0001f442", "null", "None", "NA", "=1+1"]
    lines = [json.dumps({"utterance_id": f"u{place}", "reference": "a", "accent": label}) for place, label in
             enumerate(labels)]  # fmt: skip
    loaded = corpus(tmp_path / "x", "\n".join(lines), name="manifest.jsonl").load()
    assert loaded.utterances["accent"].tolist() == labels
    assert isinstance(loaded.utterances, pd.DataFrame)


def test_audio_is_refused(tmp_path: Path) -> None:
    one = corpus(tmp_path / "x", f"{HEADER}\nu1,a,s,x\n")
    with pytest.raises(ManifestError, match="holds no audio"):
        one.audio_path("")
    assert not one.has_audio
    assert one.talkers(one.load().utterances) == ()
