"""Every format gives the words and the id that its documentation says, and a broken file gets a sentence."""

import shutil
from pathlib import Path

import pytest

from pipeline.asr.imported.formats import DOCUMENTS, TABLES
from pipeline.asr.transcripts import Transcripts, TranscriptsSettings
from pipeline.errors import BackendError
from pipeline.records import Status

FIXTURES = Path(__file__).parent / "transcripts"
EVERY_FORMAT = [*DOCUMENTS, *TABLES]


def read(path, **options):
    backend = Transcripts(TranscriptsSettings(path=str(path), **{"missing": "deletions"} | options))
    backend.prepare()
    return backend


def answers(backend, request_of, *ids, condition="clean"):
    return backend.transcribe([request_of(name, condition=condition) for name in ids])


def written(tmp_path, text, name="kite_01.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("kind", "file", "said"),
    [
        ("aws_transcribe", "aws_transcribe/kite_01.json", {"kite_01": "The kite is null, said None."}),
        ("google", "google/kite_01_transcript_0a1b2c3d-0000-4e5f.json", {"kite_01": "two kites over the barn"}),
        ("google", "google_batch/operation.json", {"kite_01": "two kites over the barn", "kite_02": ""}),
        ("azure", "azure/contenturl_0.json", {"kite_01": "twenty two kites"}),
        ("azure", "azure/kite_02.wav.json", {"kite_02": "Twelve kites."}),
        ("azure", "azure/kite_03.json", {"kite_03": "one kite"}),
        ("azure", "azure/kite_04.json", {"kite_04": ""}),
        ("deepgram", "deepgram/kite_01.json", {"kite_01": "a kite in the yard"}),
        ("assemblyai", "assemblyai/kite_01.json", {"kite_01": "Nobody flew it."}),
        ("openai", "openai/kite_01.json", {"kite_01": "He let go of the line."}),
        ("openai", "openai/kite_02.json", {"kite_02": "It rose. It fell."}),
        ("openai", "openai/kite_03.txt", {"kite_03": "null"}),
        ("whisper_cli", "whisper_cli/kite_01.json", {"kite_01": " The string held."}),
        ("nemo", "nemo.jsonl", {"kite_01": "None of the kites", "kite_02": ""}),
        ("kaldi", "kaldi.txt", {"kite_01": "the kite   has a tail", "kite_02": "null", "kite_03": ""}),
        (
            "trn",
            "hyp.trn",
            {"kite_01": "the kite um has (not) a tail", "kite_02": "null", "kite_03": "", "kite_04": "yes and/or no"},
        ),
    ],
)
def test_the_words_and_the_ids_of_a_file(request_of, kind, file, said):
    for asked in {kind, kind if file.endswith(".txt") else "auto"}:
        backend = read(FIXTURES / file, format=asked)
        found = answers(backend, request_of, *said)
        assert {name: answer.text for name, answer in zip(said, found, strict=True)} == said
        assert {answer.status for answer in found} == {Status.OK}
        assert backend.fingerprint()["format"] == kind


def test_a_ctm_text_is_its_words_by_time_with_the_first_alternative(request_of):
    backend = read(FIXTURES / "hyp.ctm", channel="A")
    assert [said.text for said in answers(backend, request_of, "kite_01", "kite_02")] == ["the long tail", "left"]


def test_a_ctm_recording_with_two_channels_is_refused_until_one_is_chosen():
    with pytest.raises(
        BackendError, match=r"hyp\.ctm has recording kite_02, which has 2 channels \(A, B\).*asr\.channel=A"
    ):
        read(FIXTURES / "hyp.ctm")


@pytest.mark.parametrize(
    ("file", "channel", "said"),
    [
        ("aws_transcribe/kite_02.json", "ch_0", "Left, please."),
        ("aws_transcribe/kite_02.json", "ch_1", "Right then."),
        ("google/kite_02.json", 2, "right of it"),
        ("assemblyai/kite_03.json", "2", "Down."),
        ("azure/contenturl_0.json", 0, "twenty two kites"),
        ("deepgram/kite_01.json", 0, "a kite in the yard"),
    ],
)
def test_the_chosen_channel_is_the_text(request_of, file, channel, said):
    backend = read(FIXTURES / file, channel=channel)
    found = answers(backend, request_of, *(f"kite_0{i}" for i in range(1, 5)))
    assert [answer.text for answer in found if answer.status is Status.OK] == [said]


@pytest.mark.parametrize("file", ["aws_transcribe/kite_02.json", "google/kite_02.json", "assemblyai/kite_03.json"])
def test_several_channels_are_refused_until_one_is_chosen(file):
    with pytest.raises(BackendError, match=r"has 2 channels .*asr\.channel="):
        read(FIXTURES / file)
    with pytest.raises(BackendError, match="no channel 'elsewhere' but"):
        read(FIXTURES / file, channel="elsewhere")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("azure/contenturl_0.json", "22 kites."),
        ("azure/kite_02.wav.json", "Twelve kites."),
        ("azure/kite_03.json", "1 kite."),
    ],
)
def test_azures_display_text_is_read_where_it_is_asked_for(request_of, file, said):
    found = answers(read(FIXTURES / file, azure_text="display"), request_of, *(f"kite_0{i}" for i in range(1, 5)))
    assert [answer.text for answer in found if answer.status is Status.OK] == [said]


def test_a_batch_of_azures_without_the_lexical_text_is_refused_instead_of_mixing_two_kinds(tmp_path):
    path = written(tmp_path, '{"combinedRecognizedPhrases": [{"channel": 0, "display": "A kite."}]}')
    with pytest.raises(BackendError, match=r"no 'lexical' text but channel, display: set asr\.azure_text"):
        read(path)


@pytest.mark.parametrize(
    ("kind", "file", "name", "reason"),
    [
        (
            "aws_transcribe",
            "aws_transcribe/noisy/kite_03.json",
            "kite_03",
            "FAILED: The media format is not one of ours.",
        ),
        ("google", "google_batch/operation.json", "kite_03", "3: The audio has no samples."),
        ("deepgram", "deepgram/kite_02.json", "kite_02", "Bad Request: corrupt or unsupported data"),
        ("assemblyai", "assemblyai/kite_02.json", "kite_02", "The address could not be reached."),
        ("openai", "openai/kite_04.json", "kite_04", "audio_too_short: The audio is too short."),
    ],
)
def test_a_failed_job_is_a_failed_trial_with_the_vendors_reason(request_of, kind, file, name, reason):
    for missing in ("error", "deletions"):
        [answer] = answers(read(FIXTURES / file, format=kind, missing=missing), request_of, name)
        assert (answer.text, answer.status) == ("", Status.FAILED)
        assert reason in answer.detail
        assert Path(file).name in answer.detail


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (
            "assemblyai",
            '{"id": "x", "status": "processing", "audio_url": "a", "text": null}',
            "its status is processing",
        ),
        ("google", '{"name": "operations/1", "metadata": {"progressPercent": 20}}', "before the vendor had finished"),
        ("aws_transcribe", '{"jobName": "x", "accountId": "0", "status": "IN_PROGRESS"}', "status is IN_PROGRESS"),
        ("azure", '{"RecognitionStatus": "Error"}', "the recognition status is Error"),
        ("azure", '{"code": "InvalidData", "message": "no sound"}', "InvalidData: no sound"),
        (
            "azure",
            '{"combinedRecognizedPhrases": [], "recognizedPhrases": [{"recognitionStatus": "Failure"}]}',
            "no phrase was recognized",
        ),
    ],
)
def test_what_was_saved_too_early_or_holds_an_error_is_a_failed_trial(tmp_path, request_of, kind, text, reason):
    [answer] = answers(read(written(tmp_path, text), format=kind), request_of, "kite_01")
    assert answer.status is Status.FAILED
    assert reason in answer.detail


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("google", "{}"),
        ("google", '{"totalBilledTime": "15s", "requestId": "1"}'),
        ("google", '{"results": [{"resultEndTime": "1s"}, {"alternatives": [{"confidence": 0}]}]}'),
        ("azure", '{"combinedRecognizedPhrases": []}'),
        ("azure", '{"combinedPhrases": []}'),
        ("deepgram", '{"results": {"channels": [{"alternatives": []}]}}'),
        ("openai", '{"text": ""}'),
    ],
)
def test_nothing_heard_is_an_empty_answer(tmp_path, request_of, kind, text):
    [answer] = answers(read(written(tmp_path, text), format=kind, missing="error"), request_of, "kite_01")
    assert (answer.text, answer.status) == ("", Status.OK)


def test_a_null_text_of_a_finished_job_is_a_missing_transcript(tmp_path, request_of):
    text = '{"id": "x", "status": "completed", "audio_url": "a", "text": null}'
    [answer] = answers(read(written(tmp_path, text)), request_of, "kite_01")
    assert answer.status is Status.MISSING


def test_confidences_are_weighted_by_tokens_or_the_worst_segments(request_of):
    [answer] = answers(read(FIXTURES / "openai" / "kite_02.json"), request_of, "kite_02")
    assert answer.avg_logprob == pytest.approx((3 * -0.2 + 1 * -0.6) / 4)
    assert (answer.no_speech_prob, answer.compression_ratio, answer.n_tokens) == (0.3, 1.1, 4)


def test_a_confidence_that_is_no_number_is_left_out_and_the_text_stays(tmp_path, request_of):
    text = '{"text": "a", "segments": [{"avg_logprob": NaN, "no_speech_prob": "low", "tokens": 3}], "language": "en"}'
    [answer] = answers(read(written(tmp_path, text)), request_of, "kite_01")
    assert (answer.text, answer.avg_logprob, answer.no_speech_prob, answer.n_tokens) == ("a", None, None, None)


def test_a_google_batch_that_was_written_elsewhere_says_where(tmp_path):
    stored = '{"results": {"gs://b/kite_01.wav": {"cloudStorageResult": {"uri": "gs://b/out/kite_01.json"}}}}'
    with pytest.raises(BackendError, match=r"transcript of gs://b/kite_01\.wav is in gs://b/out/kite_01\.json"):
        read(written(tmp_path, stored))


FIXTURE_OF = {
    "aws_transcribe": "aws_transcribe/kite_01.json", "google": "google/kite_02.json", "azure": "azure/kite_03.json",
    "deepgram": "deepgram/kite_01.json", "assemblyai": "assemblyai/kite_01.json", "openai": "openai/kite_02.json",
    "whisper_cli": "whisper_cli/kite_01.json", "nemo": "nemo.jsonl",
}  # fmt: skip


@pytest.mark.parametrize("kind", FIXTURE_OF)
def test_a_file_that_was_cut_off_is_named_with_the_place(tmp_path, kind):
    whole = (FIXTURES / FIXTURE_OF[kind]).read_bytes().rstrip()
    path = written(tmp_path, whole[:-3], "cut" + Path(FIXTURE_OF[kind]).suffix)
    with pytest.raises(BackendError, match=r"asr\.path: cut\.jsonl? .*is not JSON: .*line \d+ column \d+"):
        read(path, format=kind)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("kaldi", "kite_01 a\n  b c\n", "line 2 begins with a blank"),
        ("trn", "a b (kite_01)\nc d\n", "line 2 does not end in an utterance id in parentheses: 'c d'"),
        ("trn", "a b ()\n", "line 1 does not end in an utterance id"),
        ("trn", "a { b / c (kite_01)\n", "line 1 opens an alternative with '{' that no '}' closes"),
        ("ctm", "kite_01 A 0.1 0.2\n", "line 1 has 4 fields, not 5 or 6"),
        ("ctm", "kite_01 A soon 0.2 kite\n", "line 1: the start 'soon' is not a time in seconds"),
        ("ctm", "kite_01 A nan 0.2 kite\n", "line 1: the start 'nan' is not a time"),
        ("nemo", '{"audio_filepath": "a.wav", "text": "b"}', "line 1 is not an object with 'audio_filepath'"),
        ("nemo", '{"audio_filepath": "a.wav", "pred_text": ["b"]}', "line 1: 'pred_text' is not text"),
        ("csv", "utterance_id,text\na,b\n", "no column 'hypothesis'"),
        ("tsv", "utterance_id\thypothesis\na\tb\tc\n", "line 2 has 3 fields, its header 2"),
        ("jsonl", '{"utterance_id": "a"}', "and 'hypothesis'"),
    ],
)
def test_a_broken_line_is_named(tmp_path, kind, text, said):
    with pytest.raises(BackendError, match=r"asr\.path: hyp\.out ") as caught:
        read(written(tmp_path, text, "hyp.out"), format=kind)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("text", ['{"foo": 1}', "[]", '"text"', "null", "7"])
def test_json_of_another_layout_is_refused_and_never_an_empty_answer(tmp_path, kind, text):
    with pytest.raises(BackendError, match=r"^asr\.path: kite_01\.json "):
        read(written(tmp_path, text), format=kind)


def test_json_of_another_vendor_is_recognized_in_the_message():
    with pytest.raises(
        BackendError,
        match=r"has no results, which is not how aws_transcribe writes it\. It looks like asr\.format=openai",
    ):
        read(FIXTURES / "openai" / "kite_01.json", format="aws_transcribe")


@pytest.mark.parametrize("kind", EVERY_FORMAT)
def test_utf_16_and_latin_1_are_refused_with_a_sentence(tmp_path, kind):
    for raw, said in (("kite_01 a".encode("utf-16"), "UTF-16"), (b"kite_01 caf\xe9", "not UTF-8")):
        with pytest.raises(BackendError, match=rf"hyp\.out is {said} text.*UTF-8"):
            read(written(tmp_path, raw, "hyp.out"), format=kind)


@pytest.mark.parametrize("kind", [*FIXTURE_OF, "kaldi", "trn", "ctm"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, request_of, kind):
    file = FIXTURES / ({"kaldi": "kaldi.txt", "trn": "hyp.trn", "ctm": "hyp.ctm"} | FIXTURE_OF)[kind]
    channel = {"google": 1, "ctm": "A"}.get(kind)
    plain = read(shutil.copy(file, tmp_path), format=kind, channel=channel)
    marked = read(written(tmp_path, b"\xef\xbb\xbf" + file.read_bytes(), file.name), format=kind, channel=channel)
    names = [f"kite_0{i}" for i in range(1, 5)]
    texts = [answer.text for answer in answers(marked, request_of, *names)]
    assert texts == [answer.text for answer in answers(plain, request_of, *names)]
    assert any(texts)


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize(
    "bomb", ["[" * 200_000, '{"results":' * 200_000, '{"text": ' + "9" * 5000 + "}"], ids=["lists", "objects", "digits"]
)
def test_a_bomb_of_brackets_or_digits_gets_a_sentence(tmp_path, kind, bomb):
    with pytest.raises(BackendError, match=r"nested too deeply|is not JSON"):
        read(written(tmp_path, bomb), format=kind)


def test_a_document_beyond_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.asr.imported.files.MAX_BYTES", 2**20)
    path = written(tmp_path, '{"text": "' + "a" * 2**20 + '"}')
    with pytest.raises(BackendError, match=r"kite_01\.json is larger than 1 MB"):
        read(path, format="openai")
    with pytest.raises(BackendError, match="line 1 is longer than 1 MB"):
        read(path, format="jsonl")
    assert read(written(tmp_path, '{"text": "a"}'), format="openai").name == "transcripts:kite_01"


def test_auto_names_the_candidates_where_the_keys_do_not_tell(tmp_path):
    with pytest.raises(BackendError, match=r"asr\.format=google or azure or openai"):
        read(written(tmp_path, '{"error": {"message": "no"}}'))
    with pytest.raises(BackendError, match=r"may be in several formats.*asr\.format=kaldi or openai"):
        read(FIXTURES / "kaldi.txt")
    with pytest.raises(BackendError, match=r"asr\.format=aws_transcribe or .* or nemo"):
        read(written(tmp_path, "{}"))


def test_auto_looks_past_failed_jobs_for_a_file_that_tells(tmp_path, request_of):
    written(tmp_path, '{"error": {"message": "no"}}', "kite_00.json")
    written(tmp_path, '{"task": "transcribe", "text": "it rose"}', "kite_01.json")
    failed, heard = answers(read(tmp_path), request_of, "kite_00", "kite_01")
    assert (failed.status, heard.text) == (Status.FAILED, "it rose")


def test_auto_names_the_broken_file_of_a_folder(tmp_path):
    written(tmp_path, '{"text": ', "kite_07.json")
    written(tmp_path, '{"text": "a"}', "kite_08.json")
    with pytest.raises(BackendError, match=r"asr\.path: kite_07\.json is not JSON"):
        read(tmp_path)


def test_nemo_manifests_are_recognized_by_their_keys_also_when_they_end_in_json(tmp_path, request_of):
    shutil.copy(FIXTURES / "nemo.jsonl", tmp_path / "manifest.json")
    assert answers(read(tmp_path), request_of, "kite_01")[0].text == "None of the kites"


def test_stm_is_refused_because_it_holds_references(tmp_path):
    with pytest.raises(ValueError, match="stm holds references, not hypotheses"):
        TranscriptsSettings(path="ref.stm", format="stm")
    with pytest.raises(BackendError, match="holds references, not hypotheses"):
        read(written(tmp_path, "kite_01 A s 0.1 0.2 a", "ref.stm"))
