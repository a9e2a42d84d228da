"""Looking after the files of a transcript store: what one holds, and dropping from it.

Safe while runs write: a drop is made of short transactions between which they come to turn, and every ``put``
names its fingerprint anew.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.asr.store_files import open_to_write, reading, sentences, transaction
from pipeline.asr.store_settings import StoreSettings
from pipeline.records import Status

DAY_S = 86_400
ROWS_AT_ONCE = 20_000
"""Dropped in one transaction, so that a run that wants to write waits for a second and not for a minute."""
ALONE_MS = 500
"""How long to try for a file that nobody else has open, before it is left as large as it is."""

_KEPT = f"""
SELECT f.sha256, f.recognizer, f.fingerprint, count(t.trial_key), total(t.status = '{Status.FAILED}'),
       count(t.trial_key) - count(t.written_unix_s), min(t.written_unix_s), max(t.written_unix_s),
       total(length(CAST(t.hypothesis AS BLOB)) + length(CAST(t.detail AS BLOB)) + length(t.trial_key)
             + coalesce(length(CAST(r.rendering AS BLOB)), 0))
FROM fingerprints AS f LEFT JOIN transcripts AS t ON t.fingerprint_id = f.id
LEFT JOIN renderings AS r ON r.trial_key = t.trial_key
GROUP BY f.id
"""
# fingerprints first: transcripts are ordered by them, so each rendering costs one look a fingerprint
_UNUSED = """
FROM renderings AS r WHERE NOT EXISTS (
    SELECT 1 FROM fingerprints AS f CROSS JOIN transcripts AS t ON t.fingerprint_id = f.id
    WHERE t.trial_key = r.trial_key AND ({dropped}) IS NOT TRUE)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one file holds of one fingerprint; bytes are of texts and renderings, times seconds since 1970."""

    sha256: str
    recognizer: str
    transcripts: int
    """failures included"""
    failed: int
    undated: int
    """written by a version that recorded no time"""
    first_unix_s: int | None
    last_unix_s: int | None
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows of one file that went, or would go."""

    transcripts: int
    renderings: int
    compacted: bool
    """False: the space is used by what is remembered next"""


def kept(file: Path, path: Path) -> list[Kept]:
    """Return what a sound file holds, by recognizer."""
    with reading(file, path) as connection:
        rows = connection.execute(_KEPT).fetchall()
    found = [
        Kept(sha256, recognizer or _named(text), count, int(failed), undated, first, last, int(text_bytes))
        for sha256, recognizer, text, count, failed, undated, first, last, text_bytes in rows
    ]
    return sorted(found, key=lambda one: (one.recognizer, one.sha256))


def drop(file: Path, path: Path, settings: StoreSettings, *, sha256s: Sequence[str], dry_run: bool) -> Dropped:
    """Drop from a sound file what fits all of ``settings``, then the renderings that nothing refers to any more.

    Args:
        file: of the store at ``path``.
        path: the file that all processes of a machine write.
        settings: what is to go.
        sha256s: the fingerprints that ``settings.drop_fingerprint`` stands for.
        dry_run: only count.
    """
    chosen, values = _chosen(settings, sha256s)
    if dry_run:
        with reading(file, path) as connection:
            ((transcripts,),) = connection.execute(f"SELECT count(*) FROM transcripts AS t WHERE {chosen}", values)
            ((renderings,),) = connection.execute(f"SELECT count(*) {_UNUSED.format(dropped=chosen)}", values)
        return Dropped(transcripts, renderings, compacted=False)
    with sentences(file), closing(open_to_write(file, journal=None)) as connection:
        transcripts = _drop_transcripts(connection, chosen, values)
        renderings = _drop_unused_renderings(connection)
        with transaction(connection):
            connection.execute(
                "DELETE FROM fingerprints WHERE NOT EXISTS"
                " (SELECT 1 FROM transcripts WHERE fingerprint_id = fingerprints.id)"
            )
        return Dropped(transcripts, renderings, _compacted(connection))


def _chosen(settings: StoreSettings, sha256s: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the condition on a row ``t`` of transcripts that is to go, and the values of its question marks."""
    conditions: list[str] = []
    values: tuple[str, ...] = ()
    if settings.drop_fingerprint is not None:
        named = "SELECT f.id FROM fingerprints AS f WHERE f.sha256 IN (SELECT value FROM json_each(?))"
        conditions.append(f"t.fingerprint_id IN ({named})")
        values = (json.dumps(list(sha256s)),)
    if settings.drop_failed:
        conditions.append(f"t.status = '{Status.FAILED}'")
    if settings.drop_older_than_days is not None:
        conditions.append(f"t.written_unix_s < {int(time.time()) - DAY_S * settings.drop_older_than_days}")
    return " AND ".join(conditions) or "FALSE", values


def _drop_transcripts(connection: sqlite3.Connection, chosen: str, values: Sequence[str]) -> int:
    some = f"SELECT t.fingerprint_id, t.trial_key FROM transcripts AS t WHERE {chosen} LIMIT {ROWS_AT_ONCE}"
    total = 0
    while True:
        with transaction(connection):
            gone = connection.execute(some, values).fetchall()
            connection.executemany("DELETE FROM transcripts WHERE fingerprint_id = ? AND trial_key = ?", gone)
        total += len(gone)
        if len(gone) < ROWS_AT_ONCE:
            return total


def _drop_unused_renderings(connection: sqlite3.Connection) -> int:
    unused = _UNUSED.format(dropped="FALSE")
    keys = [key for (key,) in connection.execute(f"SELECT r.trial_key {unused}")]
    some = f"SELECT r.trial_key {unused} AND r.trial_key IN (SELECT value FROM json_each(?))"  # one may be used by now
    total = 0
    for start in range(0, len(keys), ROWS_AT_ONCE):
        with transaction(connection):
            total += connection.execute(
                f"DELETE FROM renderings WHERE trial_key IN ({some})", (json.dumps(keys[start : start + ROWS_AT_ONCE]),)
            ).rowcount
    return total


def _compacted(connection: sqlite3.Connection) -> bool:
    """Give freed space back, unless somebody else has the file open: they would wait for as long as it takes."""
    ((journal,),) = connection.execute("PRAGMA journal_mode")
    connection.execute(f"PRAGMA busy_timeout = {ALONE_MS}")
    try:
        # only who is alone may leave write-ahead mode
        if connection.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
            return False
        connection.execute("VACUUM")
        connection.execute(f"PRAGMA journal_mode = {journal}")
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")):
            raise
        return False
    return True


def _named(fingerprint: str) -> str:
    """Return a recognizer's kind and model, of a fingerprint that was stored without the recognizer's name."""
    try:
        said = json.loads(fingerprint)
        return ":".join(str(said[key]) for key in ("kind", "model") if key in said)
    except (ValueError, TypeError):
        return ""
