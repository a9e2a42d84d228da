"""Keeping the store in order: nothing goes that was not asked for, also while a run writes."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.artifacts import sha256_of
from pipeline.asr import store_checks, store_upkeep
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.asr.store_settings import StoreSettings
from pipeline.records import Status

TINY, BASE = {"kind": "whisper", "model": "tiny"}, {"kind": "whisper", "model": "base"}
DAY_S = 86_400

# prints a batch's number only after put() has returned
WRITER = """
import sys
from pathlib import Path
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.records import Status
with TranscriptStore(Path(sys.argv[1])) as store:
    for batch in range(int(sys.argv[2])):
        items = [(f"{batch}/{i}", Hypothesis("words", Status.OK), {"samples": batch}) for i in range(5)]
        store.put(items, "f" * 64, {"kind": "test"})
        print(batch, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of two recognizers: both were given k0 to k9, tiny failed on k8 and k9 and heard one trial more."""
    file = tmp_path / "transcripts.sqlite"
    with TranscriptStore(file) as store:
        for fingerprint in (TINY, BASE):
            failing = 2 if fingerprint is TINY else 0
            items = [
                (f"k{i}", Hypothesis("", Status.FAILED, "broken") if i >= 10 - failing else said(i), {"samples": i})
                for i in range(10)
            ]
            store.put(items, sha256_of(fingerprint), fingerprint)
        store.put([("only tiny", said(1), {"samples": 1})], sha256_of(TINY), TINY)
    return file


def said(number: int) -> Hypothesis:
    return Hypothesis(f"words {number}", Status.OK)


def drop(path: Path, *, dry_run: bool = False, **settings: object) -> store_upkeep.Dropped:
    asked = StoreSettings.model_validate(settings)
    sha256s = [sha256_of(TINY)] if asked.drop_fingerprint else []
    return store_upkeep.drop(path, path, asked, sha256s=sha256s, dry_run=dry_run)


def rows(path: Path, query: str = "SELECT trial_key, status FROM transcripts") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_what_is_kept_is_told_by_recognizer(path: Path) -> None:
    base, tiny = store_upkeep.kept(path, path)
    assert (base.recognizer, base.sha256, base.transcripts, base.failed) == ("whisper:base", sha256_of(BASE), 10, 0)
    assert (tiny.recognizer, tiny.sha256, tiny.transcripts, tiny.failed) == ("whisper:tiny", sha256_of(TINY), 11, 2)
    assert base.undated == 0
    assert base.first_unix_s is not None
    assert 0 <= time.time() - base.first_unix_s < 600
    # a key of two characters, "words 0" and {"samples": 0}
    assert base.text_bytes == 10 * (2 + 7 + 14)


def test_a_sound_store_has_no_problems(path: Path) -> None:
    assert store_checks.damage(path, path) == ""
    assert store_checks.problems(path, path) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE transcripts SET status = 'maybe' WHERE trial_key = 'k3'", "unknown status 'maybe'"),
        ("UPDATE renderings SET rendering = '{\"a\": ' WHERE trial_key = 'k3'", "renderings of trials k3 are not JSON"),
        ("UPDATE renderings SET rendering = '[]' WHERE trial_key = 'k3'", "renderings of trials k3 are not JSON"),
        ("UPDATE fingerprints SET fingerprint = '{}' WHERE id = 1", "do not hash to their names"),
        ("UPDATE fingerprints SET fingerprint = '{' WHERE id = 1", "do not hash to their names"),
        ("DELETE FROM fingerprints WHERE id = 2", "10 transcripts belong to no recognizer"),
    ],
)
def test_what_this_program_did_not_write_is_named_with_what_to_do(path: Path, statement: str, expected: str) -> None:
    change(path, statement)
    assert store_checks.damage(path, path) == ""
    (problem,) = store_checks.problems(path, path)
    assert expected in problem
    assert str(path) in problem
    assert "move the file away" in problem or "store.drop_fingerprint=" in problem


def overwritten_page(raw: bytearray) -> None:
    middle = len(raw) // 8192 * 4096
    raw[middle : middle + 4096] = random.Random(0).randbytes(4096)


def key_out_of_order(raw: bytearray) -> None:
    place = raw.index(b"m01500")
    raw[place : place + 6] = b"z01500"


@pytest.mark.parametrize("harm", [overwritten_page, key_out_of_order])
def test_a_damaged_file_is_named_with_what_to_do(path: Path, harm: Callable[[bytearray], None]) -> None:
    with TranscriptStore(path) as store:
        items = [(f"m{i:05d}", Hypothesis("words " * 20, Status.OK), None) for i in range(3000)]
        store.put(items, sha256_of(TINY), TINY)
    raw = bytearray(path.read_bytes())
    harm(raw)
    path.write_bytes(raw)
    problem = store_checks.damage(path, path)
    assert str(path) in problem
    assert "is damaged" in problem
    assert "ove it away" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("settings", [{"drop_failed": True}, {"drop_fingerprint": "whisper:tiny"}])
def test_a_dry_run_counts_what_a_drop_then_drops_and_changes_nothing(path: Path, settings: dict[str, object]) -> None:
    before = rows(path), rows(path, "SELECT * FROM renderings"), rows(path, "SELECT * FROM fingerprints")
    counted = drop(path, dry_run=True, **settings)
    assert (rows(path), rows(path, "SELECT * FROM renderings"), rows(path, "SELECT * FROM fingerprints")) == before
    dropped = drop(path, **settings)
    assert (dropped.transcripts, dropped.renderings) == (counted.transcripts, counted.renderings)
    assert dropped.transcripts == len(before[0]) - len(rows(path)) > 0


def test_a_file_of_schema_1_is_told_of_unchanged_and_brought_up_only_to_drop_from_it(path: Path) -> None:
    for column in ("transcripts DROP COLUMN n_tokens", "transcripts DROP COLUMN written_unix_s"):
        change(path, f"ALTER TABLE {column}")
    change(path, "ALTER TABLE fingerprints DROP COLUMN recognizer")
    change(path, "PRAGMA user_version = 1")
    base, tiny = store_upkeep.kept(path, path)
    assert (base.transcripts, base.undated, tiny.failed, tiny.last_unix_s) == (10, 10, 2, None)
    assert store_checks.problems(path, path) == []
    assert drop(path, drop_failed=True, dry_run=True).transcripts == 2
    assert rows(path, "PRAGMA user_version") == [(1,)]
    assert drop(path, drop_older_than_days=1).transcripts == 0
    assert drop(path, drop_failed=True).transcripts == 2
    assert rows(path, "PRAGMA user_version") == [(2,)]


@pytest.mark.parametrize("at_once", [1, 3, 11])
def test_a_large_drop_is_made_of_small_ones(path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(store_upkeep, "ROWS_AT_ONCE", at_once)
    dropped = drop(path, drop_fingerprint="whisper:tiny")
    assert (dropped.transcripts, dropped.renderings) == (11, 1)
    assert len(rows(path)) == 10


def test_failures_go_and_renderings_that_another_recognizer_refers_to_stay(path: Path) -> None:
    dropped = drop(path, drop_failed=True)
    assert (dropped.transcripts, dropped.renderings) == (2, 0)
    assert {status for _, status in rows(path)} == {"ok"}
    assert len(rows(path)) == 19


def test_a_fingerprint_goes_with_the_renderings_that_only_it_refers_to(path: Path) -> None:
    dropped = drop(path, drop_fingerprint="whisper:tiny")
    assert (dropped.transcripts, dropped.renderings) == (11, 1)
    assert rows(path, "SELECT sha256 FROM fingerprints") == [(sha256_of(BASE),)]
    assert sorted(key for key, _ in rows(path)) == [f"k{i}" for i in range(10)]
    assert len(rows(path, "SELECT * FROM renderings")) == 10
    assert store_checks.problems(path, path) == []


def test_what_is_older_goes_and_what_has_no_date_stays(path: Path) -> None:
    now_s = int(time.time())
    change(path, f"UPDATE transcripts SET written_unix_s = {now_s - 31 * DAY_S} WHERE trial_key IN ('k1', 'k2')")
    change(path, f"UPDATE transcripts SET written_unix_s = {now_s - 29 * DAY_S} WHERE trial_key = 'k3'")
    change(path, "UPDATE transcripts SET written_unix_s = NULL WHERE trial_key = 'k4'")
    assert sum(one.undated for one in store_upkeep.kept(path, path)) == 2
    dropped = drop(path, drop_older_than_days=30)
    assert (dropped.transcripts, dropped.renderings) == (4, 2)
    assert {key for key, _ in rows(path)} == {"only tiny", "k0", *(f"k{i}" for i in range(3, 10))}


def test_what_goes_must_fit_every_key(path: Path) -> None:
    old_s = int(time.time()) - 3 * DAY_S
    change(path, f"UPDATE transcripts SET written_unix_s = {old_s} WHERE trial_key = 'k9'")
    dropped = drop(path, drop_failed=True, drop_fingerprint="whisper:tiny", drop_older_than_days=2)
    assert dropped.transcripts == 1
    assert len(rows(path)) == 20


def test_without_anything_asked_for_nothing_goes(path: Path) -> None:
    assert not StoreSettings().drops
    assert drop(path) == store_upkeep.Dropped(0, 0, compacted=True)
    assert len(rows(path)) == 21


def test_space_is_given_back_when_nobody_else_has_the_file_open(path: Path) -> None:
    items = [(f"m{i:05d}", Hypothesis("words " * 50, Status.OK), None) for i in range(3000)]
    with TranscriptStore(path) as running:
        running.put(items, sha256_of(TINY), TINY)
    large = path.stat().st_size
    with TranscriptStore(path) as running:
        assert not drop(path, drop_fingerprint="whisper:tiny").compacted
        assert path.stat().st_size == large
        running.put([("new", said(0), None)], sha256_of(TINY), TINY)
        assert running.get(["new"], sha256_of(TINY))["new"].hypothesis == said(0)
        assert len(running.get(["m00001"], sha256_of(TINY))) == 0
    assert drop(path, drop_fingerprint="whisper:tiny").compacted
    assert path.stat().st_size < large / 10
    with TranscriptStore(path) as store:
        assert len(store.get([f"k{i}" for i in range(10)], sha256_of(BASE))) == 10
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_dropping_while_a_run_writes_harms_neither(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    dropped = 0
    for line in process.stdout:
        if int(line) % 10 == 9:
            asked = StoreSettings(drop_fingerprint="test")
            dropped += store_upkeep.drop(path, path, asked, sha256s=["f" * 64], dry_run=False).transcripts
    said_wrong = process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    assert process.wait() == 0, said_wrong
    assert dropped >= 50
    left = rows(path, "SELECT trial_key FROM transcripts WHERE trial_key LIKE '%/%'")
    assert len(left) == 60 * 5 - dropped
    assert store_checks.damage(path, path) == ""
    unused = "SELECT count(*) FROM renderings WHERE trial_key NOT IN (SELECT trial_key FROM transcripts)"
    assert rows(path, unused) == [(0,)]
