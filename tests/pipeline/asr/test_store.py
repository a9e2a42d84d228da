"""The transcript store: nothing acknowledged is lost, nothing is heard twice, and bad files get a sentence."""

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

import pipeline.asr.store as module
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.errors import StudyError
from pipeline.records import Status

PRINT = "f" * 64
RENDERING = {"snr_a_db": 10.0, "loss_share": None, "samples": 16_000, "audio_sha256": "a" * 64}

SCHEMA_1 = """
CREATE TABLE fingerprints (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL);
CREATE TABLE transcripts (
    fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id), trial_key TEXT NOT NULL,
    hypothesis TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
    decode_s REAL, avg_logprob REAL, no_speech_prob REAL, compression_ratio REAL,
    PRIMARY KEY (fingerprint_id, trial_key)
) WITHOUT ROWID;
CREATE TABLE renderings (trial_key TEXT PRIMARY KEY, rendering TEXT NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 0x57455253;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""

# prints a batch's number only after put() has returned; each batch holds 5 trials
WRITER = """
import sys
from pathlib import Path
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.records import Status
path, name, batches, shared = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), len(sys.argv) > 4
with TranscriptStore(path, shared=shared) as store:
    for batch in range(batches):
        items = [(f"{name}/{batch}/{i}", Hypothesis(f"{name} {i}", Status.OK), {"samples": batch}) for i in range(5)]
        store.put(items, "f" * 64, {"kind": "test"})
        print(batch, flush=True)
"""


def writer(path, name, batches, *, shared=False):
    command = [sys.executable, "-c", WRITER, str(path), name, str(batches), *(["shared"] if shared else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def put(path, items, fingerprint=PRINT):
    with TranscriptStore(path) as store:
        store.put(items, fingerprint, {"kind": "test"})


def get(path, keys, fingerprint=PRINT):
    with TranscriptStore(path) as store:
        return store.get(keys, fingerprint)


def test_what_was_put_comes_back_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "store.sqlite"
    whole = Hypothesis('null "NA" 東京\x00', Status.OK, "short", 0.25, -0.4, 0.01, 1.5, 7)
    missing = Hypothesis("", Status.MISSING, "not in the file")
    put(path, [("k1", whole, RENDERING), ("k2", missing, None)])
    found = get(path, ["k2", "k1", "k3", "k1"])
    assert set(found) == {"k1", "k2"}
    assert (found["k1"].hypothesis, found["k1"].rendering) == (whole, RENDERING)
    assert (found["k2"].hypothesis, found["k2"].rendering) == (missing, None)
    assert found["k1"].hypothesis.status is Status.OK


def test_a_failure_is_kept_with_its_reason_until_an_answer_takes_its_place(tmp_path):
    path = tmp_path / "s"
    put(path, [("k1", Hypothesis("", Status.FAILED, "broken"), RENDERING), ("k2", Hypothesis("", Status.OK), None)])
    failed = get(path, ["k1", "k2"])
    assert failed["k1"].failed
    assert not failed["k2"].failed
    assert (failed["k1"].hypothesis.detail, failed["k1"].rendering) == ("broken", RENDERING)
    put(path, [("k1", Hypothesis("", Status.FAILED, "broken again"), RENDERING)])
    assert get(path, ["k1"])["k1"].hypothesis == Hypothesis("", Status.FAILED, "broken again")
    whole = Hypothesis("at last", Status.OK, "", 0.5, -0.1, 0.2, 1.1, 3)
    put(path, [("k1", whole, RENDERING)])
    assert get(path, ["k1"])["k1"].hypothesis == whole
    put(path, [("k1", Hypothesis("", Status.FAILED, "too late"), RENDERING)])
    assert get(path, ["k1"])["k1"].hypothesis == whole


def test_another_fingerprint_knows_nothing_and_may_say_otherwise(tmp_path):
    path, other = tmp_path / "s", "0" * 64
    put(path, [("k1", Hypothesis("one", Status.OK), RENDERING)])
    assert get(path, ["k1"], other) == {}
    put(path, [("k1", Hypothesis("two", Status.OK), RENDERING)], other)
    assert get(path, ["k1"])["k1"].hypothesis.text == "one"
    assert get(path, ["k1"], other)["k1"].hypothesis.text == "two"


def test_the_first_answer_stays(tmp_path):
    for text in ("one", "two"):
        put(tmp_path / "s", [("k1", Hypothesis(text, Status.OK), None)])
    assert get(tmp_path / "s", ["k1"])["k1"].hypothesis.text == "one"


def test_the_fingerprint_is_kept_once_and_readable(tmp_path):
    for key in ("k1", "k2"):
        put(tmp_path / "s", [(key, Hypothesis("", Status.OK), None)])
    with TranscriptStore(tmp_path / "s") as store:
        store.put([("k3", Hypothesis("", Status.OK), None)], PRINT, {"kind": "test"}, recognizer="test:small")
        store.put([("k4", Hypothesis("", Status.OK), None)], PRINT, {"kind": "test"}, recognizer="/its/weights")
    with closing(sqlite3.connect(tmp_path / "s")) as connection:
        rows = connection.execute("SELECT sha256, fingerprint, recognizer FROM fingerprints").fetchall()
    assert rows == [(PRINT, '{"kind": "test"}', "test:small")]


def test_more_keys_than_one_query_holds(tmp_path):
    keys = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(45_000)]
    put(tmp_path / "s", [(key, Hypothesis(key[:8], Status.OK), None) for key in keys])
    found = get(tmp_path / "s", keys)
    assert len(found) == 45_000
    assert all(found[key].hypothesis.text == key[:8] for key in keys)


def test_a_few_keys_of_a_large_store_are_looked_up_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEYS_A_QUERY", 7)
    keys = [f"k{i:03d}" for i in range(400)]
    put(tmp_path / "s", [(key, Hypothesis(key, Status.OK), {"key": key}) for key in keys])
    asked = [*keys[::20], "absent"]
    found = get(tmp_path / "s", asked)
    assert sorted(found) == keys[::20]
    assert len(found) == 20
    assert "absent" not in found
    assert all((found[key].hypothesis.text, found[key].rendering) == (key, {"key": key}) for key in found)


def test_only_what_was_asked_for_comes_back(tmp_path):
    put(tmp_path / "s", [(f"k{i}", Hypothesis("", Status.OK), None) for i in range(5)])
    assert set(get(tmp_path / "s", ["k0", "k1", "k2", "k3"])) == {"k0", "k1", "k2", "k3"}
    assert len(get(tmp_path / "s", [])) == 0


def test_numbers_of_a_rendering_come_back_to_the_last_bit(tmp_path):
    rng = random.Random(0)
    numbers = {f"n{i}": rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300) for i in range(2000)}
    rendering = numbers | {"big": 2**60 + 1, "text": '東京 "\u2028', "nested": '[{"kind": "x"}]', "yes": True}
    put(tmp_path / "s", [("k", Hypothesis("", Status.OK), rendering)])
    assert get(tmp_path / "s", ["k"])["k"].rendering == rendering


def test_what_another_program_wrote_into_a_row_gets_a_sentence(tmp_path):
    put(tmp_path / "s", [("k1", Hypothesis("", Status.OK), RENDERING), ("k2", Hypothesis("", Status.OK), RENDERING)])
    with closing(sqlite3.connect(tmp_path / "s")) as connection:
        connection.execute("UPDATE transcripts SET status = 'perhaps' WHERE trial_key = 'k1'")
        connection.execute("UPDATE renderings SET rendering = '{' WHERE trial_key = 'k2'")
        connection.commit()
    found = get(tmp_path / "s", ["k1", "k2"])
    with pytest.raises(StudyError, match=r"trial k1 .*'perhaps'.*stages=\[store\]"):
        assert found["k1"].hypothesis
    with pytest.raises(StudyError, match=r"trial k2 .*not JSON"):
        assert found["k2"].rendering


def made_by_version_1(path):
    """Write a store as the first version of this program did: without tokens, dates and recognizers' names."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1)
        connection.execute('INSERT INTO fingerprints VALUES (1, ?, \'{"kind": "test"}\')', (PRINT,))
        row = ("old", "long ago", "ok", "", 0.5, -0.25, 0.125, 1.5)
        connection.execute("INSERT INTO transcripts VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO renderings VALUES ('old', '{\"samples\": 3}')")
        connection.commit()


def test_a_store_of_schema_1_is_brought_to_schema_2_where_it_lies(tmp_path):
    path = tmp_path / "s"
    made_by_version_1(path)
    old = Hypothesis("long ago", Status.OK, "", 0.5, -0.25, 0.125, 1.5, None)
    found = get(path, ["old"])["old"]
    assert (found.hypothesis, found.rendering) == (old, {"samples": 3})
    put(path, [("new", Hypothesis("now", Status.OK, n_tokens=2), None), ("old", Hypothesis("other", Status.OK), None)])
    again = get(path, ["old", "new"])
    assert again["old"].hypothesis == old
    assert again["new"].hypothesis.n_tokens == 2
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_several_processes_bring_one_store_to_schema_2_at_once(tmp_path):
    path = tmp_path / "s"
    made_by_version_1(path)
    processes = [writer(path, name, 5) for name in "abcd"]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    found = get(path, ["old", *(f"{name}/{batch}/{i}" for name in "abcd" for batch in range(5) for i in range(5))])
    assert len(found) == 1 + 4 * 25


@pytest.mark.parametrize("shared", [False, True])
def test_kill_9_at_random_moments_loses_no_acknowledged_batch_and_keeps_batches_whole(tmp_path, shared):
    path, rng, acknowledged = tmp_path / "s.sqlite", random.Random(5), {}
    for life in range(6):
        process = writer(path, str(life), 100_000, shared=shared)
        first = process.stdout.readline()
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        complete = (first + rest).rpartition("\n")[0]
        acknowledged[life] = int(complete.splitlines()[-1])
    assert len(list(tmp_path.glob("s*.sqlite"))) == (6 if shared else 1)
    keys = [f"{life}/{batch}/{i}" for life, last in acknowledged.items() for batch in range(last + 2) for i in range(5)]
    with TranscriptStore(path, shared=shared) as store:
        found = store.get(keys, PRINT)
        for life, last in acknowledged.items():
            batches = [tuple(key.split("/")[1:]) for key in found if key.startswith(f"{life}/")]
            count = len(batches) // 5
            assert count >= last + 1, "an acknowledged batch is gone"
            assert set(batches) == {(str(batch), str(i)) for batch in range(count) for i in range(5)}, "a batch is torn"
            assert [found[f"{life}/{last}/{i}"].rendering for i in range(5)] == [{"samples": last}] * 5
    for file in tmp_path.glob("s*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_processes_write_at_once_into_one_new_store(tmp_path):
    path = tmp_path / "s"
    processes = [writer(path, name, 60) for name in ("a", "b", "b")]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    found = get(path, [f"{name}/{batch}/{i}" for name in "ab" for batch in range(60) for i in range(5)])
    assert len(found) == 2 * 60 * 5


def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s"
    path.write_text("utterance_id,hypothesis\n" * 100)
    with pytest.raises(StudyError, match="not a transcript store; move it away"):
        get(path, ["k"])
    assert path.read_text().startswith("utterance_id")


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StudyError, match="another program's SQLite file"):
        get(path, ["k"])
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path):
    put(tmp_path / "s", [("k1", Hypothesis("", Status.OK), None)])
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StudyError, match="it has schema 99"):
        get(tmp_path / "s", ["k1"])


def test_a_damaged_store_gets_a_sentence(tmp_path):
    path = tmp_path / "s"
    keys = [f"k{i:06d}" for i in range(3000)]
    put(path, [(key, Hypothesis("words " * 20, Status.OK), None) for key in keys])
    raw = bytearray(path.read_bytes())
    raw[8192:-4096] = os.urandom(len(raw) - 12_288)
    path.write_bytes(raw)
    with pytest.raises(StudyError, match=r"store .*s: .*move it away"):
        get(path, keys)


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="cannot be made"):
        get(tmp_path / "file" / "s", ["k"])


def test_a_folder_in_the_files_place_gets_a_sentence(tmp_path):
    (tmp_path / "s").mkdir()
    with pytest.raises(StudyError, match="cannot be opened for writing"):
        get(tmp_path / "s", ["k"])


FILLS = """
import resource, sys
from pathlib import Path
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.errors import StudyError
from pipeline.records import Status
path, shared, limit, first = Path(sys.argv[1]), sys.argv[2] == "True", int(sys.argv[3]), int(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with TranscriptStore(path, shared=shared) as store:
    for batch in range(first, 10_000):
        try:
            store.put([(str(batch), Hypothesis("x" * 1000, Status.OK), None)], "f" * 64, {"kind": "test"})
        except StudyError as error:
            print(batch, error)
            break
"""


def fill(path, shared, *, limit_bytes=0, first=0):
    """Return the number of the first batch that was refused, and what was said."""
    command = [sys.executable, "-c", FILLS, str(path), str(shared), str(limit_bytes), str(first)]
    number, said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(" ", 1)
    return int(number), said


@pytest.mark.parametrize("shared", [False, True])
def test_a_file_that_may_not_grow_gets_a_sentence_and_keeps_what_was_remembered(tmp_path, shared):
    path = tmp_path / "s.sqlite"
    # the operating system refuses to let any file grow past the limit
    number, said = fill(path, shared, limit_bytes=200_000)
    assert "make room and run again" in said
    with TranscriptStore(path, shared=shared) as store:
        assert len(store.get([str(i) for i in range(number + 1)], PRINT)) == number > 10


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be made by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("shared", [False, True])
def test_a_full_disk_gets_a_sentence_and_goes_on_when_there_is_room(small_disk, shared):
    path = small_disk / "s.sqlite"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    number, said = fill(path, shared)
    assert "make room and run again" in said
    assert number > 10
    ballast.unlink()
    more, said = fill(path, shared, first=number)
    assert "make room and run again" in said
    assert more > number
    with TranscriptStore(path, shared=shared) as store:
        assert set(store.get([str(i) for i in range(more + 1)], PRINT)) == {str(i) for i in range(more)}
    for file in small_disk.glob("s*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
