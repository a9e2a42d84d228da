"""The results folder: atomic writes, tables on disk, the run record, and the refusal to overwrite a finished run."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError, StudyError, TableError
from pipeline.spreadsheet import csv_text
from pipeline.tables import Schema, check

SCRATCH = "scratch"
"""The one run name that may be overwritten without asking; the jobs of an unnamed sweep are ``scratch_<...>``."""

RECORD = "run.json"


CLIP_FOLDER = "audio"
CLIPS = f"{CLIP_FOLDER}/{'[0-9a-f]' * 16}.flac"
"""Sound beside the page: each file is named after its samples."""

OURS = (
    "*.parquet",
    "*.csv",
    "card.*",
    "figures/*.svg",
    "figures/*.png",
    "figures/*.csv",
    CLIPS,
    "model_index.yaml",
    "junit.xml",
    RECORD,
)
"""What a run writes; whatever else lies in its folder is somebody's and stays."""

UNFINISHED = ".partial"
"""How a file ends that is being written; a program that was killed leaves it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


UNSTATED = ("inferred", "imputed")
"""Provenances of labels that nobody gave: neither the speaker nor a listener."""


def unstated(label_provenance: str) -> str:
    """Return which of ``UNSTATED`` a provenance is; empty: somebody stated the labels."""
    return next((word for word in UNSTATED if word in label_provenance.casefold()), "")


class CorpusRecord(_Frozen):
    """What a corpus says of itself; empty text means that it does not say."""

    name: str
    description: str
    synthetic: bool
    style: str
    """read, prompted, spontaneous, synthetic, or empty"""
    label_kind: str
    """what the accent label is: accent, l1, dialect_region, pronunciation_feature, ..."""
    label_provenance: str
    """self_report, annotator, by_construction, ... or empty"""
    licence: str
    citation: str
    redistribute_text: bool
    redistribute_audio: bool | None = None
    """None: it does not say"""
    public: bool = False
    """its recordings and labels are open to everyone, or it has no speakers: nothing is left to protect"""
    not_verified: tuple[str, ...] = ()
    """what of this, and of how it is read, nobody has checked against the corpus itself"""


class SubsetPart(_Frozen):
    """What a subset kept of one accent, of the utterances that the corpus could give."""

    accent: str
    n_speakers: int
    n_speakers_kept: int
    n_utterances: int
    n_utterances_kept: int
    minutes_kept: float | None
    """None where the corpus holds no audio"""


class SubsetRecord(_Frozen):
    """Which part of the corpus was studied; the settings are in the configuration."""

    rules: list[str]
    """in words, in the order in which they were applied"""
    parts: list[SubsetPart]
    missing: list[str]
    """what was wished for and could not be had"""


class ConditionRecord(_Frozen):
    """What a condition says of itself."""

    name: str
    version: int
    family: str
    description: str
    sources: list[str]
    sha256: str


class BackendRecord(_Frozen):
    """The recognizer: its name in the tables and everything that decides its words."""

    name: str
    fingerprint: dict[str, str]
    sha256: str


class AnalysisChange(_Frozen):
    """The settings of the analysis were changed after results existed."""

    at: str
    """when, in UTC"""
    sha256_before: str
    """hash of the settings under which the earlier results were made"""
    changed: list[str]
    """key, value before and value after of each setting that is no longer the same"""


class RunRecord(_Frozen):
    """One execution. Written to ``run.json`` before the first stage and after the last."""

    run_name: str
    status: str
    """running; partial (stopped before the card, as asked); finished; or finished_with_failures"""
    stages_done: list[str]
    """the stages whose outputs are in the folder, whole and of this configuration"""
    protected: bool
    """a card was finished under this name and configuration; another configuration may not take its place"""
    started_at: str
    finished_at: str | None
    overrides: list[str]
    config: dict[str, Any]
    config_sha256: str
    seed: int
    versions: dict[str, str]
    commit: str | None
    device: str
    """where the transcripts were made; what decided the words is in ``backend``"""
    corpus: CorpusRecord | None
    conditions: list[ConditionRecord]
    backend: BackendRecord | None
    counts: dict[str, int]
    timings_s: dict[str, float]
    throughput: dict[str, float] = {}
    """of what was transcribed and not remembered: audio_s_per_s, tokens_per_s, gpu_busy_share, ..."""
    hashes: dict[str, str]
    """SHA-256 of every input and of every table and page written"""
    history: list[str]
    """config_sha256 of earlier results under this name that were recomputed with other settings"""
    analysis_sha256: str = ""
    """hash of exactly the settings that should be fixed before any number is seen"""
    summarized_at: str | None = None
    """when results of this speech and recognizer first existed under this name"""
    analysis_changes: list[AnalysisChange] = []
    """what was changed in the settings of the analysis after that"""
    subset: SubsetRecord | None = None
    """None where the whole corpus was studied"""


def user_cache() -> Path:
    """Return the user's cache folder for this program: transcripts and synthesized speech outlive a run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asr-accent-study"


def sha256_of(value: object) -> str:
    """Return the SHA-256 of ``value`` as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(path: Path, data: bytes | str) -> Path:
    """Write ``data`` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


@dataclass(frozen=True)
class RunFolder:
    """``results/<run_name>``: stage tables as Parquet, exports as CSV, the card, and ``run.json``."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    def record(self) -> RunRecord | None:
        """Return the record of the run that is here, or None.

        Raises:
            TableError: if ``run.json`` is not one of ours.
        """
        file = self.path / RECORD
        if not file.exists():
            return None
        try:
            return RunRecord.model_validate_json(file.read_bytes())
        except (ValidationError, OSError):
            raise TableError(
                f"{file}: this is not a run record that this version can read. "
                "Move the folder away, or choose another run_name."
            ) from None

    def open(self, config_sha256: str) -> RunRecord | None:
        """Return the record that a run from the start continues, or None for a fresh start in an empty folder.

        Raises:
            ConfigError: if a finished run with another configuration, or something else, is in the way.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"{self.path}: this is a file; choose another run_name.")
        if not self.path.exists() or not any(self.path.iterdir()):
            return None
        record = self.record()
        if record is None:
            raise ConfigError(
                f"{self.path}: this folder holds no run.json, so it is not a run's to write into. "
                "Choose another run_name, or move the folder away."
            )
        if record.config_sha256 == config_sha256:
            return record
        self._refuse(record)
        self.clear(path.relative_to(self.path).as_posix() for kind in OURS for path in self.path.glob(kind))
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one process: two runs of one name would mix their tables.

        Raises:
            ConfigError: if another process holds it.
            StudyError: if the folder cannot be made.
        """
        lock = FileLock(self.path.parent / f".{self.name}.lock", timeout=0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise ConfigError(
                f"{self.path}: another process is running under this name. Wait for it, or choose another run_name."
            ) from None
        except OSError as error:
            raise StudyError(
                f"{self.path.parent}: results cannot be written here ({error.strerror or error}). "
                "Make room or name another folder with results_dir=..."
            ) from None
        try:
            self._remove_unfinished()
            yield
        finally:
            lock.release()

    def _remove_unfinished(self) -> None:
        """Remove what a killed program was writing: nobody else writes while the folder is held."""
        for kind in OURS:
            place = self.path / kind
            for file in place.parent.glob(f".{place.name}.*{UNFINISHED}"):
                file.unlink(missing_ok=True)

    def clear(self, names: Iterable[str]) -> None:
        """Remove outputs that will be made anew: nothing of an earlier execution stays among them."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def write(self, name: str, data: bytes | str) -> str:
        """Write one file of the run and return its SHA-256.

        Raises:
            StudyError: if it cannot be written (a full disk, say); the file that was there stays.
        """
        try:
            return file_sha256(write_atomic(self.path / name, data))
        except OSError as error:
            raise StudyError(
                f"{self.path / name}: cannot be written ({error.strerror or error}). Make room or name another folder "
                "with results_dir=..., and run again: what was transcribed is remembered."
            ) from None

    def is_kept(self, record: RunRecord) -> bool:
        """Return whether what is recorded may not be overwritten."""
        return record.protected and self.name.split("_")[0] != SCRATCH

    def _refuse(self, record: RunRecord) -> None:
        if not self.is_kept(record):
            return
        raise ConfigError(
            f"{self.path}: a finished run with another configuration is here (config {record.config_sha256[:12]}). "
            f"It is never overwritten: give this one its own run_name=..., or use run_name={SCRATCH}, "
            "the only name that may be overwritten."
        )

    def write_table(self, name: str, table: pd.DataFrame, metadata: Mapping[str, str] | None = None) -> str:
        """Write a stage table as ``<name>.parquet``, ``metadata`` in its file schema; return its SHA-256."""
        import pyarrow
        from pyarrow import parquet

        buffer = io.BytesIO()
        arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
        kept = arrow.schema.metadata or {}
        parquet.write_table(arrow.replace_schema_metadata({**kept, **(metadata or {})}), buffer)
        return self.write(f"{name}.parquet", buffer.getvalue())

    def read_table(self, name: str, schema: Schema) -> pd.DataFrame:
        """Read a stage table and check it.

        Raises:
            StudyError: if it is not here, not Parquet, or breaks its schema.
        """
        file = self.path / f"{name}.parquet"
        if not file.exists():
            raise StudyError(
                f"{file}: the stages asked for start from this table, and it is not here. "
                f"Run the earlier stages first (leave out stages=...), or check run_name={self.name}."
            )
        try:
            table = pd.read_parquet(file)
        except (OSError, ValueError) as error:
            raise TableError(f"{file}: not a readable Parquet table ({error}). Run the earlier stages again.") from None
        return check(table, schema, where=str(file))

    def write_csv(self, name: str, table: pd.DataFrame) -> str:
        """Write ``<name>.csv`` for people; text that a spreadsheet would run as a formula is quoted with a '."""
        return self.write(f"{name}.csv", csv_text(table))

    def write_record(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        self.write(RECORD, record.model_dump_json(indent=2) + "\n")
