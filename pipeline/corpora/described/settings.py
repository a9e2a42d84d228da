"""The keys of a corpus description, and every mistake in one that can be seen without opening the corpus."""

import difflib
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.artifacts import CorpusRecord
from pipeline.corpora.accents import vocabulary
from pipeline.corpora.described.column_settings import Column, JoinedTable, TableFormat
from pipeline.corpora.described.file_settings import Files
from pipeline.corpora.described.reference_formats import ReferenceFormat
from pipeline.corpora.described.segment_settings import Frozen, LeftOut, Regex, Segments
from pipeline.corpora.stated_settings import StatedSettings, refuse_unstated
from pipeline.errors import did_you_mean

FIELDS: Final = ("utterance_id", "audio", "reference", "speaker_id", "accent")
"""Our names of what a description assigns columns to."""


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


class DescribedSettings(StatedSettings, TableFormat):
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
    allow_outside_root: bool = False
    licence: Licence

    @field_validator("root", mode="before")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is None or value == "":
            raise ValueError("say where the corpus lies on this machine, for example corpus.root=/data/my_corpus")
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
    def chosen(self) -> frozenset[str] | None:
        """Return the accents to study, with all below them; None: all."""
        return None if isinstance(self.accents, str) else vocabulary().below(self.accents)

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
            not_verified=self.not_verified,
        )
