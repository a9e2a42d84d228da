"""The tables of a corpus, in whatever way they are written: rows of text, with nothing turned into anything else.

What is wrong with one row stays with that row; what makes the whole file unreadable is a ``ManifestError``.
"""

import csv
import io
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from pipeline.corpora.described.column_settings import TableFormat
from pipeline.corpora.described.columnar import read_columnar
from pipeline.corpora.described.plain_text import GZIP, unpacked
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.manifest_files import READERS, Row, Rows
from pipeline.errors import ManifestError, did_you_mean, first_five

FILE: Final = "@file"
"""The cell that names the file, from the root of the corpus."""
ROW: Final = "@row"
"""The cell with the number of the row in its file, from 0."""
STEM: Final = "@stem"
"""The cell with the name of the file, without its suffix."""

_LINE_END: Final = re.compile("\r\n?|\n")
_BLANK: Final = " \t\v\f"
_BLANKS: Final = re.compile(f"[{_BLANK}]+")
_FORMATS: Final[Mapping[str, str]] = {
    ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".arrow": "parquet"
}  # fmt: skip


def below(root: Path, relative: str, where: str, *, allow_outside_root: bool) -> Path:
    """Return ``root / relative``, which must stay there: descriptions are mailed around.

    Raises:
        ManifestError: if it leaves the root, or is not a path.
    """
    try:
        path = (root / relative).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise ManifestError(f"{where}: '{relative}' is not a usable path: {error}. Mend it.") from error
    if not allow_outside_root and not path.is_relative_to(root.resolve()):
        raise ManifestError(
            f"{where}: '{relative}' lies outside corpus.root. Put it below, or set corpus.allow_outside_root=true."
        )
    return root / relative


def fitting(root: Path, pattern: str, where: str, *, allow_outside_root: bool) -> list[Path]:
    """Return the file or folder of that name, or with ``*`` in it all that fit, sorted.

    Raises:
        ManifestError: if nothing fits, or as ``matches`` does.
    """
    found = matches(root, pattern, where, allow_outside_root=allow_outside_root)
    if not found:
        raise ManifestError(f"{where}: nothing below {root} fits '{pattern}'. Check corpus.root and the pattern.")
    return found


def matches(root: Path, pattern: str, where: str, *, allow_outside_root: bool) -> list[Path]:
    """Return what ``fitting`` does, or nothing. A name without ``*`` is returned whether it is there or not.

    Raises:
        ManifestError: if it is no pattern, or what it finds leaves the root, be it behind a link.
    """
    path = below(root, pattern, where, allow_outside_root=allow_outside_root)
    if "*" not in pattern or os.path.exists(path):
        return [path]
    start = Path(path.anchor) if Path(pattern).is_absolute() else root
    try:
        found = sorted(start.glob(path.relative_to(start).as_posix()))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{where}: '{pattern}' is not a pattern of paths: {error}. Mend it.") from error
    for one in found:
        below(root, name_from(root, one), where, allow_outside_root=allow_outside_root)
    return found


def name_from(root: Path, path: Path) -> str:
    """Return a path from the root, or in full where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def read_table(path: Path, written: TableFormat, where: str) -> Rows:
    """Read a table; no cell is missing but null ones of JSONL and Parquet, and those that a lenient row lacks.

    Raises:
        ManifestError: naming ``where``, if there is no such file or it is not written so.
    """
    gzipped = path.suffix.lower() == GZIP
    suffix = path.with_suffix("").suffix if gzipped else path.suffix
    kind = _FORMATS.get(suffix.lower(), "tsv") if written.format == "auto" else written.format
    try:
        if kind == "parquet":
            return read_columnar(path)
        text = (unpacked(path) if gzipped else path.read_bytes()).decode(written.encoding)
        return READERS["jsonl"](text, written.quoting) if kind == "jsonl" else _separated(text, written, kind)
    except FileNotFoundError:
        raise ManifestError(f"{where}: there is no file {path}. Check corpus.root and the file's name.") from None
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{where}: {path.name} is not {written.encoding} text: {error}. Set its encoding, or save it as UTF-8."
        ) from error
    except (csv.Error, ValueError, KeyError, RecursionError, OSError, EOFError, zlib.error) as error:
        raise ManifestError(
            f"{where}: {path.name} is not readable as {kind}: {error}. Mend the file, or describe it otherwise "
            "(format, separator, encoding; quoting: none where a quotation mark is just a character)."
        ) from error


def read_text(name: str, settings: DescribedSettings, root: Path) -> str:
    """Return what a file below the root says, its lines as one.

    Raises:
        ManifestError: if there is no such file, or it is no text.
    """
    where = "corpus.columns"
    path = below(root, name, where, allow_outside_root=settings.allow_outside_root)
    try:
        return " ".join(path.read_bytes().decode(settings.encoding).split())
    except FileNotFoundError:
        raise ManifestError(f"{where}: there is no file {path}. Check corpus.root, or mend text_file.") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{where}: {path} is not readable as {settings.encoding} text: {error}.") from error


def require(path: Path, columns: Iterable[str], needed: Iterable[tuple[str, ...]], where: str) -> None:
    """Refuse a table that has none of the names that one of our columns may come from.

    Raises:
        ManifestError: naming the missing columns, and near misses.
    """
    known = set(columns)
    missing = [names for names in needed if not known.intersection(names)]
    if missing:
        raise ManifestError(
            f"{where}: {path.name} has no column {first_five(' or '.join(map(repr, names)) for names in missing)}."
            f"{did_you_mean(missing[0][0], known)} Is it another release of the corpus? Mend its description."
        )


def _separated(text: str, written: TableFormat, kind: str) -> Rows:
    fields = _fields(text, written, kind)
    first = next(fields, (1, []))
    header = [name.strip() for name in first[1]]
    if not written.has_header:
        header = list(written.column_names) or [str(number) for number in range(len(header))]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {first_five(repr(name) for name in twice)} more than once")
    rows = [] if written.has_header or not first[1] else [_row(*first, header, written)]
    rows += [_row(line, values, header, written) for line, values in fields]
    return [name for name in header if name], rows


def _fields(text: str, written: TableFormat, kind: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of every row that is neither blank nor a comment."""
    mark = written.comment
    if written.separator == "whitespace":
        # not splitlines: U+2028 may stand in a text
        for number, line in enumerate(_LINE_END.split(text), start=1):
            if line.strip() and not (mark and line.lstrip().startswith(mark)):
                yield number, _BLANKS.split(line.strip(_BLANK))
        return
    mode: Literal[0, 3] = csv.QUOTE_NONE if written.quoting == "none" else csv.QUOTE_MINIMAL
    delimiter = written.separator or ("," if kind == "csv" else "\t")
    # strict: an open quotation mark would otherwise swallow the rows after it without a trace
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=mode, strict=True)
    for values in reader:
        if values and not (mark and values[0].lstrip().startswith(mark)):
            yield reader.line_num, values


def _row(line: int, values: list[str], header: list[str], written: TableFormat) -> Row:
    values = list(map(str.strip, values))
    problem = ""
    if written.strict and len(values) != len(header):
        problem = f"it has {len(values)} fields and the header {len(header)}"
    elif len(values) > len(header) > 0:
        last = len(header) - 1
        between = " " if written.separator == "whitespace" else written.separator or " "
        values = [*values[:last], between.join(values[last:])]
    elif not written.strict:
        values += [""] * (len(header) - len(values))
    return Row(line, {name: value for name, value in zip(header, values, strict=False) if name}, problem)
