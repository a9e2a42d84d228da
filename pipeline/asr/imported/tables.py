"""Tables with one recording a row: CSV and TSV, our own JSON lines, and those of NeMo and the Open ASR Leaderboard.

Nothing here turns a word into a missing value or a number: "null", "None" and "NA" are words.
"""

import csv
import json
from collections.abc import Iterable, Iterator

from pipeline.asr.imported.found import Choice, Columns, Document, Found, UnreadableError
from pipeline.errors import did_you_mean

TEXT = "hypothesis"
"""What tells our JSON lines from NeMo's, where no other name is given."""

CONDITION = "condition"
"""A column of CSV and TSV, and a key of our JSON lines, that may be absent."""

AUDIO, PREDICTED = "audio_filepath", "pred_text"
"""Keys of NeMo's manifests; their ``text`` is the reference."""


def read_csv(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read comma-separated values with a header that names at least the id and the hypothesis."""
    return _separated(lines, ",", choice.columns)


def read_tsv(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read the same with tabs."""
    return _separated(lines, "\t", choice.columns)


def _separated(lines: Iterable[str], delimiter: str, columns: Columns) -> Iterator[Found]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        at = _columns(header, columns)
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise UnreadableError(
                    f"line {rows.line_num} has {len(row)} fields, its header {len(header)}."
                    " A hypothesis that holds the separator must be quoted"
                )
            if columns.system is not None and row[at[columns.system_column]].strip() != columns.system:
                continue
            condition = row[at[CONDITION]].strip() if CONDITION in at else ""
            name, text = row[at[columns.id]], row[at[columns.hypothesis]]
            yield Found(text, name, "id", condition=condition or None, line=rows.line_num)
    except csv.Error as error:
        kind = "csv" if delimiter == "," else "tsv"
        raise UnreadableError(f"is not readable as {kind}: {error}, near line {rows.line_num}") from error


def _columns(header: list[str], columns: Columns) -> dict[str, int]:
    needed = [columns.id, columns.hypothesis, *([columns.system_column] if columns.system is not None else [])]
    for column in needed:
        if column not in header:
            raise UnreadableError(f"has no column '{column}'.{did_you_mean(column, header)}".rstrip("."))
    used = [*needed, CONDITION]
    repeated = sorted({name for name in used if header.count(name) > 1})
    if repeated:
        raise UnreadableError(f"has more than one column named {', '.join(repeated)}")
    return {name: header.index(name) for name in used if name in header}


def read_jsonl(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read objects with utterance_id and hypothesis (null: there is none), one a line."""
    names = choice.columns
    for line, row in _objects(lines):
        if not isinstance(row.get(names.id), str) or names.hypothesis not in row:
            wanted = f"'{names.id}' (text) and '{names.hypothesis}'"
            raise UnreadableError(f"line {line} is not an object with {wanted}: {_shown(row)}")
        if names.system is not None and (_text(row, names.system_column, line) or "").strip() != names.system:
            continue
        condition = (_text(row, CONDITION, line) or "").strip()
        yield Found(_text(row, names.hypothesis, line), row[names.id], "id", condition=condition or None, line=line)


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
