"""A corpus without audio: references, speakers and accents in a table, for transcripts that were made elsewhere.

Nothing is rendered, heard or measured: durations, levels and the acoustic condition stay unknown, and every table says
so by leaving them out. Which columns hold what is stated; others, such as those with hypotheses, are passed over.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
from pydantic import BaseModel, Field, field_validator, model_validator

from augment.resources import Talker
from pipeline.artifacts import CorpusRecord
from pipeline.corpora import base
from pipeline.corpora.corpora_of_rows import VoicesOfRows, loaded
from pipeline.corpora.manifest_files import SUFFIXES, Row, read_rows, require_columns
from pipeline.corpora.manifest_rows import SPEAKER, RowReader
from pipeline.corpora.table_settings import TableSettings, further_columns
from pipeline.errors import ManifestError

MANIFEST = "manifest"
"""What the file is called, before its suffix, in a folder."""

FIELDS = ("utterance_id", "reference", SPEAKER, "accent")


class TranscriptsOnlySettings(TableSettings):
    """Where the table is and which of its columns hold what."""

    hypotheses: Path | None = None
    """what ``asr.path`` is unless it is set"""
    condition: str = Field("as_transcribed", min_length=1)
    """what ``asr.condition`` and ``stats.reference_condition`` are unless they are set"""
    id_column: str = Field("utterance_id", min_length=1)
    reference_column: str = Field("reference", min_length=1)
    speaker_column: str = Field(SPEAKER, min_length=1)
    """may be absent or blank"""
    accent_column: str = Field("accent", min_length=1)
    system_column: str = Field("system", min_length=1)
    """where the table has it, rows that agree in everything else that counts are one utterance"""
    accents: Literal["vocabulary", "as_given"] = "as_given"

    @field_validator("path", mode="before")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is None or value == "":
            raise ValueError("a table of references (CSV, TSV or JSONL) or its folder is needed: corpus.path=my/folder")
        return value

    @field_validator("attributes")
    @classmethod
    def _further_columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return further_columns(value, FIELDS)

    @model_validator(mode="after")
    def _four_columns(self) -> "TranscriptsOnlySettings":
        if len(set(self.columns.values())) < len(FIELDS):
            raise ValueError(f"these must be four different columns: {', '.join(self.columns.values())}")
        return self

    @property
    def columns(self) -> dict[str, str]:
        """Our name to the table's name of each column that counts."""
        given = (self.id_column, self.reference_column, self.speaker_column, self.accent_column)
        return dict(zip(FIELDS, given, strict=True))


class TranscriptsOnlyCorpus(VoicesOfRows):
    """A corpus of texts and labels."""

    Settings: ClassVar[type[BaseModel]] = TranscriptsOnlySettings
    has_audio: ClassVar[bool] = False

    def __init__(self, settings: TranscriptsOnlySettings) -> None:
        """Keep the settings; nothing is read before ``load``."""
        self.settings = settings

    @property
    def name(self) -> str:
        """The ``name`` setting, else the name of the folder."""
        path = self.settings.path.expanduser().absolute()
        return self.settings.name or (path.name if path.is_dir() else path.parent.name) or path.stem

    @property
    def file(self) -> Path:
        """The table: ``path``, or in a folder the one file that is called manifest.

        Raises:
            ManifestError: if a folder holds none or several.
        """
        path = self.settings.path.expanduser()
        if not path.is_dir():
            return path
        found = [place for suffix in SUFFIXES if (place := path / f"{MANIFEST}{suffix}").is_file()]
        if len(found) != 1:
            held = " and ".join(place.name for place in found) or f"no {MANIFEST}.csv, .tsv or .jsonl"
            raise ManifestError(f"corpus.path: {path} holds {held}. Name the file of references in it.")
        return found[0]

    def load(self) -> base.Loaded:
        """Read every row.

        Raises:
            ManifestError: if the file cannot be read as a table, or rows are bad and ``on_bad_row`` is stop.
        """
        settings, path = self.settings, self.file
        kind = None if settings.format == "auto" else settings.format
        columns, given = read_rows(path, kind, quoting=settings.quoting)
        needed = [column for name, column in settings.columns.items() if name != SPEAKER]
        require_columns(path, columns, [*needed, *settings.attributes])
        rows = self._one_each(columns, given)
        reader = self._reader(rows)
        where = f"corpus.path: {path.name}"
        return loaded(rows, reader.read_text, corpus=self.name, where=where, on_bad_row=settings.on_bad_row)

    def _one_each(self, columns: Sequence[str], given: Sequence[Row]) -> list[Row]:
        """Return the rows under our names; of rows for several recognizers that agree in all that counts, the first."""
        settings = self.settings
        taken = settings.columns | {name: name for name in settings.attributes}
        rows = [
            Row(
                row.line,
                {ours: row.cells[theirs] for ours, theirs in taken.items() if theirs in row.cells},
                row.problem,
            )
            for row in given
        ]
        if settings.system_column not in columns:
            return rows
        first = {(row.problem and row.line, *sorted(row.cells.items())): row for row in reversed(rows)}
        return sorted(first.values(), key=lambda row: row.line)

    def _reader(self, rows: Sequence[Row]) -> RowReader:
        settings = self.settings
        return RowReader(
            corpus=self.name,
            root=Path(),
            allow_outside_root=False,
            attributes=settings.attributes,
            accents=settings.lookup,
            repeats=Counter(row.cells.get("utterance_id", "") for row in rows),
            synthetic=settings.synthetic,
            label_provenance=settings.label_provenance,
        )

    def record(self) -> CorpusRecord:
        """Return what the settings declare."""
        return self.settings.record(self.name)

    def inputs(self) -> tuple[Path, ...]:
        """Return the table, and the accent vocabulary where labels are looked up in it."""
        try:
            table = self.file
        except ManifestError:  # a folder without one: ``load`` says so
            table = self.settings.path.expanduser()
        return (table, *self.settings.looked_up_in)

    def audio_path(self, audio: str) -> Path:
        """Refuse: there is no audio.

        Raises:
            ManifestError: always.
        """
        raise ManifestError(f"corpus '{self.name}': it holds no audio. {NO_AUDIO}")

    def talkers(self, utterances: pd.DataFrame) -> tuple[Talker, ...]:
        """Return nobody: there is no audio."""
        return ()


NO_AUDIO = "Take corpus=manifest to render, hear, listen to or measure recordings."
