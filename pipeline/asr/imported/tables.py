"""Tables with one recording a row: CSV and TSV, our own JSON lines, and those of NeMo and the Open ASR Leaderboard.

Nothing here turns a word into a missing value or a number: "null", "None" and "NA" are words.
"""

import csv
import json
from collections.abc import Iterable, Iterator

from pipeline.asr.imported.found import Choice, Document, Found, UnreadableError
from pipeline.errors import did_you_mean

ID, TEXT, CONDITION = "utterance_id", "hypothesis", "condition"
"""Columns of CSV and TSV, and keys of our JSON lines."""

AUDIO, PREDICTED = "audio_filepath", "pred_text"
"""Keys of NeMo's manifests; their ``text`` is the reference."""


def read_csv(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read comma-separated values with a header that names at least utterance_id and hypothesis."""
    return _separated(lines, ",")


def read_tsv(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read the same with tabs."""
    return _separated(lines, "\t")


def _separated(lines: Iterable[str], delimiter: str) -> Iterator[Found]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        at = _columns(header)
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise UnreadableError(
                    f"line {rows.line_num} has {len(row)} fields, its header {len(header)}."
                    " A hypothesis that holds the separator must be quoted"
                )
            condition = row[at[CONDITION]].strip() if CONDITION in at else ""
            yield Found(row[at[TEXT]], row[at[ID]], "id", condition=condition or None, line=rows.line_num)
    except csv.Error as error:
        kind = "csv" if delimiter == "," else "tsv"
        raise UnreadableError(f"is not readable as {kind}: {error}, near line {rows.line_num}") from error


def _columns(header: list[str]) -> dict[str, int]:
    for column in (ID, TEXT):
        if column not in header:
            raise UnreadableError(f"has no column '{column}'.{did_you_mean(column, header)}".rstrip("."))
    repeated = sorted({name for name in (ID, TEXT, CONDITION) if header.count(name) > 1})
    if repeated:
        raise UnreadableError(f"has more than one column named {', '.join(repeated)}")
    return {name: header.index(name) for name in (ID, TEXT, CONDITION) if name in header}


def read_jsonl(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read objects with utterance_id and hypothesis (null: there is none), one a line."""
    for line, row in _objects(lines):
        if not isinstance(row.get(ID), str) or TEXT not in row:
            raise UnreadableError(f"line {line} is not an object with '{ID}' (text) and '{TEXT}': {_shown(row)}")
        condition = (_text(row, CONDITION, line) or "").strip()
        yield Found(_text(row, TEXT, line), row[ID], "id", condition=condition or None, line=line)


def read_nemo(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read objects with audio_filepath and pred_text (null: there is none), one a line."""
    for line, row in _objects(lines):
        if not isinstance(row.get(AUDIO), str) or PREDICTED not in row:
            raise UnreadableError(
                f"line {line} is not an object with '{AUDIO}' (text) and '{PREDICTED}': {_shown(row)}"
            )
        yield Found(_text(row, PREDICTED, line), row[AUDIO], "source", line=line)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Document]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except RecursionError as error:
            raise UnreadableError(f"line {number} is nested too deeply to be a transcript") from error
        except ValueError as error:
            raise UnreadableError(f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise UnreadableError(f"line {number} is not an object: {line[:80]!r}")
        yield number, row


def _text(row: Document, key: str, line: int) -> str | None:
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(f"line {line}: '{key}' is not text: {_shown(value)}")


def _shown(value: object) -> str:
    return json.dumps(value)[:80]  # as JSON and not as Python: null, true, and no half characters
