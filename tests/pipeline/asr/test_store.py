"""The transcript store: nothing acknowledged is lost, nothing is heard twice, and bad files get a sentence."""

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.errors import StudyError
from pipeline.records import Status

PRINT = "f" * 64
RENDERING = {"snr_a_db": 10.0, "loss_share": None, "samples": 16_000, "audio_sha256": "a" * 64}

# prints a batch's number only after put() has returned; each batch holds 5 trials
WRITER = """
import sys
from pathlib import Path
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.records import Status
path, name, batches = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with TranscriptStore(path) as store:
    for batch in range(batches):
        items = [(f"{name}/{batch}/{i}", Hypothesis(f"{name} {i}", Status.OK), {"samples": batch}) for i in range(5)]
        store.put(items, "f" * 64, {"kind": "test"})
        print(batch, flush=True)
"""


def writer(path, name, batches):
    command = [sys.executable, "-c", WRITER, str(path), name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def put(path, items, fingerprint=PRINT):
    with TranscriptStore(path) as store:
        store.put(items, fingerprint, {"kind": "test"})


def get(path, keys, fingerprint=PRINT):
    with TranscriptStore(path) as store:
        return store.get(keys, fingerprint)


def test_what_was_put_comes_back_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "store.sqlite"
    whole = Hypothesis('null "NA" 東京\x00', Status.OK, "short", 0.25, -0.4, 0.01, 1.5)
    missing = Hypothesis("", Status.MISSING, "not in the file")
    put(path, [("k1", whole, RENDERING), ("k2", missing, None)])
    found = get(path, ["k2", "k1", "k3", "k1"])
    assert set(found) == {"k1", "k2"}
    assert (found["k1"].hypothesis, found["k1"].rendering) == (whole, RENDERING)
    assert (found["k2"].hypothesis, found["k2"].rendering) == (missing, None)
    assert found["k1"].hypothesis.status is Status.OK


def test_failures_are_not_remembered(tmp_path):
    put(
        tmp_path / "s", [("k1", Hypothesis("", Status.FAILED, "broken"), None), ("k2", Hypothesis("", Status.OK), None)]
    )
    assert set(get(tmp_path / "s", ["k1", "k2"])) == {"k2"}


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
    connection = sqlite3.connect(tmp_path / "s")
    rows = connection.execute("SELECT sha256, fingerprint FROM fingerprints").fetchall()
    connection.close()
    assert rows == [(PRINT, '{"kind": "test"}')]


def test_more_keys_than_one_query_holds(tmp_path):
    keys = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(45_000)]
    put(tmp_path / "s", [(key, Hypothesis(key[:8], Status.OK), None) for key in keys])
    found = get(tmp_path / "s", keys)
    assert len(found) == 45_000
    assert all(found[key].hypothesis.text == key[:8] for key in keys)


def test_kill_9_at_random_moments_loses_no_acknowledged_batch_and_keeps_batches_whole(tmp_path):
    path, rng, acknowledged = tmp_path / "s", random.Random(5), {}
    for life in range(6):
        process = writer(path, str(life), 100_000)
        first = process.stdout.readline()
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        complete = (first + rest).rpartition("\n")[0]
        acknowledged[life] = int(complete.splitlines()[-1])
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    written = connection.execute("SELECT trial_key FROM transcripts ORDER BY trial_key").fetchall()
    connection.close()
    for life, last in acknowledged.items():
        batches = [tuple(key.split("/")[1:]) for (key,) in written if key.startswith(f"{life}/")]
        count = len(batches) // 5
        assert count >= last + 1, "an acknowledged batch is gone"
        assert set(batches) == {(str(batch), str(i)) for batch in range(count) for i in range(5)}, "a batch is torn"
        found = get(path, [f"{life}/{last}/{i}" for i in range(5)])
        assert [found[f"{life}/{last}/{i}"].rendering for i in range(5)] == [{"samples": last}] * 5


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


# the operating system refuses to let any file grow past the limit, as it would on a full disk
FILLS = """
import resource, sys
from pathlib import Path
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.errors import StudyError
from pipeline.records import Status
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
with TranscriptStore(Path(sys.argv[1])) as store:
    for batch in range(10_000):
        try:
            store.put([(str(batch), Hypothesis("x" * 1000, Status.OK), None)], "f" * 64, {"kind": "test"})
        except StudyError as error:
            print(batch, error)
            break
"""


def test_a_full_disk_gets_a_sentence_and_keeps_what_was_remembered(tmp_path):
    path = tmp_path / "s"
    done = subprocess.run([sys.executable, "-c", FILLS, str(path)], capture_output=True, text=True, check=True)
    number, said = done.stdout.split(" ", 1)
    assert "make room and run again" in said
    assert len(get(path, [str(i) for i in range(int(number) + 1)])) == int(number) > 10
