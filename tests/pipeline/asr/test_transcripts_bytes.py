"""Whatever bytes a file holds, reading it gives a table or one sentence."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.asr.imported.formats import DOCUMENTS, TABLES, claims
from pipeline.asr.imported.found import Choice, UnreadableError
from pipeline.asr.transcripts import Transcripts, TranscriptsSettings
from pipeline.errors import BackendError
from pipeline.records import Status

FIXTURES = Path(__file__).parent / "transcripts"
SUFFIXES = [".json", ".jsonl", ".csv", ".tsv", ".trn", ".ctm", ".txt", ".text", ".stm", ""]

KEYS = st.sampled_from([
    "accountId", "alternatives", "audio_filepath", "audio_url", "channel", "channelTag", "channels", "code",
    "combinedPhrases", "combinedRecognizedPhrases", "condition", "err_code", "error", "gs://b/a.wav", "hypothesis",
    "id", "inlineResult", "jobName", "language", "lexical", "message", "metadata", "name", "pred_text",
    "RecognitionStatus", "response", "results", "segments", "status", "text", "tokens", "transcript",
    "TranscriptionJob", "transcripts", "utterance_id",
])  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["completed", "Success", "COMPLETED", "error", "\ud800"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
LINES = st.lists(
    st.sampled_from([
        "a", "kite_01", "0.1", "*", "nan", "1e999", "<ALT>", "<ALT_BEGIN>", "<ALT_END>", "{", "}", "/", "@", "(", ")",
        "(u)", ";;", "\t", " ", ",", '"', "\n", "\r", "\u2028", "\x00", "utterance_id", "hypothesis", "condition",
    ]),
    max_size=30,
)  # fmt: skip

WRONG = [None, True, 7, -1.5, 1e400, "x", "\ud800", [], {}, [[]], [None], {"x": 1}, "ab", ["a", "b"]]
"""What may stand where something else should."""


def read_as(raw: bytes, name: str, **options: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        backend = Transcripts(TranscriptsSettings.model_validate({"path": str(path)} | options))
        try:
            backend.prepare()
        except BackendError as error:
            sentence = str(error)
            sentence.encode()
            assert sentence.startswith("asr.path: ")
            assert "\n" not in sentence
        else:
            for (utterance_id, condition), said in backend._read.hypotheses.items():
                f"{utterance_id}{condition}{said.text}{said.detail}".encode()
                assert said.status is Status.OK or (said.detail and not said.text)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(raw=st.binary(max_size=200))
@settings(max_examples=25, deadline=None)
def test_any_bytes_give_a_table_or_a_sentence(suffix: str, raw: bytes) -> None:
    read_as(raw, f"u{suffix}")


@pytest.mark.parametrize("kind", [*DOCUMENTS, *TABLES])
@given(raw=st.binary(max_size=200))
@settings(max_examples=25, deadline=None)
def test_any_bytes_in_any_format_give_a_table_or_a_sentence(kind: str, raw: bytes) -> None:
    read_as(raw, "u.out", format=kind)


@pytest.mark.parametrize("kind", ["auto", *DOCUMENTS, "nemo", "jsonl"])
@given(value=st.dictionaries(KEYS, VALUES, max_size=6), channel=st.sampled_from([None, 0, "ch_0"]))
@settings(max_examples=80, deadline=None)
def test_any_json_with_the_vendors_keys_gives_a_table_or_a_sentence(kind: str, value: object, channel: object) -> None:
    chosen = {"channel": channel} if kind not in ("openai", "whisper_cli", "nemo", "jsonl") else {}
    read_as(json.dumps(value).encode(), "u.json", format=kind, **chosen)


@pytest.mark.parametrize("kind", ["kaldi", "trn", "ctm", "csv", "tsv"])
@given(pieces=LINES, between=st.sampled_from(["", " "]))
@settings(max_examples=80, deadline=None)
def test_any_line_of_a_toolkit_gives_a_table_or_a_sentence(kind: str, pieces: list[str], between: str) -> None:
    read_as(between.join(pieces).encode(), "u.out", format=kind)


def damaged(value: Any) -> Iterator[Any]:
    """Yield ``value`` with each of its parts in turn replaced by each wrong one, or left out."""
    yield from WRONG
    parts = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, part in parts:
        less = dict(value) if isinstance(value, dict) else list(value)
        del less[key]
        yield less
        for other in damaged(part):
            copied = dict(value) if isinstance(value, dict) else list(value)
            copied[key] = other
            yield copied


@pytest.mark.parametrize("file", sorted(FIXTURES.rglob("*.json")), ids=lambda file: file.stem)
def test_a_document_with_any_one_part_wrong_gives_transcripts_or_a_sentence(file: Path) -> None:
    document = json.loads(file.read_bytes())
    kind = file.relative_to(FIXTURES).parts[0].removesuffix("_batch")
    outcomes = Counter[str]()
    for broken in damaged(document):
        if not isinstance(broken, dict):
            continue
        for channel in (None, "ch_0"):
            claims(broken)
            try:
                found = DOCUMENTS[kind](broken, Choice(channel=channel))
            except UnreadableError:
                outcomes["sentence"] += 1
            else:
                outcomes["transcripts"] += 1
                assert all(isinstance(one.text, str) or not one.text for one in found)
                assert all(one.text is None or not one.failure for one in found)
    assert outcomes["sentence"]
    assert outcomes["transcripts"]
