"""What was already heard: a SQLite file, outside every run folder, that all runs share.

Keyed by trial and by the backend's fingerprint. Each ``put`` is one transaction in write-ahead mode and is on
the disk when it returns, so a process killed at any moment loses at most the batch it was in. Several processes
may write at once; the first answer to a trial stays. Failures are not remembered: the next run tries them again.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.asr.base import Hypothesis
from pipeline.errors import StudyError
from pipeline.records import Status

APPLICATION_ID = 0x57455253
"""Marks the file as ours (SQLite's own field for this)."""
SCHEMA_VERSION = 1
BUSY_S = 60.0
"""How long to wait for another process's transaction."""
KEYS_A_QUERY = 20_000

_SCHEMA = """
CREATE TABLE fingerprints (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
CREATE TABLE transcripts (
    fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id), trial_key TEXT NOT NULL,
    hypothesis TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
    decode_s REAL, avg_logprob REAL, no_speech_prob REAL, compression_ratio REAL,
    PRIMARY KEY (fingerprint_id, trial_key)
) WITHOUT ROWID;
CREATE TABLE renderings (trial_key TEXT PRIMARY KEY, rendering TEXT NOT NULL) WITHOUT ROWID;
"""
_GET = """
SELECT t.trial_key, r.rendering, t.hypothesis, t.status, t.detail,
       t.decode_s, t.avg_logprob, t.no_speech_prob, t.compression_ratio
FROM json_each(?) AS asked CROSS JOIN transcripts AS t LEFT JOIN renderings AS r ON r.trial_key = t.trial_key
WHERE t.fingerprint_id = (SELECT id FROM fingerprints WHERE sha256 = ?) AND t.trial_key = asked.value
"""
_PUT = "INSERT OR IGNORE INTO transcripts VALUES ((SELECT id FROM fingerprints WHERE sha256 = ?),?,?,?,?,?,?,?,?)"

_columns = attrgetter(*(field.name for field in fields(Hypothesis)))

Item = tuple[str, Hypothesis, Mapping[str, Any] | None]
"""Trial key, what was heard, and what the rendering came out as (JSON-able; None without audio)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows of one trial."""

    hypothesis: Hypothesis
    rendering: dict[str, Any] | None


class TranscriptStore:
    """The store in the file ``path``; a context manager. Use each object in one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open the file; make it and its folders where they are not there.

        Raises:
            StudyError: if the file is damaged, is not a transcript store, or cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"transcript store: the folder {self._path.parent} cannot be made: {error}") from error
        with self._sentences():
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            try:
                _ready(connection, self._path)
            except BaseException:
                connection.close()
                raise
        self._connection = connection
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, trial_keys: Sequence[str], fingerprint_sha256: str) -> dict[str, Stored]:
        """Return what is remembered of ``trial_keys`` under one fingerprint; absent keys are simply not there."""
        found: dict[str, Stored] = {}
        keys = sorted(set(trial_keys))  # in the order of the file
        with self._sentences():
            for start in range(0, len(keys), KEYS_A_QUERY):
                asked = json.dumps(keys[start : start + KEYS_A_QUERY])
                found |= _stored(self._open.execute(_GET, (asked, fingerprint_sha256)).fetchall())
        return found

    def put(self, items: Sequence[Item], fingerprint_sha256: str, fingerprint: Mapping[str, str]) -> None:
        """Remember a batch in one transaction; failures are left out, and what is already there stays.

        Raises:
            StudyError: if it cannot be written (full disk, say); then nothing of the batch is kept.
        """
        kept = [item for item in items if item[1].status is not Status.FAILED]
        words = [(fingerprint_sha256, key, *_columns(hypothesis)) for key, hypothesis, _ in kept]
        renderings = [(key, json.dumps(rendering)) for key, _, rendering in kept if rendering is not None]
        described = json.dumps(dict(fingerprint), sort_keys=True)
        with self._sentences(), _transaction(self._open) as connection:
            new = "INSERT OR IGNORE INTO fingerprints (sha256, fingerprint) VALUES (?, ?)"
            connection.execute(new, (fingerprint_sha256, described))
            connection.executemany(_PUT, words)
            connection.executemany("INSERT OR IGNORE INTO renderings VALUES (?, ?)", renderings)

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the transcript store is used as: with TranscriptStore(path) as store")
        return self._connection

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StudyError(f"transcript store {self._path}: {_what_to_do(error)}") from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has already rolled back after a full disk
            connection.execute("ROLLBACK")
        raise


def _ready(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not ours, else bring it to write-ahead mode with our tables."""
    if not _is_ours(connection, path):
        connection.execute("PRAGMA journal_mode = WAL")
        with _transaction(connection):
            if not _is_ours(connection, path):  # another process may have been first
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Return False for an empty file; raise for one that is somebody else's."""
    application, schema, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if application == APPLICATION_ID and schema == SCHEMA_VERSION:
        return True
    if application == APPLICATION_ID:
        raise StudyError(
            f"transcript store {path}: it has schema {schema}, this program knows {SCHEMA_VERSION}."
            " Use the program's newer version, or name another file."
        )
    if application or schema or tables:
        raise StudyError(f"transcript store {path}: this is another program's SQLite file. Name another file.")
    return False


def _stored(rows: Sequence[tuple[Any, ...]]) -> dict[str, Stored]:
    renderings = json.loads(f"[{','.join(row[1] or 'null' for row in rows)}]")  # at once: thrice as fast as one by one
    return {
        key: Stored(Hypothesis(text, Status(status), *rest), rendering)
        for (key, _, text, status, *rest), rendering in zip(rows, renderings, strict=True)
    }


def _what_to_do(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    said = f"{error} ({name})." if name else f"{error}."
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{said} The file is damaged or is not a transcript store; move it away, and its trials are heard again."
    if name.startswith("SQLITE_BUSY"):
        return f"{said} Another process has held it for {BUSY_S:g} s; let that one finish."
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return f"{said} The disk is full or fails; make room and run again: what was remembered is kept."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"{said} It cannot be opened for writing; name a file in a folder that you may write to."
    return said
