"""Any corpus that comes as a table of utterances beside its audio (CSV, TSV or JSONL).

``data_manifests/README.md`` documents the columns. Rows that cannot be used become exclusions with a
reason, or stop the run; every row of the file is one utterance or one exclusion.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import BaseModel, field_validator

from augment.places import Place
from augment.resources import Talker
from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.corpora import base
from pipeline.corpora.manifest_files import Row, read_rows, require_columns
from pipeline.corpora.manifest_rows import NEEDED, SPEAKER, RowReader
from pipeline.corpora.places import Root, is_url, locate
from pipeline.corpora.table_settings import TableSettings, further_columns, offenders
from pipeline.errors import ManifestError
from pipeline.records import Exclusion


class ManifestSettings(TableSettings):
    """Where the manifest and its audio are, how it is read, and what the corpus says of itself."""

    audio_root: str | Path | None = None
    """a folder or a URL; null: the manifest's folder"""
    allow_outside_root: bool = False

    @field_validator("path", mode="before")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is None or value == "":
            raise ValueError("a manifest (CSV, TSV or JSONL) is needed, for example corpus.path=my/manifest.csv")
        return value

    @field_validator("attributes")
    @classmethod
    def _further_columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return further_columns(value, (*NEEDED, SPEAKER))


class ManifestCorpus:
    """A corpus read from one manifest file."""

    Settings: ClassVar[type[BaseModel]] = ManifestSettings
    has_audio: ClassVar[bool] = True

    def __init__(self, settings: ManifestSettings) -> None:
        """Keep the settings; nothing is read before ``load``."""
        self.settings = settings

    @property
    def name(self) -> str:
        """The ``name`` setting, else the name of the manifest's folder."""
        path = self.settings.path.expanduser()
        return self.settings.name or path.absolute().parent.name or path.stem

    def load(self) -> base.Loaded:
        """Read every row and decode every file once.

        Raises:
            ManifestError: if the file cannot be read as a manifest, or rows are bad and ``on_bad_row`` is stop.
        """
        settings = self.settings
        path, rows = self._rows()
        reader = self._reader(rows, self._root())
        outcomes = [(row, reader.read(row)) for row in rows]
        bad = [(row, outcome) for row, outcome in outcomes if isinstance(outcome, Exclusion)]
        if bad and settings.on_bad_row == "stop":
            raise offenders(f"corpus.path: {path.name}", bad, len(rows))
        records = [outcome for _, outcome in outcomes if not isinstance(outcome, Exclusion)]
        records.sort(key=lambda record: str(record["utterance_id"]))
        utterances = tables.build(records, tables.Utterances, where=f"corpus '{self.name}'")
        exclusions = sorted((lost for _, lost in bad), key=lambda lost: (lost.utterance_id, lost.reason, lost.detail))
        return base.Loaded(utterances, exclusions, len(rows))

    def listing(self) -> base.Listed:
        """Return what the manifest says, without opening any audio.

        Raises:
            ManifestError: if the file cannot be read as a manifest.
        """
        path, rows = self._rows()
        reader = self._reader(rows, path.parent)
        return base.listed(map(reader.listed, rows), where=f"corpus '{self.name}'")

    def _rows(self) -> tuple[Path, list[Row]]:
        settings = self.settings
        path = settings.path.expanduser()
        if path.is_dir():
            raise ManifestError(f"corpus.path: {path} is a folder. Name the manifest file inside it.")
        kind = None if settings.format == "auto" else settings.format
        columns, rows = read_rows(path, kind, quoting=settings.quoting)
        require_columns(path, columns, [*NEEDED, *settings.attributes])
        return path, rows

    def _reader(self, rows: Sequence[Row], root: Root) -> RowReader:
        settings = self.settings
        return RowReader(
            corpus=self.name,
            root=root,
            allow_outside_root=settings.allow_outside_root,
            attributes=settings.attributes,
            accents=settings.lookup,
            repeats=Counter(row.cells.get("utterance_id", "") for row in rows),
            synthetic=settings.synthetic,
            label_provenance=settings.label_provenance,
        )

    def _root(self) -> Root:
        given = self.settings.audio_root
        if isinstance(given, str) and is_url(given):
            return given
        root = self.settings.path.expanduser().parent if given is None else Path(given).expanduser()
        if not root.is_dir():
            raise ManifestError(f"corpus.audio_root: {root} is not a folder. Name where audio_path starts.")
        return root.resolve()

    def record(self) -> CorpusRecord:
        """Return what the settings declare."""
        return self.settings.record(self.name)

    def inputs(self) -> tuple[Path, ...]:
        """Return the manifest, and the accent vocabulary where labels are looked up in it."""
        return (self.settings.path.expanduser(), *self.settings.looked_up_in)

    def audio_path(self, audio: str) -> Place:
        """Return where the recording of an ``audio`` cell is."""
        return locate(audio, self._root(), allow_outside_root=True).place  # it was checked when it was loaded

    def talkers(self, utterances: pd.DataFrame) -> tuple[Talker, ...]:
        """Return the corpus's own speakers.

        Where speakers are unknown, every utterance stands for itself, and babble may then hold the target's
        own voice from another recording.
        """
        root = self._root()
        places = (locate(audio, root, allow_outside_root=True).place for audio in utterances["audio"])
        return base.speakers_as_talkers(zip(tables.rows(utterances), places, strict=True))

    def group_of(self, row: Mapping[str, Any]) -> str:
        """Return the voice of one utterance."""
        return base.group_of(row)
