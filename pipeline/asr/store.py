"""What was already heard: SQLite, outside every run folder, that all runs share.

Keyed by trial and by the backend's fingerprint. Each ``put`` is one transaction and is on the disk when it
returns, so a process killed at any moment loses at most the batch it was in. Several processes may write at once;
the first answer to a trial stays. A failure is kept with its reason until an answer takes its place.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter, itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic_core import from_json

from pipeline.asr.base import Hypothesis
from pipeline.asr.store_files import beside, open_to_write, own_file, reading, sentences, transaction
from pipeline.errors import StudyError
from pipeline.records import Status

KEYS_A_QUERY = 20_000
SPARE_ROWS = 2
"""A fingerprint is read whole, twice as fast as key by key, where it has at most so many rows for each key asked."""

_HEARD = tuple(field.name for field in fields(Hypothesis))
_COLUMNS = ", ".join("hypothesis" if name == "text" else name for name in _HEARD)
_heard = attrgetter(*_HEARD)
_STATUS = 2 + _HEARD.index("status")

_ID = "(SELECT id FROM fingerprints WHERE sha256 = ?)"
_HELD = f"SELECT count(*) FROM (SELECT 1 FROM transcripts WHERE fingerprint_id = {_ID} LIMIT ?)"
_ALL = f"""
SELECT t.trial_key, r.rendering, {_COLUMNS}
FROM transcripts AS t LEFT JOIN renderings AS r ON r.trial_key = t.trial_key WHERE t.fingerprint_id = {_ID}
"""
_ASKED = f"""
SELECT t.trial_key, r.rendering, {_COLUMNS}
FROM json_each(?) AS asked CROSS JOIN transcripts AS t LEFT JOIN renderings AS r ON r.trial_key = t.trial_key
WHERE t.fingerprint_id = {_ID} AND t.trial_key = asked.value
"""
_NAME = """
INSERT INTO fingerprints (sha256, fingerprint, recognizer) VALUES (?, ?, ?)
ON CONFLICT (sha256) DO UPDATE SET recognizer = excluded.recognizer WHERE recognizer = '' AND excluded.recognizer <> ''
"""
_PUT = f"""
INSERT INTO transcripts (fingerprint_id, trial_key, {_COLUMNS}, written_unix_s)
VALUES ({_ID}, ?, {", ".join("?" * len(_HEARD))}, ?)
ON CONFLICT (fingerprint_id, trial_key) DO UPDATE
SET ({_COLUMNS}, written_unix_s) = ({", ".join(f"excluded.{name}" for name in _COLUMNS.split(", "))},
                                    excluded.written_unix_s)
WHERE transcripts.status = '{Status.FAILED}'
"""

Item = tuple[str, Hypothesis, Mapping[str, Any] | None]
"""Trial key, what was heard, and what the rendering came out as (JSON-able; None without audio)."""
Row = tuple[Any, ...]
"""Trial key, rendering as JSON, and the fields of a hypothesis."""

logger = logging.getLogger(__name__)


class Stored:
    """What the store knows of one trial, taken apart only when it is asked for."""

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        self._row = row

    @property
    def failed(self) -> bool:
        """Whether the recognizer failed on it; then it is to be tried again."""
        return bool(self._row[_STATUS] == Status.FAILED)

    @property
    def hypothesis(self) -> Hypothesis:
        """What was heard, or why nothing was.

        Raises:
            StudyError: if its status is none that this program knows.
        """
        key, _, text, status, *rest = self._row
        try:
            return Hypothesis(text, Status(status), *rest)
        except ValueError:
            raise _unreadable(key, f"the status {status!r} is unknown") from None

    @property
    def rendering(self) -> dict[str, Any] | None:
        """What the rendering came out as; None without audio.

        Raises:
            StudyError: if it is not JSON.
        """
        key, text, *_ = self._row
        try:
            parsed: dict[str, Any] | None = from_json(text, cache_strings="keys") if text is not None else None
        except ValueError as error:
            raise _unreadable(key, f"its rendering is not JSON ({error})") from None
        return parsed


class Remembered(Mapping[str, Stored]):
    """What was found of the trials asked for, by trial key.

    A million objects take longer to make, and to be looked through by the garbage collector, than their rows take
    to be read; so rows are kept, and each becomes an object when it is asked for.
    """

    def __init__(self, rows: dict[str, Row]) -> None:
        self._rows = rows

    def __getitem__(self, trial_key: str) -> Stored:
        return Stored(self._rows[trial_key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, trial_key: object) -> bool:
        return trial_key in self._rows


class TranscriptStore:
    """The store at ``path``; a context manager. Use each object in one thread.

    Args:
        path: the file that all processes of a machine write.
        shared: the folder is on a file system that several machines share. Then this object writes a file of its own
            beside ``path``, made with the first answer.

    Every ``<stem>*<suffix>`` in the folder is read. An answer beats a failure; of several answers that of the file
    first in the order of names counts.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self._path, self._shared = path, shared
        self._file = own_file(path) if shared else path
        self._connection: sqlite3.Connection | None = None
        self._entered = False

    def __enter__(self) -> Self:
        """Open the file; make it and its folders where they are not there.

        Raises:
            StudyError: if the file is damaged, is not a transcript store, or cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"transcript store: the folder {self._path.parent} cannot be made: {error}") from error
        self._entered = True
        if not self._shared:
            self._to_write()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._entered = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def folder(self) -> Path:
        """Where the store lies, in which everything that shares it can write."""
        return self._path.parent

    def get(self, trial_keys: Sequence[str], fingerprint_sha256: str) -> Remembered:
        """Return what is remembered of ``trial_keys`` under one fingerprint, failures too."""
        asked = set(trial_keys)
        found: dict[str, Row] = {}
        files = beside(self._path)  # in any mode: what was heard is not heard again because a key was left out
        for file in files:
            try:
                with sentences(file), self._to_read(file) as connection:
                    here = _rows(connection, asked, fingerprint_sha256)
            except StudyError as error:
                if file == self._file:
                    raise
                logger.warning("left out: %s", error)
                continue
            if len(files) > 1:
                asked -= {key for key, row in here.items() if row[_STATUS] != Status.FAILED}
                here = {key: row for key, row in here.items() if key not in asked or key not in found}
            found |= here
        return Remembered(found)

    def put(
        self, items: Sequence[Item], fingerprint_sha256: str, fingerprint: Mapping[str, str], *, recognizer: str = ""
    ) -> None:
        """Remember a batch in one transaction; a failure gives way to what comes later, anything else stays.

        ``recognizer`` is the backend's name, for people who look at the store.

        Raises:
            StudyError: if it cannot be written (full disk, say); then nothing of the batch is kept.
        """
        now_s = int(time.time())
        words = [(fingerprint_sha256, key, *_heard(hypothesis), now_s) for key, hypothesis, _ in items]
        renderings = [(key, json.dumps(rendering)) for key, _, rendering in items if rendering is not None]
        described = json.dumps(dict(fingerprint), sort_keys=True)
        with sentences(self._file), transaction(self._to_write()) as connection:
            connection.execute(_NAME, (fingerprint_sha256, described, recognizer))
            connection.executemany(_PUT, words)
            connection.executemany("INSERT OR IGNORE INTO renderings VALUES (?, ?)", renderings)

    def _to_write(self) -> sqlite3.Connection:
        if not self._entered:
            raise RuntimeError("the transcript store is used as: with TranscriptStore(path) as store")
        if self._connection is None:
            self._connection = open_to_write(self._file, journal="DELETE" if self._shared else "WAL")
        return self._connection

    @contextmanager
    def _to_read(self, file: Path) -> Iterator[sqlite3.Connection]:
        if file == self._file:
            yield self._to_write()
            return
        with reading(file, self._path) as connection:
            yield connection


def _rows(connection: sqlite3.Connection, asked: Set[str], fingerprint_sha256: str) -> dict[str, Row]:
    enough = SPARE_ROWS * len(asked)
    ((held,),) = connection.execute(_HELD, (fingerprint_sha256, enough + 1))
    if held <= enough:
        rows = connection.execute(_ALL, (fingerprint_sha256,)).fetchall()
        found = dict(zip(map(itemgetter(0), rows), rows, strict=True))
        return found if found.keys() <= asked else {key: found[key] for key in found.keys() & asked}
    keys, rows = sorted(asked), []  # in the order of the file
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = json.dumps(keys[start : start + KEYS_A_QUERY])
        rows += connection.execute(_ASKED, (some, fingerprint_sha256)).fetchall()
    return {row[0]: row for row in rows}


def _unreadable(trial_key: str, why: str) -> StudyError:
    return StudyError(
        f"transcript store: what is remembered of trial {trial_key} cannot be read: {why}. See which file it is with "
        "python -m pipeline stages=[store], and move that file away: its trials are heard again."
    )
