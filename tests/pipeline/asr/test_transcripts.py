"""Hypotheses from a file are kept to the letter, and an id without one is counted."""

import json
import logging
import os
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.asr.base import Backend, Forewarned
from pipeline.asr.transcripts import Transcripts, TranscriptsSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

AWS = Path(__file__).parent / "transcripts" / "aws_transcribe"


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


def folder_of(tmp_path, files):
    """Write a folder of OpenAI responses, text by relative name, and return it."""
    root = tmp_path / "out"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"text": text}))
    return root


def opened(root, **options):
    backend = Transcripts(TranscriptsSettings(path=str(root), **{"format": "openai"} | options))
    backend.prepare()
    return backend


def test_a_folder_is_searched_to_its_bottom_and_the_file_names_are_the_ids(tmp_path, request_of):
    root = folder_of(tmp_path, {"u1.json": "a", "deep/er/u2.wav.json": "b", "u.3.json": "c"})
    (root / "notes.md").write_text("not ours")
    backend = opened(root)
    assert texts(backend, [request_of("u1"), request_of("u2"), request_of("u.3")]) == ["a", "b", "c"]
    assert backend.name == "transcripts:out"


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    root = folder_of(tmp_path, {"u1.json": "a", ".u1.json": "b", ".old/u1.json": "c"})
    opened(root).expect([("u1", "clean")])


def test_a_folder_without_a_file_of_the_format_gets_a_sentence(tmp_path):
    root = folder_of(tmp_path, {"u1.json": "a"})
    with pytest.raises(BackendError, match="holds no file of format ctm"):
        opened(root, format="ctm")
    (root / "u.csv").write_text("utterance_id,hypothesis")
    with pytest.raises(BackendError, match=r"out holds \.csv and \.json files: say which"):
        opened(root, format="auto")


def test_links_that_leave_the_folder_or_lead_nowhere_are_refused(tmp_path):
    root = folder_of(tmp_path, {"u1.json": "a"})
    outside = tmp_path / "secret.json"
    outside.write_text('{"text": "b"}')
    for target in (outside, tmp_path, root / "none.json"):
        link = root / "u2.json"
        link.symlink_to(target)
        with pytest.raises(BackendError, match=r"out holds a link that leads (out of it|nowhere): u2\.json"):
            opened(root)
        link.unlink()


def test_links_within_the_folder_are_followed_to_files_and_never_in_circles(tmp_path, request_of):
    root = folder_of(tmp_path, {"a/u1.json": "a"})
    (root / "u2.json").symlink_to(root / "a" / "u1.json")
    (root / "a" / "round").symlink_to(root)
    assert texts(opened(root), [request_of("u1"), request_of("u2")]) == ["a", "a"]


def test_the_first_folder_can_be_the_condition(tmp_path, request_of):
    root = folder_of(tmp_path, {"clean/u1.json": "a", "babble_10/spk/u1.json": "b"})
    backend = opened(root, condition_from="folder")
    assert texts(backend, [request_of("u1"), request_of("u1", condition="babble_10")]) == ["a", "b"]
    (root / "u2.json").write_text('{"text": "c"}')
    with pytest.raises(BackendError, match=r"u2\.json lies in no folder that names its condition"):
        opened(root, condition_from="folder")


def test_patterns_take_the_id_and_the_condition_out_of_the_path(tmp_path, request_of):
    root = folder_of(tmp_path, {"job7/clean__spk1_0001__x.json": "a", "job7/babble_10__spk1_0001__x.json": "b"})
    options = {"id_pattern": r"__(\w+?)__", "condition_from": "pattern", "condition_pattern": r"/([a-z0-9_]+?)__"}
    backend = opened(root, **options)
    asked = [request_of("spk1_0001"), request_of("spk1_0001", condition="babble_10")]
    assert texts(backend, asked) == ["a", "b"]
    with pytest.raises(BackendError, match=r"in which asr\.id_pattern .* finds nothing: let the pattern fit"):
        opened(root, **options | {"id_pattern": r"(\d{5})"})


def test_a_pattern_takes_the_id_out_of_an_audio_path_in_the_file(tmp_path, request_of):
    row = json.dumps({"audio_filepath": "s3://bucket/x/take7-spk1_0001.wav", "pred_text": "a"})
    backend = prepared(tmp_path, row, name="sys.jsonl", format="nemo", id_pattern=r"take\d-(.+)\.wav")
    assert texts(backend, [request_of("spk1_0001")]) == ["a"]


def test_only_the_suffix_of_audio_is_taken_off_a_path_in_the_file(tmp_path, request_of):
    paths = [
        "x/spk.0001.wav",
        "gs://b/x/spk.0002.FLAC",
        "C:\\ours\\spk.0003.mp3",
        "spk.0004",
        "https://h.example/u%205.wav?k=v",
    ]
    rows = "\n".join(json.dumps({"audio_filepath": path, "pred_text": path}) for path in paths)
    backend = prepared(tmp_path, rows, name="sys.jsonl", format="nemo")
    names = ["spk.0001", "spk.0002", "spk.0003", "spk.0004", "u 5"]
    assert texts(backend, [request_of(name) for name in names]) == paths


def test_the_field_can_be_the_id_instead_of_the_file_name(request_of):
    backend = Transcripts(TranscriptsSettings(path=str(AWS / "kite_01.json"), id_from="field"))
    backend.prepare()
    assert texts(backend, [request_of("job-kite_01")]) == ["The kite is null, said None."]


def test_a_file_that_does_not_say_whose_it_is_gets_a_sentence_where_that_was_asked_for(tmp_path):
    with pytest.raises(BackendError, match=r"u1\.json does not say which recording it holds: asr\.id_from=stem"):
        opened(folder_of(tmp_path, {"u1.json": "a"}), id_from="field")


def test_a_key_in_an_address_reaches_neither_messages_nor_ids(tmp_path):
    row = json.dumps({"audio_filepath": "https://h.example/u1.wav?sig=SECRET", "pred_text": "a"})
    with pytest.raises(BackendError, match="finds nothing") as caught:
        prepared(tmp_path, row, name="sys.jsonl", format="nemo", id_pattern="(zzz)")
    assert "SECRET" not in str(caught.value)


def test_two_files_that_answer_one_trial_are_both_named(tmp_path):
    root = folder_of(tmp_path, {"a/u1.json": "a", "b/u1.json": "a", "b/u2.json": "c"})
    with pytest.raises(
        BackendError, match=r"out answers 1 trials more than once: u1 \(clean\) in a/u1\.json and b/u1\.json"
    ):
        opened(root)


def test_a_failed_job_stops_nothing_and_is_never_all_deletions(request_of, caplog):
    for missing in ("error", "deletions"):
        backend = Transcripts(
            TranscriptsSettings(path=str(AWS), format="aws_transcribe", channel="ch_0", missing=missing)
        )
        backend.prepare()
        with caplog.at_level(logging.WARNING, logger="pipeline.asr.transcripts"):
            backend.expect([("kite_01", "clean"), ("kite_02", "clean"), ("kite_03", "clean")])
        assert "the vendor failed on 1 of 3 trials, which are excluded: kite_03 (clean)" in caplog.text
        answer = backend.transcribe([request_of("kite_03")])[0]
        assert (answer.text, answer.status) == ("", Status.FAILED)
        assert answer.detail.startswith("noisy/kite_03.json: the job's status is FAILED")


def test_words_stay_words_in_a_folder_of_json(tmp_path, request_of):
    root = folder_of(tmp_path, {f"u{i}.json": word for i, word in enumerate(WORDS)})
    assert texts(opened(root), [request_of(f"u{i}") for i in range(len(WORDS))]) == WORDS


def test_a_folders_fingerprint_is_its_names_and_contents_and_not_its_place(tmp_path):
    files = {"u1.json": "a", "b/u2.json": "b"}
    first = opened(folder_of(tmp_path / "one", files)).fingerprint()
    assert opened(folder_of(tmp_path / "two", dict(reversed(files.items())))).fingerprint() == first
    assert opened(folder_of(tmp_path / "three", {"u1.json": "b", "b/u2.json": "a"})).fingerprint() != first
    assert opened(folder_of(tmp_path / "four", {"u1.json": "a", "c/u2.json": "b"})).fingerprint() != first
    assert opened(folder_of(tmp_path / "five", files), format="auto").fingerprint() == first
    assert opened(folder_of(tmp_path / "six", files), batch_size=7, label="x").fingerprint() == first
    assert opened(folder_of(tmp_path / "seven", files), id_pattern="(u.)").fingerprint() != first


def test_a_file_whose_name_is_no_text_gets_a_sentence(tmp_path):
    root = folder_of(tmp_path, {"u1.json": "a"})
    try:
        os.rename(root / "u1.json", os.fsencode(root) + b"/u\xff.json")
    except OSError:
        pytest.skip("this file system holds names of text only")
    with pytest.raises(BackendError, match=r"u\\udcff\.json holds the utterance_id, which is not valid Unicode"):
        opened(root)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"id_pattern": "u1"}, "must have one group"),
        ({"id_pattern": "(a)(b)"}, "must have one group"),
        ({"id_pattern": "(a"}, "is not a regular expression"),
        ({"id_pattern": "((?:a+)+)b"}, "repeats a group"),
        ({"id_pattern": "(x" + "." * 300 + ")"}, "at most 200 characters"),
        ({"condition_from": "pattern"}, "give both or neither"),
        ({"condition_pattern": "(a)"}, "give both or neither"),
        ({"format": "csv", "id_from": "stem"}, "holds many recordings"),
        ({"format": "kaldi", "channel": 1}, "know no channels"),
        ({"format": "srt"}, "'aws_transcribe'"),
        ({"azure_text": "itn"}, "'lexical' or 'display'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(options, said):
    with pytest.raises(ValidationError, match=said):
        TranscriptsSettings(path="x", **options)


@pytest.mark.parametrize("pattern", [r"(\w+)\)+", r"([)*+]x)", r"(?:x/)?(a)", r"([]a)*]+)"])
def test_patterns_that_repeat_no_group_are_accepted(pattern):
    assert TranscriptsSettings(path="x", id_pattern=pattern).id_pattern == pattern


def test_a_name_too_long_for_a_pattern_gets_a_sentence(tmp_path):
    row = json.dumps({"audio_filepath": "a" * 2000, "pred_text": "a"})
    with pytest.raises(BackendError, match="has a name of 2000 characters"):
        prepared(tmp_path, row, name="sys.jsonl", format="nemo", id_pattern="(a)")


@pytest.mark.slow
def test_a_vendors_folder_runs_to_a_card_and_a_failed_job_is_an_exclusion(
    command, make_corpus, manifest_overrides, tmp_path
):
    manifest = make_corpus()
    ids = [line.split(",")[0] for line in manifest.read_text().splitlines()[1:]]
    for name in ids[1:]:
        path = tmp_path / "transcribe_output" / "clean" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((AWS / "kite_01.json").read_text())
    shutil.copy(AWS / "noisy" / "kite_03.json", tmp_path / "transcribe_output" / "clean" / f"{ids[0]}.json")
    options = [
        "asr=transcripts",
        "asr.path=transcribe_output/",
        "asr.format=aws_transcribe",
        "asr.condition_from=folder",
    ]
    done = command(*manifest_overrides(manifest), *options, "conditions=[clean]", "run_name=imported")
    assert done.returncode == 3, done.stderr
    excluded = (tmp_path / "results" / "imported" / "exclusions.csv").read_text()
    assert f"{ids[0]},clean,transcription_failed,clean/{ids[0]}.json: the job's status is FAILED" in excluded
    shutil.rmtree(tmp_path / "transcribe_output" / "clean")
    gone = command(*manifest_overrides(manifest), *options, "conditions=[clean]", "run_name=gone")
    assert gone.returncode == 2
    assert "holds no file of format aws_transcribe" in gone.stderr
    assert "Traceback" not in gone.stderr


def test_the_configuration_states_every_setting_with_its_default(composed):
    stated = composed("asr=transcripts")["asr"]
    defaults = TranscriptsSettings(path="x").model_dump() | {"path": None, "kind": "transcripts"}
    assert stated == defaults
