"""The SQLite files of a transcript store: their tables, how they are opened, and what their errors mean.

A file that several processes of one machine write is in write-ahead mode. That needs memory which all of them
share, so on a shared file system each writer has a file of its own with a rollback journal, and reads the others'.
"""

import glob
import platform
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.errors import StudyError

APPLICATION_ID = 0x57455253
"""Marks the file as ours (SQLite's own field for this)."""
BUSY_S = 60.0
"""How long to wait for another process's transaction."""
QUIET_S = 600.0
"""Another machine's file that nobody has touched for so long has lost its writer."""

_SCHEMAS = (
    """
    CREATE TABLE fingerprints (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
    CREATE TABLE transcripts (
        fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id), trial_key TEXT NOT NULL,
        hypothesis TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
        decode_s REAL, avg_logprob REAL, no_speech_prob REAL, compression_ratio REAL,
        PRIMARY KEY (fingerprint_id, trial_key)
    ) WITHOUT ROWID;
    CREATE TABLE renderings (trial_key TEXT PRIMARY KEY, rendering TEXT NOT NULL) WITHOUT ROWID
    """,
    """
    ALTER TABLE fingerprints ADD COLUMN recognizer TEXT NOT NULL DEFAULT '';
    ALTER TABLE transcripts ADD COLUMN n_tokens INTEGER;
    ALTER TABLE transcripts ADD COLUMN written_unix_s INTEGER
    """,
)
"""What each schema adds to the one before; a new file goes through all of them."""
SCHEMA_VERSION = len(_SCHEMAS)
_SEEN_AS_2 = """
    CREATE TEMP VIEW fingerprints AS SELECT id, sha256, fingerprint, '' AS recognizer FROM main.fingerprints;
    CREATE TEMP VIEW transcripts AS SELECT *, NULL AS n_tokens, NULL AS written_unix_s FROM main.transcripts
"""
"""Lets the queries of this program read a file of schema 1 that it may not change."""


class UnfilledError(StudyError):
    """A file of a store that holds nothing, not even tables: its writer has just begun, or was stopped as it did."""


def beside(path: Path) -> list[Path]:
    """Return the files of the store at ``path``, those of other writers included, in the order of their names."""
    return sorted(path.parent.glob(f"{glob.escape(path.stem)}*{glob.escape(path.suffix)}"))


def own_file(path: Path) -> Path:
    """Return a new name beside ``path`` for one writer on a shared file system."""
    return path.with_name(f"{_host_files(path)}{secrets.token_hex(4)}{path.suffix}")


def may_write(file: Path, path: Path) -> bool:
    """Return whether ``file`` of the store at ``path`` is this machine's or nobody's: locks fail between some."""
    if file == path or file.name.startswith(_host_files(path)):
        return True
    around = (file, Path(f"{file}-journal"), Path(f"{file}-wal"))
    touched = max((one.stat().st_mtime for one in around if one.exists()), default=0.0)
    return time.time() - touched > QUIET_S


def _host_files(path: Path) -> str:
    host = re.sub(r"[^A-Za-z0-9.]+", "_", platform.node())[:60] or "unnamed"
    return f"{path.stem}-{host}-"


def open_to_write(file: Path, *, journal: str | None) -> sqlite3.Connection:
    """Open a file, make it or bring it to this program's schema, and set its journal mode unless that is None.

    Raises:
        StudyError: if it is damaged, is not a transcript store, or cannot be written.
    """
    with sentences(file):
        connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
        try:
            version = version_of(connection, file)  # before anything is changed: the file may be somebody else's
            if journal is not None:
                connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.execute("PRAGMA synchronous = EXTRA")
            if version < SCHEMA_VERSION:
                _upgrade(connection, file)
        except BaseException:
            connection.close()
            raise
        return connection


def open_to_read(file: Path, path: Path) -> sqlite3.Connection:
    """Open a file of the store at ``path`` that somebody else may be writing; nothing in it is changed.

    Raises:
        UnfilledError: if there is nothing in it yet.
        StudyError: if it is damaged, or not a transcript store of a schema that this program knows.
    """
    with sentences(file):
        try:
            return _readable(file, "ro")
        except sqlite3.OperationalError as error:
            # a writer that was killed leaves a journal, which the next one to open the file for writing undoes
            unfinished = _name(error).startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
            if not unfinished or not file.exists():
                raise
            if not may_write(file, path):
                raise StudyError(
                    f"transcript store {file}: another machine is writing it, or was stopped while it did. Run again "
                    f"when nothing has written it for {QUIET_S / 60:g} minutes: what it holds can be read then."
                ) from error
            return _readable(file, "rw")


@contextmanager
def reading(file: Path, path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file as ``open_to_read`` does, and turn what goes wrong with it into sentences until it is closed."""
    with sentences(file), closing(open_to_read(file, path)) as connection:
        yield connection


def _readable(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.resolve().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None
    )
    try:
        version = version_of(connection, file)
        if version == 0:
            raise UnfilledError(f"transcript store {file}: it is empty. Its writer is about to fill it, or it can go.")
        if version == 1:
            connection.executescript(_SEEN_AS_2)
    except BaseException:
        connection.close()
        raise
    return connection


def _upgrade(connection: sqlite3.Connection, file: Path) -> None:
    with transaction(connection):
        for statements in _SCHEMAS[version_of(connection, file) :]:  # asked again: another process may have been first
            for statement in statements.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def version_of(connection: sqlite3.Connection, file: Path) -> int:
    """Return the schema that a file is in, 0 for an empty one; raise for one that is somebody else's."""
    application, schema, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if application == APPLICATION_ID and 1 <= schema <= SCHEMA_VERSION:
        return int(schema)
    if application == APPLICATION_ID:
        raise StudyError(
            f"transcript store {file}: it has schema {schema}, this program knows {SCHEMA_VERSION}."
            " Use the program's newer version, or name another file."
        )
    if application or schema or tables:
        raise StudyError(f"transcript store {file}: this is another program's SQLite file. Name another file.")
    return 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write all or nothing; other processes wait meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has already rolled back after a full disk
            connection.execute("ROLLBACK")
        raise


@contextmanager
def sentences(file: Path) -> Iterator[None]:
    """Turn SQLite's errors about ``file`` into a ``StudyError`` that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StudyError(f"transcript store {file}: {_what_to_do(error)}") from error


def _name(error: sqlite3.DatabaseError) -> str:
    """Return SQLite's name of an error; empty for one of the Python module's own."""
    return getattr(error, "sqlite_errorname", "") or ""


def _what_to_do(error: sqlite3.DatabaseError) -> str:
    name = _name(error)
    said = f"{error} ({name})." if name else f"{error}."
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{said} The file is damaged or is not a transcript store; move it away, and its trials are heard again."
    if name.startswith("SQLITE_BUSY"):
        return f"{said} Another process has held it for {BUSY_S:g} s; let that one finish."
    if name.startswith(("SQLITE_PROTOCOL", "SQLITE_IOERR_SHM", "SQLITE_IOERR_LOCK")):
        return f"{said} The file system cannot share it between processes; run with store.shared=true."
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return f"{said} The disk is full or fails; make room and run again: what was remembered is kept."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"{said} It cannot be opened for writing; name a file in a folder that you may write to."
    return said
