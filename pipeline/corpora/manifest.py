"""Any corpus that comes as a table of utterances beside its audio (CSV, TSV or JSONL).

``data_manifests/README.md`` documents the columns. Rows that cannot be used become exclusions with a
reason, or stop the run; every row of the file is one utterance or one exclusion.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, field_validator

from pipeline.artifacts import CorpusRecord
from pipeline.corpora import base
from pipeline.corpora.corpora_of_rows import AudioBelowRoot, loaded
from pipeline.corpora.frozen import REFERENCE_SHA256
from pipeline.corpora.manifest_files import Row, read_rows, require_columns
from pipeline.corpora.manifest_rows import NEEDED, RAW_ACCENT, SPEAKER, RowReader
from pipeline.corpora.places import Root, is_url
from pipeline.corpora.table_settings import TableSettings, further_columns
from pipeline.errors import ManifestError


class ManifestSettings(TableSettings):
    """Where the manifest and its audio are, how it is read, and what the corpus says of itself."""

    audio_root: str | Path | None = None
    """a folder or a URL; null: the manifest's folder"""
    allow_outside_root: bool = False
    check_sha256: bool = True
    """where the manifest has a column ``audio_sha256``, a recording with other bytes is an exclusion"""

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


class ManifestCorpus(AudioBelowRoot):
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
        path, columns, rows = self._rows()
        reader = self._reader(columns, rows, self._root())
        where = f"corpus.path: {path.name}"
        return loaded(rows, reader.read, corpus=self.name, where=where, on_bad_row=self.settings.on_bad_row)

    def listing(self) -> base.Listed:
        """Return what the manifest says, without opening any audio.

        Raises:
            ManifestError: if the file cannot be read as a manifest.
        """
        path, columns, rows = self._rows()
        reader = self._reader(columns, rows, path.parent)
        return base.listed(map(reader.listed, rows), where=f"corpus '{self.name}'")

    def _rows(self) -> tuple[Path, list[str], list[Row]]:
        settings = self.settings
        path = settings.path.expanduser()
        if path.is_dir():
            raise ManifestError(f"corpus.path: {path} is a folder. Name the manifest file inside it.")
        kind = None if settings.format == "auto" else settings.format
        columns, rows = read_rows(path, kind, quoting=settings.quoting)
        if REFERENCE_SHA256 in columns and "reference" not in columns:
            raise ManifestError(
                f"corpus.path: {path.name} was frozen without its texts. Load the corpus that they come from, with "
                f"subset.manifest={path}."
            )
        require_columns(path, columns, [*NEEDED, *settings.attributes])
        return path, columns, rows

    def _reader(self, columns: Sequence[str], rows: Sequence[Row], root: Root) -> RowReader:
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
            frozen=RAW_ACCENT in columns and RAW_ACCENT not in settings.attributes,
            check_sha256=settings.check_sha256,
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
