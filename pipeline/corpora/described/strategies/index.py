"""Corpora that list their utterances in tables: one (``index``), or one a split (``multi_split``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.corpora.described.columns import needed
from pipeline.corpora.described.files import FILE, ROW, STEM, fitting, read_table, require
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.settings import DescribedSettings

WHERE: Final = "corpus.index_file"
SPLIT: Final = "split"
"""The cell that names the split, unless the table has such a column."""


def index(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every row of the index."""
    for path in index_files(settings, root):
        yield from _rows(path, settings, root, {})


def multi_split(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every row of the chosen splits' indices."""
    for split in settings.splits:
        for path in _files(str(settings.index_file).replace("{split}", split), settings, root):
            yield from _rows(path, settings, root, {SPLIT: split})


def index_files(settings: DescribedSettings, root: Path) -> list[Path]:
    """Return the tables that list the utterances.

    Raises:
        ManifestError: if a pattern fits no file, or leaves the root.
    """
    given = settings.index_file
    if given is None:
        return []
    names = [given.replace("{split}", split) for split in settings.splits] if "{split}" in given else [given]
    return [path for name in names for path in _files(name, settings, root)]


def _files(name: str, settings: DescribedSettings, root: Path) -> list[Path]:
    return fitting(root, name, WHERE, allow_outside_root=settings.allow_outside_root)


def _rows(path: Path, settings: DescribedSettings, root: Path, further: dict[str, str]) -> Iterator[Found]:
    columns, rows = read_table(path, settings, WHERE)
    # what a strategy adds may stand in templates as well
    require(path, [*columns, *further, FILE, STEM, ROW], needed(settings), WHERE)
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    further = {**further, FILE: name, STEM: path.stem}
    for number, row in enumerate(rows):
        cells = {**further, ROW: str(number), **row.cells}
        yield Found(f"{name} line {row.line}", cells, row.problem)
