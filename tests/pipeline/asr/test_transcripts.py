"""Hypotheses from a file are kept to the letter, and an id without one is counted."""

import json
import logging

import pytest
from pydantic import ValidationError

from pipeline.asr.base import Backend, Forewarned
from pipeline.asr.transcripts import Transcripts, TranscriptsSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status


def prepared(tmp_path, text, *, name="sys.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    backend = Transcripts(TranscriptsSettings(path=str(path), **options))
    backend.prepare()
    return backend


def texts(backend, requests):
    return [hypothesis.text for hypothesis in backend.transcribe(requests)]


WORDS = ["null", "None", "NA", "nan", "", "1.0", "007", "  two  spaces ", "yes, and", 'he said "no"', "true", "東京"]


def test_csv_words_stay_words(tmp_path, request_of):
    import csv
    import io

    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["utterance_id", "hypothesis"])
    writer.writerows([f"u{i}", word] for i, word in enumerate(WORDS))
    backend = prepared(tmp_path, table.getvalue())
    assert texts(backend, [request_of(f"u{i}") for i in range(len(WORDS))]) == WORDS


def test_jsonl_words_stay_words(tmp_path, request_of):
    lines = [json.dumps({"utterance_id": f"u{i}", "hypothesis": word, "extra": 1}) for i, word in enumerate(WORDS)]
    backend = prepared(tmp_path, "\n\n".join(lines), name="sys.jsonl")
    assert texts(backend, [request_of(f"u{i}") for i in range(len(WORDS))]) == WORDS


def test_ids_named_null_or_na_are_ids(tmp_path, request_of):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nNA,one\nnull,two\n001,three\n")
    assert texts(backend, [request_of(name) for name in ("NA", "null", "001")]) == ["one", "two", "three"]


def test_tsv_byte_order_mark_and_windows_line_ends_are_read(tmp_path, request_of):
    raw = b"\xef\xbb\xbfhypothesis\tutterance_id\r\nhello, there\tu1\r\n"
    assert texts(prepared(tmp_path, raw, name="sys.tsv"), [request_of("u1")]) == ["hello, there"]


def test_condition_column_keeps_conditions_apart(tmp_path, request_of):
    backend = prepared(tmp_path, "utterance_id,condition,hypothesis\nu1,clean,a\nu1,noisy,b\n")
    assert texts(backend, [request_of("u1", condition="noisy"), request_of("u1")]) == ["b", "a"]


def test_a_file_without_conditions_belongs_to_the_named_one(tmp_path, request_of):
    table = "utterance_id,hypothesis\nu1,a\n"
    backend = prepared(tmp_path, table, condition="noisy", missing="deletions")
    noisy, clean = backend.transcribe([request_of("u1", condition="noisy"), request_of("u1")])
    assert (noisy.text, noisy.status) == ("a", Status.OK)
    assert (clean.text, clean.status) == ("", Status.MISSING)


def test_missing_ids_stop_the_run_before_it_starts_with_count_and_first_five(tmp_path):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nu0,a\n")
    with pytest.raises(
        BackendError, match=r"no hypothesis for 8 of 9 trials: u1 \(clean\), .*u5 \(clean\) \(and 3 more"
    ):
        backend.expect([(f"u{i}", "clean") for i in range(9)])


def test_missing_ids_stop_the_run_in_transcribe_when_nothing_was_announced(tmp_path, request_of):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nu0,a\n")
    with pytest.raises(BackendError, match="missing=deletions"):
        backend.transcribe([request_of("u0"), request_of("u1")])


def test_missing_ids_count_as_deletions_when_declared(tmp_path, request_of):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nu0,\n", missing="deletions")
    backend.expect([("u0", "clean"), ("u1", "clean")])
    empty, missing = backend.transcribe([request_of("u0"), request_of("u1")])
    assert (empty.text, empty.status, empty.detail) == ("", Status.OK, "")
    assert (missing.text, missing.status) == ("", Status.MISSING)
    assert "sys.csv" in missing.detail


def test_a_json_null_is_a_missing_hypothesis(tmp_path, request_of):
    row = '{"utterance_id": "u1", "hypothesis": null}\n'
    backend = prepared(tmp_path, row, name="sys.jsonl", missing="deletions")
    assert backend.transcribe([request_of("u1")])[0].status is Status.MISSING


def test_a_file_of_another_study_is_refused_even_where_missing_is_allowed(tmp_path):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nx1,a\n", missing="deletions")
    with pytest.raises(BackendError, match=r"none of the 1 hypotheses .*x1 \(clean\).*u1 \(clean\)"):
        backend.expect([("u1", "clean")])


def test_ids_that_are_not_in_the_study_are_logged(tmp_path, caplog):
    backend = prepared(tmp_path, "utterance_id,hypothesis\nu1,a\nx1,b\nx2,c\n")
    with caplog.at_level(logging.INFO, logger="pipeline.asr.transcripts"):
        backend.expect([("u1", "clean")])
    assert "2 of 3 hypotheses are not in this study and stay unused: x1 (clean), x2 (clean)" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.csv",
            "utterance_id,hypothesis\nu1,a\nu1,a\nu2,b\nu2,c\n",
            r"2 trials more than once: u1 \(clean\), u2 \(clean",
        ),
        ("a.csv", "utterance_id,hypothsis\nu1,a\n", "no column 'hypothesis'.*Did you mean 'hypothsis'"),
        ("a.csv", "", "no column 'utterance_id'"),
        ("a.csv", "utterance_id,hypothesis,hypothesis\nu1,a,b\n", "more than one column named hypothesis"),
        ("a.csv", "utterance_id,hypothesis\nu1,yes, and no\n", "line 2 has 3 fields, its header 2"),
        ("a.csv", "utterance_id,hypothesis\nu1\n", "line 2 has 1 fields"),
        ("a.csv", 'utterance_id,hypothesis\nu1,"open\n', "not readable as csv"),
        ("a.csv", "utterance_id,hypothesis\nu1,caf\xe9\n".encode("latin-1"), "not UTF-8"),
        ("a.jsonl", '{"utterance_id": "u1", "hypothesis": "a"}\n{"utter', "line 2 is not JSON"),
        ("a.jsonl", '["u1", "a"]', "line 1 is not an object"),
        ("a.jsonl", '{"utterance_id": 1, "hypothesis": "a"}', "line 1 is not an object with 'utterance_id' .text"),
        ("a.jsonl", '{"utterance_id": "u1", "pred_text": "a"}', "and 'hypothesis'"),
        ("a.jsonl", '{"utterance_id": "u1", "hypothesis": 7}', "'hypothesis' is not text: 7"),
        ("a.jsonl", '{"utterance_id": "u1", "hypothesis": "\\ud800"}', "line 1: the hypothesis is not valid Unicode"),
        ("a.xlsx", "", "asr.format=csv"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path, name, text, said):
    with pytest.raises(BackendError, match=said):
        prepared(tmp_path, text, name=name)


def test_no_path_and_no_file_get_a_sentence(tmp_path):
    with pytest.raises(ValidationError, match=r"asr\.path is needed"):
        TranscriptsSettings()
    with pytest.raises(MissingPrerequisite, match="no file"):
        Transcripts(TranscriptsSettings(path=str(tmp_path / "none.csv"))).prepare()


def test_fingerprint_is_the_files_content_and_how_it_is_read(tmp_path):
    first = prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n").fingerprint()
    assert prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n", name="other.csv").fingerprint() == first
    assert prepared(tmp_path, "utterance_id,hypothesis\nu1,b\n").fingerprint() != first
    assert prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n", condition="noisy").fingerprint() != first
    assert prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n", missing="deletions").fingerprint() != first


def test_it_is_a_forewarned_backend_named_after_its_label_or_file(tmp_path):
    backend: Backend = prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n")
    assert isinstance(backend, Forewarned)
    assert backend.name == "transcripts:sys"
    assert prepared(tmp_path, "utterance_id,hypothesis\nu1,a\n", label="vendor x").name == "transcripts:vendor x"
