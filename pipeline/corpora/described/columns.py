"""A corpus's own cells to ours: columns picked, patterns applied, values mapped, paths built."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.corpora.described.column_settings import BRACES, Column, template_names
from pipeline.corpora.described.files import read_text
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.members import Members
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.manifest_files import Row
from pipeline.errors import ManifestError

OURS: Final[Mapping[str, str]] = {"audio": "audio_path"}
"""What the reader of rows calls a column of a description, where it is not called the same."""


class UnusableCellError(Exception):
    """A value that its column cannot take. It never leaves ``Picker.pick``."""


@dataclass(frozen=True)
class Picker:
    """Turns what a strategy found into a row under our names."""

    settings: DescribedSettings
    root: Path
    find_audio: bool = True
    """false: a recording that has to be looked for in archives stays as the corpus calls it"""
    _by_name: dict[str, list[str]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _members: Members = field(init=False)
    _as_they_are: Mapping[str, str] = field(init=False)
    """our name to the corpus's, of columns with which nothing is done; a corpus may have a million rows"""

    def __post_init__(self) -> None:
        """Nothing is looked at before it is asked for."""
        object.__setattr__(self, "_members", Members(self.root, self.settings.allow_outside_root))
        named = {OURS.get(name, name): column for name, column in self.settings.columns.items()}
        taken = {name: one.source_column[0] for name, one in (named | self.settings.attributes).items() if _plain(one)}
        object.__setattr__(self, "_as_they_are", taken)

    def pick(self, number: int, found: Found) -> Row:
        """Return the row; what cannot be made of the cells is its problem."""
        problems = [found.problem] if found.problem else []
        given = found.cells
        cells = {ours: given[theirs] for ours, theirs in self._as_they_are.items() if theirs in given}
        for name, column in self.settings.columns.items():
            if OURS.get(name, name) in self._as_they_are:
                continue
            try:
                value = self._value(column, found.cells)
            except UnusableCellError as error:
                problems.append(f"{name}: {error}")
                continue
            if value is not None:
                cells[OURS.get(name, name)] = value
        for attribute, column in self.settings.attributes.items():
            if attribute in self._as_they_are:
                continue
            value = self._attribute(column, found.cells)
            if value is not None:
                cells[attribute] = value
        return Row(number, cells, "; ".join(problems), found.where, found.reason)

    def _value(self, column: Column, cells: Mapping[str, str]) -> str | None:
        if column.text_file is not None:
            return self._text(column.text_file)
        value = value_of(column, cells)
        if not value or column.path_match_strategy == "direct":
            return value
        return self._found(value) if column.path_match_strategy == "exact" else self._member(value, column, cells)

    def _member(self, end: str, column: Column, cells: Mapping[str, str]) -> str:
        """Return the one recording, packed or not, whose path ends so; without one, that end."""
        if not self.find_audio:
            return end
        try:
            found = self._members.ending(end, fill(column.archives or "", cells))
        except ManifestError as error:  # a pattern that a cell has spoiled
            raise UnusableCellError(str(error)) from error
        if len(found) > 1:
            raise UnusableCellError(f"{len(found)} recordings end in '{end}', such as {found[0]} and {found[1]}")
        return found[0] if found else end

    def _text(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = read_text(name, self.settings, self.root)
        return self._texts[name]

    def _attribute(self, column: Column, cells: Mapping[str, str]) -> str | None:
        """Return an attribute; a value that its map or pattern does not know stays as the corpus has it."""
        try:
            return self._value(column, cells)
        except UnusableCellError:
            return _source(column, cells)

    def _found(self, name: str) -> str:
        """Return the one file that is called so, from the root; without one, the name."""
        if not self._by_name:
            for folder, _, files in os.walk(self.root):
                for path in (Path(folder, file) for file in files):
                    for key in {path.name, path.stem}:
                        self._by_name.setdefault(key, []).append(path.relative_to(self.root).as_posix())
        files = sorted(self._by_name.get(name, [name]))
        if len(files) > 1:
            raise UnusableCellError(f"{len(files)} files are called '{name}', such as {files[0]} and {files[1]}")
        return files[0]


def needed(settings: DescribedSettings) -> list[tuple[str, ...]]:
    """Return the columns that a table of utterances must have: of each group, one. Those of joined tables are not."""
    groups: list[tuple[str, ...]] = []
    keys = (table.on for table in settings.tables.values())
    for column in (*settings.columns.values(), *settings.attributes.values(), *keys):
        if column.optional:
            continue
        groups += [column.source_column] if column.source_column else []
        groups += [(name,) for name in template_names(column.path_template or "") if name != "value"]
    joined = tuple(f"{name}." for name in settings.tables)
    return [names for names in dict.fromkeys(groups) if not any(name.startswith(joined) for name in names if joined)]


def value_of(column: Column, cells: Mapping[str, str]) -> str | None:
    """Return what a column makes of the corpus's cells; None where the corpus has nothing.

    Raises:
        UnusableCellError: if the value does not fit the column's pattern, map or template.
    """
    value = _source(column, cells)
    if not column.source_column and column.path_template is not None:
        absent = dict.fromkeys(template_names(column.path_template), "") if column.optional else {}
        value = fill(column.path_template, absent | dict(cells))
    if not value:
        return value
    value = _mapped(column, _patterned(column, value))
    if column.source_column and column.path_template is not None:
        value = fill(column.path_template, {**cells, "value": value})
    extension = column.file_extension or ""
    return value if value.endswith(extension) else value + extension


def _plain(column: Column) -> bool:
    """Return whether a column is one of the corpus's, as it is."""
    return len(column.source_column) == 1 and column == Column(
        source_column=column.source_column, optional=column.optional
    )


def _source(column: Column, cells: Mapping[str, str]) -> str | None:
    if column.constant is not None:
        return column.constant
    for name in column.source_column:
        if name in cells:
            return None if cells[name] in column.missing else cells[name]
    return None


def _patterned(column: Column, value: str) -> str:
    if column.pattern is None:
        return value
    match = re.search(column.pattern, value)
    if match is None or match.group("value") is None:
        raise UnusableCellError(f"'{value}' does not fit the pattern {column.pattern}")
    return match.group("value")


def _mapped(column: Column, value: str) -> str:
    if column.map is None:
        return value
    if value not in column.map:
        raise UnusableCellError(f"'{value}' is not in its map")
    return column.map[value]


def fill(template: str, cells: Mapping[str, str]) -> str:
    """Return ``template`` with every name in braces replaced by its cell.

    Raises:
        UnusableCellError: if there is no such cell.
    """

    def cell(match: re.Match[str]) -> str:
        if match.group(1) not in cells:
            raise UnusableCellError(f"there is no '{match.group(1)}' to build '{template}' of")
        return cells[match.group(1)]

    return BRACES.sub(cell, template)
