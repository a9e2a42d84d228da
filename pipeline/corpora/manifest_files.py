"""Readers of manifest files: text to rows, with nothing turned into a number, a date or a missing value.

A new format is one reader here and one entry in ``READERS``. What is wrong with one row stays with that
row; what makes the whole file unreadable is a ``ManifestError``.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.errors import ManifestError, did_you_mean, first_five
from pipeline.records import Reason

Format = Literal["csv", "tsv", "jsonl"]
Quoting = Literal["minimal", "none"]

SUFFIXES: Final[Mapping[str, Format]] = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""Format by suffix."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the file has it. ``problem`` is empty, or says why its cells cannot be told apart or used.

    ``where`` names the row, where a corpus is more than one file; empty: its line does.
    """

    line: int
    cells: Mapping[str, str]
    problem: str = ""
    where: str = ""
    reason: Reason = Reason.MISSING_VALUE
    """of the exclusion that ``problem`` makes"""

    @property
    def place(self) -> str:
        """Return what a reader looks the row up by."""
        return self.where or f"line {self.line}"


Rows = tuple[list[str], list[Row]]
"""Column names and rows."""


def read_rows(path: Path, kind: Format | None = None, *, quoting: Quoting = "minimal") -> Rows:
    """Read a manifest; ``kind`` None goes by the suffix. Blank lines are not rows.

    Raises:
        ManifestError: if there is no such file, it is not UTF-8 text of that format, or it holds no row.
    """
    chosen = kind or SUFFIXES.get(path.suffix.lower())
    if chosen is None:
        raise ManifestError(
            f"corpus.path: the format of {path.name} cannot be told from its name. "
            "Set corpus.format to csv, tsv or jsonl."
        )
    text = _text(path)
    try:
        columns, rows = READERS[chosen](text, quoting)
    except (csv.Error, ValueError, RecursionError) as error:
        raise ManifestError(
            f"corpus.path: {path.name} is not readable as {chosen}: {error}. Mend the file, or set corpus.format"
            " (or corpus.quoting=none, where a quotation mark is just a character)."
        ) from error
    if not rows:
        raise ManifestError(f"corpus.path: {path.name} holds no rows. Give a manifest with at least one utterance.")
    return columns, rows


def require_columns(path: Path, columns: list[str], needed: list[str]) -> None:
    """Refuse a manifest that lacks a column.

    Raises:
        ManifestError: naming the missing columns, and near misses.
    """
    missing = [name for name in needed if name not in columns]
    if missing:
        raise ManifestError(
            f"corpus.path: {path.name} has no column {first_five(repr(name) for name in missing)}."
            f"{did_you_mean(missing[0], columns)} Rename or add the column."
        )


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise ManifestError(f"corpus.path: {path} is a folder. Name the manifest file in it.")
        return path.read_bytes().decode("utf-8-sig")  # -sig: spreadsheets put a mark before the header
    except UnicodeDecodeError as error:
        raise ManifestError(f"corpus.path: {path.name} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    except FileNotFoundError:
        raise ManifestError(f"corpus.path: there is no file {path} (from {Path.cwd()}). Check the path.") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"corpus.path: {path} cannot be read: {error}. Check the path.") from error


def _csv(text: str, quoting: Quoting) -> Rows:
    return _separated(text, ",", quoting)


def _tsv(text: str, quoting: Quoting) -> Rows:
    return _separated(text, "\t", quoting)


def _separated(text: str, delimiter: str, quoting: Quoting) -> Rows:
    # csv and not pandas: "null", "None" and "NA" stay words, and every row keeps its line. strict: an open
    # quotation mark would otherwise swallow the rows after it without a trace.
    mode: Literal[0, 3] = csv.QUOTE_NONE if quoting == "none" else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=mode, strict=True)
    header = [name.strip() for name in next(reader, [])]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {first_five(repr(name) for name in twice)} more than once")
    rows = []
    for fields in reader:
        if not fields:
            continue
        problem = "" if len(fields) == len(header) else f"it has {len(fields)} fields and the header {len(header)}"
        rows.append(Row(reader.line_num, dict(zip(header, map(str.strip, fields), strict=False)), problem))
    return header, rows


def _jsonl(text: str, quoting: Quoting) -> Rows:
    columns: dict[str, None] = {}
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: U+2028 may stand inside a string
        if not line.strip():
            continue
        try:
            value = read_json(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if not isinstance(value, dict):
            raise ValueError(f"line {number} holds a {type(value).__name__}, not an object")
        cells = {key: cell for key, given in value.items() if (cell := _cell(given)) is not None}
        strange = () if len(cells) == len(value) else sorted(value.keys() - cells.keys() - _nulls(value))
        if not columns.keys() >= value.keys():
            columns |= dict.fromkeys(value)
        rows.append(Row(number, cells, f"{first_five(strange)} is neither text nor a number" if strange else ""))
    return list(columns), rows


def read_json(text: str) -> Any:
    """Return a JSON value.

    Raises:
        ValueError: if it is none, or says two things under one key, of which Python's reader would keep the last.
    """
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"'{twice}' occurs twice")
    return found


def _nulls(value: Mapping[str, object]) -> set[str]:
    return {key for key, cell in value.items() if cell is None}


def _cell(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


READERS: Final[Mapping[str, Callable[[str, Quoting], Rows]]] = {"csv": _csv, "tsv": _tsv, "jsonl": _jsonl}
"""Reader by format."""
