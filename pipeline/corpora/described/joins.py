"""Further tables of a corpus (who a speaker is, what a file holds), joined to what a strategy found."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.corpora.described.column_settings import JoinedTable
from pipeline.corpora.described.columns import UnusableCellError, value_of
from pipeline.corpora.described.files import fitting, read_table, require
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import first_five

logger = logging.getLogger(__name__)

Joined = Mapping[str, Mapping[str, str]]
"""key to cells"""


def joined(found: Iterable[Found], settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield what was found with the cells of every joined table as ``<table>.<column>``.

    Raises:
        ManifestError: if a table cannot be read.
    """
    tables: dict[str, Joined] = {}
    for one in found:  # a wrong root is told by what is not found there, before a table that is not there either
        tables = tables or {name: _read(name, table, settings, root) for name, table in settings.tables.items()}
        yield _with_tables(one, settings, tables) if tables else one


def _with_tables(one: Found, settings: DescribedSettings, tables: Mapping[str, Joined]) -> Found:
    cells, problems = dict(one.cells), [one.problem] if one.problem else []
    for name, table in settings.tables.items():
        try:
            key = value_of(table.on, one.cells)
        except UnusableCellError as error:
            problems += [] if table.optional else [f"tables.{name}: {error}"]
            continue
        row = tables[name].get(key or "")
        if row is None:
            problems += [] if table.optional else [f"{table.file} has no row for '{key or ''}'"]
            continue
        cells |= {f"{name}.{column}": value for column, value in row.items()}
    return Found(one.where, cells, "; ".join(problems), one.reason)


def table_files(table: JoinedTable, settings: DescribedSettings, root: Path, where: str) -> list[Path]:
    """Return the file of a joined table, or with ``*`` in its name all of them: their rows are one table.

    Raises:
        ManifestError: if a pattern fits none, or leaves the root.
    """
    return fitting(root, table.file, where, allow_outside_root=settings.allow_outside_root)


def _read(name: str, table: JoinedTable, settings: DescribedSettings, root: Path) -> Joined:
    """Return the table by key. Of several rows for one key, the cells that they agree in are kept."""
    where = f"corpus.tables.{name}"
    rows = []
    for path in table_files(table, settings, root, where):
        columns, found = read_table(path, table, where)
        require(path, columns, [(table.key,)], where)
        rows += found
    by_key: dict[str, Mapping[str, str]] = {}
    differing: dict[str, set[str]] = {}
    broken = [f"line {row.line}: {row.problem}" for row in rows if row.problem]
    for row in (row for row in rows if not row.problem):
        key = row.cells.get(table.key, "")
        before = by_key.setdefault(key, row.cells)
        unlike = {column for column in {*before, *row.cells} if before.get(column) != row.cells.get(column)}
        if unlike:
            differing.setdefault(key, set()).update(unlike)
    if broken:
        logger.warning("%s: %s has rows that cannot be read: %s", where, table.file, first_five(broken))
    if differing:
        told = first_five(f"{key} ({', '.join(sorted(names))})" for key, names in sorted(differing.items()))
        logger.info("%s: rows of %s differ for the same key and are blank in: %s", where, table.file, told)
    return {
        key: {column: value for column, value in cells.items() if column not in differing.get(key, set())}
        for key, cells in by_key.items()
    }
