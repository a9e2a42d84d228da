"""The keys of a description that say which column holds what, and how its tables are written and joined."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, field_validator, model_validator

from pipeline.corpora.described.segment_settings import Frozen, Regex
from pipeline.corpora.manifest_files import Quoting

BRACES: Final = re.compile(r"\{([^{}]+)\}")


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_column(value: object) -> object:
    if isinstance(value, str):
        return {"path_template": value} if BRACES.search(value) else {"source_column": value}
    return value


class Column(Frozen):
    """Where one of our columns comes from, and what is done to it.

    A source_column's value goes through pattern, map and path_template, in this order. Without a source_column,
    path_template makes the value that goes through pattern and map.
    """

    source_column: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """the corpus's own column; of several, the first that a table has. A joined table's are ``<table>.<column>``"""
    optional: bool = False
    """the column may be absent; in a path_template, what is absent is nothing"""
    constant: str | None = None
    """the same value everywhere, in place of a column"""
    text_file: str | None = None
    """the same value everywhere: what this file below the root holds"""
    pattern: Regex | None = None
    """a regular expression that is searched for; its group ``value`` is kept"""
    missing: tuple[str, ...] = ()
    """values that say nothing, such as ``None`` where the corpus writes that for nobody"""
    map: dict[str, str] | None = None
    """value to value; one that is not in it makes the row unusable, or of an attribute stays as it is"""
    path_template: str | None = None
    """built of ``{value}`` and other columns of the corpus in braces"""
    file_extension: str | None = None
    """appended unless it is there"""
    path_match_strategy: Literal["direct", "exact", "archive"] = "direct"
    """exact: the one file below the root that is called so, with or without its extension, in whatever folder;
    archive: the one recording whose path ends so, as a file or as a member of ``archives``"""
    archives: str | None = None
    """the archives, below the root; may hold ``*`` and columns in braces"""

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        alone = (self.constant is not None) + (self.text_file is not None)
        built = bool(self.source_column) or self.path_template is not None
        if alone + built != 1:
            raise ValueError("give a source_column, a path_template or both; or a constant or a text_file alone")
        if self.pattern is not None and "value" not in re.compile(self.pattern).groupindex:
            raise ValueError("pattern has no group called value, as in '(?P<value>[0-9]+)'")
        if (self.path_match_strategy == "archive") != (self.archives is not None):
            raise ValueError("path_match_strategy archive goes with archives, such as 'audio/*.tar.gz'")
        if self.path_template is not None and "value" in template_names(self.path_template) and not self.source_column:
            raise ValueError("path_template uses {value}, and there is no source_column")
        return self


class TableFormat(Frozen):
    """How a table is written."""

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = "auto"
    """auto: by the suffix; any other suffix than .csv, .jsonl, .ndjson and .parquet is tsv"""
    separator: str | None = None
    """between the fields of csv and tsv; null: a comma or a tab. ``whitespace``: any run of it"""
    has_header: bool = True
    """false: columns are called as ``column_names`` says, or "0", "1", ..."""
    column_names: tuple[str, ...] = ()
    encoding: str = "utf-8-sig"
    quoting: Quoting = "minimal"
    """none: a quotation mark is just a character"""
    comment: str | None = None
    """lines that begin so are passed over"""
    strict: bool = True
    """false: a row may have fewer fields than the header, and what is beyond it belongs to the last"""

    @field_validator("separator")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and value != "whitespace" and len(value) != 1:
            raise ValueError("separator is one character, or 'whitespace'")
        return value

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.has_header and self.column_names:
            raise ValueError("column_names are of tables without a header: set has_header=false, or leave them out")
        if len(set(self.column_names)) < len(self.column_names):
            raise ValueError("column_names: name each column once")
        return self

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"there is no encoding '{value}'") from None
        return value


class JoinedTable(TableFormat):
    """A further table whose row for an utterance is found by a key."""

    file: str
    """below the root; may hold ``*``: every such file, as one table"""
    key: str
    """its column that holds the key"""
    on: Annotated[Column, BeforeValidator(_as_column)]
    """the key of an utterance: a column, or just its name, or a template such as ``{speaker}``"""
    optional: bool = False
    """true: an utterance without a row there is usable, and what would come from it is blank"""

    @model_validator(mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        if isinstance(value, dict) and True in value:
            raise ValueError('write the key "on" in quotation marks: without them, YAML takes it for true')
        return value


def template_names(template: str) -> tuple[str, ...]:
    """Return the names that stand in braces."""
    return tuple(BRACES.findall(template))
