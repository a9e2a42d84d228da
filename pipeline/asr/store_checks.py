"""Whether a file of a transcript store is sound: undamaged, and everything in it as this program writes it."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from pydantic_core import from_json

from pipeline.artifacts import sha256_of
from pipeline.asr.store_files import UnfilledError, reading
from pipeline.errors import StudyError, first_five
from pipeline.records import Status


def damage(file: Path, path: Path) -> str:
    """Return what keeps a file of the store at ``path`` from being read at all, or empty text.

    Raises:
        UnfilledError: if there is nothing in it yet.
    """
    try:
        with reading(file, path) as connection:
            found = [" ".join(str(row[0]).split()) for row in connection.execute("PRAGMA integrity_check(5)")]
    except UnfilledError:
        raise
    except StudyError as error:
        return str(error)
    if found == ["ok"]:
        return ""
    return f"transcript store {file}: it is damaged ({'; '.join(found)}). Move it away; its trials are heard again."


def problems(file: Path, path: Path) -> list[str]:
    """Return a sentence for everything in a sound file that this program cannot read or did not write."""
    with reading(file, path) as connection:
        return [found for check in _CHECKS if (found := check(connection, file))]


def _strays(connection: sqlite3.Connection, file: Path) -> str:
    count = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    return _problem(file, f"{count} transcripts belong to no recognizer") if count else ""


def _statuses(connection: sqlite3.Connection, file: Path) -> str:
    known = ", ".join(f"'{status}'" for status in Status)
    rows = connection.execute(f"SELECT DISTINCT status FROM transcripts WHERE status NOT IN ({known})").fetchall()
    return _problem(file, f"unknown status {first_five(repr(row[0]) for row in rows)}") if rows else ""


def _renderings(connection: sqlite3.Connection, file: Path) -> str:
    broken = [key for key, text in connection.execute("SELECT * FROM renderings") if not _is_object(text)]
    return _problem(file, f"the renderings of trials {first_five(broken)} are not JSON") if broken else ""


def _fingerprints(connection: sqlite3.Connection, file: Path) -> str:
    rows = connection.execute("SELECT sha256, fingerprint FROM fingerprints").fetchall()
    wrong = [sha256 for sha256, text in rows if not _hashes_to(text, sha256)]
    if not wrong:
        return ""
    return (
        f"transcript store {file}: the fingerprints {first_five(wrong)} do not hash to their names, so it is not known "
        f"which recognizer is remembered there. Drop it: store.drop_fingerprint={wrong[0][:12]} store.dry_run=false."
    )


def _hashes_to(text: str, sha256: str) -> bool:
    try:
        return sha256_of(json.loads(text)) == sha256
    except ValueError:
        return False


def _is_object(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(from_json(text, cache_strings="keys"), dict)
    except ValueError:
        return False


def _problem(file: Path, what: str) -> str:
    return (
        f"transcript store {file}: {what}. Another program wrote there; move the file away, its trials are heard again."
    )


_CHECKS: tuple[Callable[[sqlite3.Connection, Path], str], ...] = (_strays, _statuses, _renderings, _fingerprints)
