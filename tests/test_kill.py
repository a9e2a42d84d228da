"""Runs that are killed, fail, fill the disk, or meet each other: nothing is lost, and nothing is heard twice."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from pipeline.artifacts import RunFolder

Command = Callable[..., subprocess.CompletedProcess[str]]

OUTSIDE = Path(__file__).parent / "pipeline" / "asr" / "outside"
KILLS = 20
MOST_STARTS = 60
GONE_S = 15.0
"""So long after the program's death its processes may still be there."""


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the slow recognizer beside the program, and return the diary of what it heard in which run."""
    told = tmp_path / "installed" / "listener-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: listener\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[pipeline.asr]\nlistener = outside_listener:Listener\n")
    (tmp_path / "my_conf" / "asr").mkdir(parents=True)
    options = "{kind: listener, batch_size: 4, load_s: 0.3, clip_s: 0.05, repeats: 0, repeat_temperatures: [0.4, 0.8]}"
    (tmp_path / "my_conf" / "asr" / "listener.yaml").write_text(f"{options}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(told.parent), str(OUTSIDE)]))
    diary = tmp_path / "diary"
    diary.touch()
    monkeypatch.setenv("LISTENER_DIARY", str(diary))
    monkeypatch.setenv("LISTENER_RUN", "run")
    return diary


@pytest.fixture
def arguments(make_corpus: Callable[..., Path]) -> list[str]:
    """Return a small study for the slow recognizer."""
    manifest = make_corpus()
    corpus = ["corpus=manifest", f"corpus.path={manifest}", "corpus.accents=as_given"]
    return ["--config-dir", "my_conf", *corpus, "asr=listener", "conditions=[clean,babble_10]", "cache_dir=store"]


def acknowledged(store: Path, copy: Path) -> set[str]:
    """Return what a store holds, by way of a copy: looking at the store itself would mend it."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in store.glob("transcripts*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copy)
    found: set[str] = set()
    for file in copy.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'transcripts'").fetchone()[0]:
                query = "SELECT trial_key FROM transcripts WHERE status <> 'failed'"
                found |= {key for (key,) in connection.execute(query)}
    return found


def heard(diary: Path) -> dict[str, list[str]]:
    """Return what was heard in each run, in the order of hearing."""
    runs: dict[str, list[str]] = {}
    for line in diary.read_text().splitlines():
        run, key = line.split(" ", maxsplit=1)
        runs.setdefault(run, []).append(key)
    return runs


def processes_of(run: str) -> set[int]:
    """Return the processes that descend from a run: all that inherited its name in their environment."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # somebody else's, or gone meanwhile
            continue
        if f"LISTENER_RUN={run}".encode() in environment:
            found.add(int(folder.name))
    return found


def wait_for_orphans(run: str) -> None:
    """Return when every process of a run has ended by itself."""
    deadline = time.monotonic() + GONE_S
    while left := processes_of(run):
        assert time.monotonic() < deadline, f"{len(left)} processes of a killed program go on"
        time.sleep(0.05)


def same_tables(one: Path, two: Path) -> None:
    """Check that two runs left the same files, and the same numbers and words in every table."""
    names = {path.relative_to(one).as_posix() for path in one.rglob("*")}
    assert names == {path.relative_to(two).as_posix() for path in two.rglob("*")}
    tables = {name for name in names if name.endswith(".parquet")}
    assert len(tables) == 13
    for name in tables:
        first, second = (
            pd.read_parquet(folder / name).drop(columns="decode_s", errors="ignore") for folder in (one, two)
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    for name in names:
        if name.endswith(".csv"):
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc")
@pytest.mark.parametrize(
    ("seed", "options"), [(1, []), (2, ["devices=[cpu,cpu]"])], ids=["in the program", "in processes"]
)
def test_a_run_killed_at_twenty_moments_ends_as_an_undisturbed_one_and_hears_nothing_again(
    command: Command, arguments: list[str], listener: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    seed: int, options: list[str],
) -> None:  # fmt: skip
    if options:
        monkeypatch.setenv("LISTENER_RENDERS_IN_PROCESSES", "1")
    arguments = [*arguments, *options, "asr.repeats=2", "probe=noise_only"]
    started_s = time.monotonic()
    undisturbed = command(*arguments, "run_name=undisturbed", "cache_dir=another_store")
    length_s = time.monotonic() - started_s
    assert undisturbed.returncode == 0, undisturbed.stderr

    moments, kills, known = random.Random(seed), 0, {}
    for start in range(MOST_STARTS):
        run = f"{seed}-{start}"
        monkeypatch.setenv("LISTENER_RUN", run)
        known[run] = acknowledged(tmp_path / "store", tmp_path / "copy")
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments, "run_name=killed"], cwd=tmp_path, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _, said = process.communicate(timeout=moments.uniform(0, length_s))
            assert process.returncode == 0, said
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)  # to the program alone
            process.communicate()
            kills += 1
        wait_for_orphans(run)
        if kills == KILLS:
            break
    assert kills == KILLS

    monkeypatch.setenv("LISTENER_RUN", "last")
    known["last"] = acknowledged(tmp_path / "store", tmp_path / "copy")
    last = command(*arguments, "run_name=killed")
    assert last.returncode == 0, last.stderr
    same_tables(tmp_path / "results" / "undisturbed", tmp_path / "results" / "killed")
    everything = acknowledged(tmp_path / "another_store", tmp_path / "copy")
    assert acknowledged(tmp_path / "store", tmp_path / "copy") == everything
    diary = heard(listener)
    assert sorted(diary["run"]) == sorted(everything)
    assert {run: set(keys) & known[run] for run, keys in diary.items() if run != "run"} == {
        run: set() for run in diary if run != "run"
    }
    lost = sum(len(keys) for run, keys in diary.items() if run != "run") - len(everything)
    assert lost <= (KILLS * 4 if not options else KILLS * 4 * 4), "more than what was in flight was heard again"
