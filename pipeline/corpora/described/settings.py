"""The keys of a corpus description, and every mistake in one that can be seen without opening the corpus."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.artifacts import CorpusRecord
from pipeline.corpora import shipped
from pipeline.corpora.accents import vocabulary
from pipeline.corpora.described.file_settings import Files
from pipeline.corpora.described.reference_formats import ReferenceFormat
from pipeline.corpora.described.segment_settings import Frozen, LeftOut, Regex, Segments
from pipeline.corpora.manifest_files import Quoting
from pipeline.corpora.table_settings import refuse_unstated
from pipeline.errors import did_you_mean

FIELDS: Final = ("utterance_id", "audio", "reference", "speaker_id", "accent")
"""Our names of what a description assigns columns to."""

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


class Speaker(Frozen):
    """Whether the corpus says who speaks."""

    available: bool


class Label(Frozen):
    """What the accent label is, and who says so."""

    kind: str = Field(min_length=1)
    """accent, l1, first_language, dialect_region, ethnicity, ..."""
    provenance: str = Field(min_length=1)
    """self_report, annotator, by_construction, ...; inferred and imputed labels are refused unless they are allowed"""


class Licence(Frozen):
    """Under what terms the corpus may be used, and what of it may be shown."""

    id: str
    url: str = ""
    gate: str = ""
    """what stands before a download: an account, a form, a payment"""
    redistribute_text: bool = False
    redistribute_audio: bool = False

    @property
    def in_words(self) -> str:
        """Return the licence as reports print it."""
        return "; ".join(part for part in (self.id, self.url, f"access: {self.gate}" if self.gate else "") if part)


class DescribedSettings(TableFormat):
    """A corpus description: the layout, the columns, and what the corpus says of itself."""

    name: str = Field(min_length=1)
    root: Path
    strategy: Literal["index", "multi_split", "paired_glob", "glob", "segments", "hub"]
    index_file: str | None = None
    """below the root; may hold ``*`` (every such file, sorted) and, with multi_split, ``{split}``"""
    splits: tuple[str, ...] = ()
    """of multi_split and hub: which of them to take; hub takes all where none is named"""
    segments: Segments | None = None
    """of strategy segments"""
    id: str | None = None
    """of strategy hub: what ``root`` is taken from"""
    config: str | None = None
    """of a data set of the Hub: which of its configurations"""
    revision: str | None = None
    """of a data set of the Hub: the commit; null: the latest, which is named in the log"""
    streaming: bool = False
    """of a data set of the Hub: fetch row by row instead of whole files"""
    audio_column: str = "audio"
    """of strategy hub: the column with the recordings"""
    files: Files | None = None
    """of glob and paired_glob: which files are recordings and texts"""
    columns: dict[Literal["utterance_id", "audio", "reference", "speaker_id", "accent"], Column]
    attributes: dict[str, Column] = Field(default_factory=dict)
    """further columns, carried along as ``attr_<name>``"""
    tables: dict[str, JoinedTable] = Field(default_factory=dict)
    speaker: Speaker
    label: Label
    leave_out: tuple[LeftOut, ...] = ()
    """utterances that this description excludes, and why"""
    reference_format: ReferenceFormat = "as_given"
    """how the marks in a transcript are read"""
    split_labels: Regex | None = None
    """what stands between several labels in one cell; null: a cell is one label"""
    accents: Literal["vocabulary", "as_given"] | tuple[str, ...] = "vocabulary"
    """looked up in accents.yaml, the labels themselves, or the accents to study: each with all below it"""
    vocabulary: str | None = None
    """whose raw labels these are in accents.yaml; null: any corpus's, where they agree"""
    allow_inferred_labels: bool = False
    allow_outside_root: bool = False
    on_bad_row: Literal["exclude", "stop"] = "exclude"
    reference_accent: str | None = None
    """the accent that ``stats.reference_accent`` takes unless it is set"""
    style: str = ""
    synthetic: bool = False
    licence: Licence
    citation: str = ""
    description: str = ""
    public: bool = False
    """recordings and labels are open to everyone: the publication floor of the card is off unless the card sets one"""
    not_verified: tuple[str, ...] = ()
    """what of this description nobody has checked against the corpus itself"""

    @field_validator("root", mode="before")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is None or value == "":
            raise ValueError("say where the corpus lies on this machine, for example corpus.root=/data/my_corpus")
        return value

    @field_validator("vocabulary")
    @classmethod
    def _mapped(cls, value: str | None) -> str | None:
        known = vocabulary().labels if value is not None else {}
        if value is not None and value not in known:
            raise ValueError(f"accents.yaml maps no labels of '{value}'.{did_you_mean(value, known)}")
        return value

    @field_validator("accents")
    @classmethod
    def _known_accents(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        known = [] if isinstance(value, str) else [accent.id for accent in vocabulary().accents]
        for name in () if isinstance(value, str) else value:
            if name not in known:
                hint = did_you_mean(name, difflib.get_close_matches(name, known))
                raise ValueError(f"data_manifests/accents.yaml has no accent '{name}'.{hint}")
        if not value:
            raise ValueError("name at least one accent, or take 'vocabulary' for all that accents.yaml maps")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        lacking = sorted({"utterance_id", "audio", "reference", "accent"} - set(self.columns))
        if lacking:
            raise ValueError(f"columns: say where {', '.join(lacking)} comes from")
        if self.speaker.available != ("speaker_id" in self.columns):
            raise ValueError("speaker.available must be true with columns.speaker_id, and false without it")
        if any(not name or name in (*FIELDS, "audio_path") for name in self.attributes):
            raise ValueError(f"attributes: none may be called {', '.join(FIELDS)} or audio_path")
        refuse_unstated(self.label.provenance, allowed=self.allow_inferred_labels)
        if (self.strategy == "segments") != (self.segments is not None):
            raise ValueError("strategy segments, and no other, needs segments: what lists the stretches")
        if self.strategy in ("index", "multi_split") and not self.index_file:
            raise ValueError(f"strategy {self.strategy} needs an index_file")
        if self.strategy == "multi_split" and ("{split}" not in str(self.index_file) or not self.splits):
            raise ValueError("strategy multi_split needs splits, and {split} in index_file")
        if self.strategy in ("glob", "paired_glob") and self.files is None:
            raise ValueError(f"strategy {self.strategy} needs files: patterns of paths")
        if self.files is not None and (self.files.text is not None) != (self.strategy == "paired_glob"):
            raise ValueError("files.text is what strategy paired_glob needs, and no other takes")
        return self

    @property
    def lookup(self) -> Mapping[str, set[str]] | None:
        """Folded raw label to accent ids; None where raw labels are taken as they stand."""
        return None if self.accents == "as_given" else vocabulary().lookup(self.vocabulary)

    @property
    def chosen(self) -> frozenset[str] | None:
        """Return the accents to study, with all below them; None: all."""
        return None if isinstance(self.accents, str) else vocabulary().below(self.accents)

    @property
    def looked_up_in(self) -> tuple[Path, ...]:
        """The accent vocabulary, where labels are looked up in it."""
        return () if self.accents == "as_given" else (shipped.DATA_MANIFESTS / "accents.yaml",)

    def record(self) -> CorpusRecord:
        """Return what the description declares."""
        return CorpusRecord(
            name=self.name,
            description=self.description,
            synthetic=self.synthetic,
            style=self.style,
            label_kind=self.label.kind,
            label_provenance=self.label.provenance,
            licence=self.licence.in_words,
            citation=self.citation,
            redistribute_text=self.licence.redistribute_text,
            redistribute_audio=self.licence.redistribute_audio,
            public=self.public,
        )


def template_names(template: str) -> tuple[str, ...]:
    """Return the names that stand in braces."""
    return tuple(BRACES.findall(template))
