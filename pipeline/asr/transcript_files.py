"""Readers of hypothesis files. A new format is one reader here and one entry in ``READERS``."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pipeline.errors import BackendError, did_you_mean, first_five

Row = tuple[int, str, str | None, str | None]
"""Line, utterance_id, condition (None: the file does not say), hypothesis (None: the file says there is none)."""

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""Format by suffix."""

ID, TEXT, CONDITION = "utterance_id", "hypothesis", "condition"


def read(path: Path, kind: str, *, condition: str) -> dict[tuple[str, str], str]:
    """Read ``path`` into hypotheses by (utterance_id, condition); ``condition`` is that of a file that names none.

    Raises:
        BackendError: naming the line that cannot be read, or the ids that are answered twice.
    """
    found: dict[tuple[str, str], str] = {}
    seen: set[tuple[str, str]] = set()
    twice: dict[tuple[str, str], None] = {}
    for line, utterance_id, named, text in _rows(path, kind):
        key = (utterance_id, condition if named is None else named)
        if key in seen:
            twice[key] = None
        seen.add(key)
        if text is not None:
            found[key] = _writable(text, path, line)
    if twice:
        names = first_five(f"{utterance_id} ({where})" for utterance_id, where in twice)
        raise BackendError(f"asr.path: {path.name} answers {len(twice)} trials more than once: {names}. Keep one each.")
    return found


def _rows(path: Path, kind: str) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: spreadsheets put a mark before the header
            yield from READERS[kind](file, path)
    except UnicodeDecodeError as error:
        raise BackendError(f"asr.path: {path.name} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    except csv.Error as error:
        raise BackendError(f"asr.path: {path.name} is not readable as {kind}: {error}.") from error


def _csv(file: TextIO, path: Path) -> Iterator[Row]:
    return _separated(file, path, ",")


def _tsv(file: TextIO, path: Path) -> Iterator[Row]:
    return _separated(file, path, "\t")


def _separated(file: TextIO, path: Path, delimiter: str) -> Iterator[Row]:
    # csv and not pandas: nothing in it turns a word into a missing value or a number
    rows = csv.reader(file, delimiter=delimiter, strict=True)
    header = next(rows, [])
    repeated = sorted({name for name in (ID, TEXT, CONDITION) if header.count(name) > 1})
    for column in (ID, TEXT):
        if column not in header:
            raise BackendError(f"asr.path: {path.name} has no column '{column}'.{did_you_mean(column, header)}")
    if repeated:
        raise BackendError(f"asr.path: {path.name} has more than one column named {', '.join(repeated)}.")
    at, text = header.index(ID), header.index(TEXT)
    where = header.index(CONDITION) if CONDITION in header else None
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise BackendError(
                f"asr.path: {path.name} line {rows.line_num} has {len(row)} fields, its header {len(header)}."
                " A hypothesis that holds the separator must be quoted."
            )
        yield rows.line_num, row[at].strip(), None if where is None else row[where].strip() or None, row[text]


def _jsonl(file: TextIO, path: Path) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BackendError(f"asr.path: {path.name} line {number} is not JSON: {error}.") from error
        if not isinstance(row, dict) or not isinstance(row.get(ID), str) or TEXT not in row:
            raise BackendError(
                f"asr.path: {path.name} line {number} is not an object with '{ID}' (text) and '{TEXT}': {line[:80]!r}"
            )
        for key in (TEXT, CONDITION):
            if not isinstance(row.get(key), str | None):
                raise BackendError(f"asr.path: {path.name} line {number}: '{key}' is not text: {row[key]!r}")
        yield number, row[ID].strip(), (row.get(CONDITION) or "").strip() or None, row[TEXT]


def _writable(text: str, path: Path, line: int) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON may spell half a character, "\ud800", which no table can hold
        raise BackendError(
            f"asr.path: {path.name} line {line}: the hypothesis is not valid Unicode: {error}."
        ) from error
    return text


READERS: dict[str, Callable[[TextIO, Path], Iterator[Row]]] = {"csv": _csv, "tsv": _tsv, "jsonl": _jsonl}
