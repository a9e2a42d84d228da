"""Schemas at the stage borders: what passes, and how a failure reads."""

import pandas as pd
import pytest

from pipeline import tables
from pipeline.errors import TableError
from pipeline.records import Exclusion, Reason

SCHEMAS = [
    tables.Utterances, tables.Acoustics, tables.Trials, tables.Transcripts, tables.Renderings, tables.NonSpeech,
    tables.Scores, tables.Cells, tables.Disparities, tables.Interactions, tables.Exclusions,
]  # fmt: skip

SCORE = {
    "utterance_id": "u1", "condition": "clean", "backend": "b", "normalizer": "n", "speaker_id": None, "accent": "NA",
    "hits": 1, "substitutions": 0, "deletions": 0, "insertions": 0,
    "normalized_reference": "null", "normalized_hypothesis": "",
}  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_a_table_without_rows_has_the_declared_types(schema: tables.Schema) -> None:
    empty = tables.build([], schema, where="test")
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == tables.columns(schema)


def test_the_words_null_and_na_stay_text_and_a_missing_speaker_stays_missing() -> None:
    table = tables.build([SCORE], tables.Scores, where="test")
    assert table.loc[0, "accent"] == "NA"
    assert table.loc[0, "normalized_reference"] == "null"
    assert table.loc[0, "normalized_hypothesis"] == ""
    assert table["speaker_id"].isna().all()


def test_a_failure_names_the_column_the_rule_and_the_first_five_offenders() -> None:
    rows = [SCORE | {"utterance_id": f"u{i}", "hits": -i - 1} for i in range(7)]
    with pytest.raises(TableError, match=r"here: .*Scores.*'hits'.*row 0: -1.*row 4: -5 \(and 2 more\)"):
        tables.build(rows, tables.Scores, where="here")


def test_a_repeated_key_is_refused() -> None:
    with pytest.raises(TableError, match="uniqueness"):
        tables.build([SCORE, SCORE], tables.Scores, where="test")


def test_an_undeclared_column_is_refused() -> None:
    table = tables.build([SCORE], tables.Scores, where="test").assign(wer=0.5)
    with pytest.raises(TableError, match="wer"):
        tables.check(table, tables.Scores, where="test")


def test_a_rate_in_a_count_column_is_refused_and_never_converted() -> None:
    table = tables.build([SCORE], tables.Scores, where="test").astype({"hits": float})
    with pytest.raises(TableError, match="hits"):
        tables.check(table, tables.Scores, where="test")


def test_declared_speaker_attributes_travel_as_extra_columns() -> None:
    row = dict.fromkeys(tables.columns(tables.Utterances), "x") | {
        "audio_sha256": "0" * 64, "sample_rate_hz": 8000, "duration_s": 1.0, "synthetic": False,
        "attr_gender": "female",
    }  # fmt: skip
    assert tables.build([row], tables.Utterances, where="test").loc[0, "attr_gender"] == "female"


def test_what_cannot_be_measured_of_a_recording_is_missing_and_its_rate_is_not() -> None:
    row = dict.fromkeys(tables.columns(tables.Acoustics)) | {"utterance_id": "u1", "sample_rate_hz": 8000}
    table = tables.build([row], tables.Acoustics, where="test")
    assert int(table.loc[0].isna().sum()) == len(table.columns) - 2
    with pytest.raises(TableError, match=r"clipped_share.*1\.5"):
        tables.build([row | {"clipped_share": 1.5}], tables.Acoustics, where="test")
    with pytest.raises(TableError, match="uniqueness"):
        tables.build([row, row], tables.Acoustics, where="test")


def test_a_slot_is_heard_without_speech_once_in_each_condition() -> None:
    row = {
        "utterance_id": "u1", "condition": "clean", "slot": 0, "trial_key": "k" * 64, "backend": "b",
        "duration_s": 1.0, "hypothesis": "", "n_words": 0, "audio_sha256": "0" * 64,
    }  # fmt: skip
    assert len(tables.build([row, row | {"slot": 1}], tables.NonSpeech, where="test")) == 2
    with pytest.raises(TableError, match="uniqueness"):
        tables.build([row, row | {"utterance_id": "u2"}], tables.NonSpeech, where="test")


def test_dataclass_rows_are_taken_as_they_are() -> None:
    lost = Exclusion("load_utterances", "u1", "", Reason.MISSING_AUDIO, "a, b\nc")
    table = tables.build([lost], tables.Exclusions, where="test")
    assert table.loc[0, "reason"] == "missing_audio"
    assert isinstance(table, pd.DataFrame)
