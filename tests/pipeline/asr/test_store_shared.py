"""A store on a file system of several machines: each writer has a file, and reading is their union."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.asr.base import Hypothesis
from pipeline.asr.store import Stored, TranscriptStore
from pipeline.asr.store_files import beside, may_write
from pipeline.errors import StudyError
from pipeline.records import Status

PRINT = "f" * 64

# is killed in the middle of a transaction so large that parts of it are already in the file
INTERRUPTED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 2")
connection.execute("BEGIN IMMEDIATE")
for number in range(200):
    row = (1, f"half {number:03d}", "x" * 3000, "ok", "")
    columns = "fingerprint_id, trial_key, hypothesis, status, detail"
    connection.execute(f"INSERT INTO transcripts ({columns}) VALUES (?, ?, ?, ?, ?)", row)
connection.execute("UPDATE transcripts SET hypothesis = 'torn'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcripts.sqlite"


def said(text: str = "", *, detail: str = "") -> Hypothesis:
    return Hypothesis(text, Status.FAILED if detail else Status.OK, detail)


def put(path: Path, answers: dict[str, Hypothesis], *, file: str = "", shared: bool = True) -> Path:
    """Write answers as a run of its own would, and give its file another name; return the file."""
    before = set(beside(path))
    with TranscriptStore(path, shared=shared) as store:
        store.put([(key, answer, {"of": key}) for key, answer in answers.items()], PRINT, {"kind": "test"})
    written = path if not shared else (set(beside(path)) - before).pop()
    return written.rename(path.with_name(file)) if file else written


def get(path: Path, *keys: str) -> dict[str, Stored]:
    with TranscriptStore(path, shared=True) as store:
        return dict(store.get(keys, PRINT))


def test_a_run_that_hears_nothing_writes_no_file(path: Path) -> None:
    assert get(path, "k") == {}
    assert list(path.parent.iterdir()) == []


def test_each_writer_has_a_file_named_after_its_machine_without_a_write_ahead_log(path: Path) -> None:
    files = {put(path, {f"k{run}": said("words")}) for run in range(3)}
    assert len(files) == 3
    host = os.uname().nodename.replace("-", "_")
    for file in files:
        assert file.name.startswith(f"transcripts-{host}-")
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(get(path, "k0", "k1", "k2", "k3")) == ["k0", "k1", "k2"]


def test_a_writer_reads_what_it_wrote_and_what_others_write_meanwhile(path: Path) -> None:
    with TranscriptStore(path, shared=True) as one, TranscriptStore(path, shared=True) as two:
        one.put([("k1", said("one"), {"by": 1})], PRINT, {"kind": "test"})
        two.put([("k2", said("two"), None)], PRINT, {"kind": "test"})
        for store in (one, two):
            found = store.get(["k1", "k2"], PRINT)
            assert (found["k1"].hypothesis.text, found["k1"].rendering) == ("one", {"by": 1})
            assert (found["k2"].hypothesis.text, found["k2"].rendering) == ("two", None)


def test_what_one_machine_remembered_alone_is_read_too(path: Path) -> None:
    put(path, {"alone": said("words")}, shared=False)
    before = path.read_bytes()
    put(path, {"together": said("more")})
    assert sorted(get(path, "alone", "together")) == ["alone", "together"]
    assert path.read_bytes() == before


def test_what_several_machines_remembered_is_read_by_a_run_that_does_not_say_that_it_shares(path: Path) -> None:
    put(path, {"theirs": said("words"), "failed": said("better")})
    put(path, {"failed": said(detail="too long"), "own": said("more words")}, shared=False)
    with TranscriptStore(path) as store:
        found = {key: stored.hypothesis.text for key, stored in store.get(["theirs", "failed", "own"], PRINT).items()}
    assert found == {"theirs": "words", "failed": "better", "own": "more words"}


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_an_answer_beats_a_failure_and_the_first_file_decides_between_answers(path: Path, order: str) -> None:
    files = {
        "a": {"k1": said(detail="in a"), "k2": said("a"), "k3": said("a"), "k4": said(detail="in a")},
        "b": {"k1": said("b"), "k2": said(detail="in b"), "k3": said("b"), "k4": said(detail="in b")},
    }
    for name in order:  # which one was written first does not matter
        put(path, files[name], file=f"transcripts-{name}.sqlite")
    found = get(path, "k1", "k2", "k3", "k4")
    assert [found[key].hypothesis.text for key in ("k1", "k2", "k3")] == ["b", "a", "a"]
    assert (found["k4"].failed, found["k4"].hypothesis.detail) == (True, "in a")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "it is empty"), (b"no database at all" * 500, "not a transcript store; move it away")],
)
def test_a_file_that_cannot_be_read_is_named_and_left_out(
    path: Path, caplog: pytest.LogCaptureFixture, content: bytes, why: str
) -> None:
    put(path, {"k": said("words")})
    other = path.with_name("transcripts-aaa-1.sqlite")
    other.write_bytes(content)
    assert get(path, "k")["k"].hypothesis.text == "words"
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert str(other) in warning
    assert why in warning
    assert other.read_bytes() == content


def test_a_file_with_damage_in_its_middle_is_named_and_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = [f"k{i:04d}" for i in range(2000)]
    damaged = put(path, {key: said("words " * 20) for key in keys}, file="transcripts-aaa.sqlite")
    raw = bytearray(damaged.read_bytes())
    raw[8192:-4096] = bytes(len(raw) - 12_288)
    damaged.write_bytes(raw)
    put(path, {"k0000": said("whole")})
    assert get(path, *keys)["k0000"].hypothesis.text == "whole"
    assert "transcripts-aaa.sqlite" in caplog.text


def test_a_file_of_schema_1_is_read_and_not_changed(path: Path) -> None:
    put(path, {"k": said("words")}, shared=False)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE transcripts DROP COLUMN n_tokens")
        connection.execute("ALTER TABLE transcripts DROP COLUMN written_unix_s")
        connection.execute("ALTER TABLE fingerprints DROP COLUMN recognizer")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    assert get(path, "k")["k"].hypothesis == said("words")
    assert path.read_bytes() == before


def test_a_newer_programs_file_is_named_and_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    newer = put(path, {"k": said("words")})
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert get(path, "k") == {}
    assert "it has schema 99" in caplog.text


def interrupted(path: Path, name: str) -> Path:
    """Leave a file whose writer was killed while it wrote, with one whole answer in it."""
    file = put(path, {"whole": said("words")}, file=name)
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(file)], check=False)
    assert done.returncode == -9
    assert Path(f"{file}-journal").stat().st_size > 0
    return file


def test_what_a_killed_writer_of_this_machine_had_finished_is_read(path: Path) -> None:
    host = os.uname().nodename.replace("-", "_")
    interrupted(path, f"transcripts-{host}-killed.sqlite")
    found = get(path, "whole", "half 000")
    assert {key: one.hypothesis.text for key, one in found.items()} == {"whole": "words"}


def test_another_machines_unfinished_file_is_left_alone_until_nobody_writes_it(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = interrupted(path, "transcripts-elsewhere-1.sqlite")
    before = file.read_bytes()
    assert get(path, "whole") == {}
    assert "another machine is writing it, or was stopped" in caplog.text
    assert file.read_bytes() == before
    long_ago = time.time() - 3600
    for part in (file, Path(f"{file}-journal")):
        os.utime(part, (long_ago, long_ago))
    assert get(path, "whole")["whole"].hypothesis.text == "words"


def test_only_this_machines_files_and_abandoned_ones_may_be_written(path: Path) -> None:
    own = put(path, {"k": said()})
    other = put(path, {"k": said()}, file="transcripts-elsewhere-1.sqlite")
    assert may_write(path, path)
    assert may_write(own, path)
    assert not may_write(other, path)
    os.utime(other, (0, 0))
    assert may_write(other, path)


def test_the_writers_own_file_must_be_sound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TranscriptStore(path, shared=True) as store:
        store.put([("k", said("words"), None)], PRINT, {"kind": "test"})
        (own,) = beside(path)
        own.write_bytes(b"somebody wrote over it" * 1000)
        with pytest.raises(StudyError, match=r"transcripts-.*: .*move it away"):
            store.get(["k"], PRINT)


@pytest.fixture
def files_of_several_runs(path: Path) -> Callable[[], int]:
    def write() -> int:
        for run in range(4):
            put(path, {f"{run}/{i}": said(f"run {run}") for i in range(50)})
        return 200

    return write


def test_many_files_are_read_as_one(path: Path, files_of_several_runs: Callable[[], int]) -> None:
    total = files_of_several_runs()
    keys = [f"{run}/{i}" for run in range(5) for i in range(50)]
    found = get(path, *keys)
    assert len(found) == total
    assert all(found[key].rendering == {"of": key} for key in found)
    some = get(path, *keys[::40])
    assert sorted(some) == sorted(key for key in keys[::40] if not key.startswith("4/"))
