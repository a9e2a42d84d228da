"""Every format: which reader, which suffixes; and which one a file is in, where the study does not say.

A new format is one reader, one entry here, and its name in ``settings.Format``.
"""

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from pipeline.asr.imported import nist, tables, vendors
from pipeline.asr.imported.files import Source, decoded, lines, whole
from pipeline.asr.imported.found import Choice, Document, Found, LayoutError, UnreadableError

DOCUMENTS: Mapping[str, Callable[[Document, Choice], list[Found]]] = {
    "aws_transcribe": vendors.aws_transcribe,
    "google": vendors.google,
    "azure": vendors.azure,
    "deepgram": vendors.deepgram,
    "assemblyai": vendors.assemblyai,
    "openai": vendors.openai,
    "whisper_cli": vendors.whisper_cli,
}
"""Formats whose files are one JSON object."""

TABLES: Mapping[str, Callable[[Iterable[str], Choice], Iterator[Found]]] = {
    "csv": tables.read_csv,
    "tsv": tables.read_tsv,
    "jsonl": tables.read_jsonl,
    "nemo": tables.read_nemo,
    "kaldi": nist.read_kaldi,
    "trn": nist.read_trn,
    "ctm": nist.read_ctm,
}
"""Formats whose files hold one recording, or one word, a line."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "csv": (".csv",),
    "tsv": (".tsv",),
    "jsonl": (".jsonl", ".ndjson"),
    "nemo": (".jsonl", ".ndjson", ".json"),
    "kaldi": (".txt", ".text"),
    "trn": (".trn",),
    "ctm": (".ctm",),
    "openai": (".json", ".txt"),
}
"""Which files of a folder are read; of other formats, .json."""

KALDI_NAMES = ("text", "hyp")
"""Kaldi's usual names for such a file, which have no suffix."""

HEARD_IN = {
    ".csv": ("csv",), ".tsv": ("tsv",), ".trn": ("trn",), ".ctm": ("ctm",), ".text": ("kaldi",),
    ".txt": ("kaldi", "openai"), ".jsonl": ("jsonl", "nemo"), ".ndjson": ("jsonl", "nemo"),
    ".json": (*DOCUMENTS, "nemo"),
}  # fmt: skip
"""Formats by suffix."""

RECOGNIZED_FROM = 20
"""Files that are looked into before their format is asked for: a folder may begin with errors, which look alike."""


def is_of(name: str, kind: str) -> bool:
    """Return whether a folder's file of this name is in format ``kind``; with ``auto``, whether it is in any."""
    suffix = _suffix(name)
    if not suffix:
        return kind in ("kaldi", "auto") and name in KALDI_NAMES
    return suffix in (HEARD_IN if kind == "auto" else SUFFIXES.get(kind, (".json",)))


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


def read(source: Source, kind: str, choice: Choice, data: bytes | None) -> Iterable[Found]:
    """Read a file in format ``kind``; ``data`` are the bytes of a document, None for a table.

    Raises:
        UnreadableError: at the latest when what is wrong is reached.
    """
    if data is None:
        return TABLES[kind](lines(source.path), choice)
    if kind == "openai" and _suffix(source.path) == ".txt":
        return [Found(decoded(data).rstrip("\r\n"))]
    try:
        return DOCUMENTS[kind](_document(data), choice)
    except LayoutError as error:
        raise UnreadableError(f"{error}, which is not how {kind} writes it. {_advice(data, kind)}") from error


def _advice(data: bytes, kind: str) -> str:
    others = [name for name in claims(_document(data)) if name != kind]
    return f"It looks like asr.format={' or '.join(others)}" if others else "Check the file and asr.format"


def _document(data: bytes) -> Document:
    try:
        document = json.loads(decoded(data))
    except RecursionError as error:
        raise UnreadableError("is nested too deeply to be a transcript") from error
    except ValueError as error:  # where a whole number has thousands of digits it is not a JSONDecodeError
        raise UnreadableError(f"is not JSON: {error}. Was it saved whole?") from error
    if not isinstance(document, dict):
        raise UnreadableError(f"holds {type(document).__name__} where a JSON object must stand")
    return document


def recognize(sources: Sequence[Source]) -> str:
    """Return the one format that all files are in, by their suffix and, of JSON, by the keys of the first that tell.

    Raises:
        UnreadableError: if that cannot be told; the message says what to do.
    """
    suffixes = sorted({_suffix(source.relative) for source in sources})
    if suffixes == [".stm"]:
        raise UnreadableError("is an stm file, which holds references, not hypotheses: give ctm, trn or csv")
    if len(suffixes) > 1:
        held = " and ".join(suffix or "text" for suffix in suffixes)
        first = HEARD_IN.get(suffixes[0], ("kaldi",))[0]
        raise UnreadableError(f"holds {held} files: say which to read, such as asr.format={first}")
    if suffixes == [""] and all(posixpath.basename(source.relative) in KALDI_NAMES for source in sources):
        return "kaldi"
    if suffixes[0] not in HEARD_IN:
        raise UnreadableError(f"does not end in {', '.join(HEARD_IN)}; say which it is: asr.format=csv")
    known = HEARD_IN[suffixes[0]]
    if suffixes[0] in (".jsonl", ".ndjson"):
        return _of_lines(sources[0])
    return known[0] if len(known) == 1 else _by_keys(sources[:RECOGNIZED_FROM], known)


def _of_lines(source: Source) -> str:
    with _naming(source):
        keys = _keys_of(next((line for line in islice(lines(source.path), 100) if line.strip()), ""))
    return "nemo" if {tables.AUDIO, tables.PREDICTED} <= keys and tables.TEXT not in keys else "jsonl"


def _keys_of(line: str) -> set[str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return set()
    return set(row) if isinstance(row, dict) else set()


def _by_keys(sources: Sequence[Source], known: Sequence[str]) -> str:
    seen: dict[str, None] = {}
    for source in sources if ".json" in {_suffix(source.path) for source in sources} else ():
        named = _looks_like(source)
        if len(named) == 1:
            return named[0]
        seen |= dict.fromkeys(named)
    raise UnreadableError(f"may be in several formats: say which it is, asr.format={' or '.join(seen or known)}")


def _looks_like(source: Source) -> list[str]:
    if _of_lines(source) == "nemo":  # whose manifests end in .json too, and are no JSON as a whole
        return ["nemo"]
    with _naming(source):
        return claims(_document(whole(source.path)))


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    try:
        yield
    except UnreadableError as error:
        raise UnreadableError(str(error), where=source.shown) from error


def claims(document: Document) -> list[str]:
    """Return the formats whose documented keys a JSON object has."""
    keys, results = set(document), document.get("results")
    within = set(results) if isinstance(results, dict) else set()
    said = {
        "aws_transcribe": "transcripts" in within or bool(keys & {"TranscriptionJob", "accountId"}),
        "google": isinstance(results, list) or "response" in keys or any("://" in uri for uri in within),
        "azure": bool(keys & {"combinedRecognizedPhrases", "combinedPhrases", "RecognitionStatus"}),
        "deepgram": "channels" in within or "err_code" in keys,
        "assemblyai": {"id", "status"} <= keys and bool(keys & {"audio_url", "text", "error"}),
        "openai": "text" in keys and not keys & {"status", "id"} and _whisper(keys) != "whisper_cli",
        "whisper_cli": _whisper(keys) == "whisper_cli",
    }
    named = [kind for kind, is_it in said.items() if is_it]
    return named or (["google", "azure", "openai"] if "error" in keys else [])


def _whisper(keys: set[str]) -> str:
    return "whisper_cli" if {"text", "segments", "language"} <= keys and not keys & {"task", "duration"} else ""
