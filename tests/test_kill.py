"""Runs that are killed, fail, fill the disk, or meet each other: nothing is lost, and nothing is heard twice."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipeline.execution import TABLES

Command = Callable[..., subprocess.CompletedProcess[str]]

OUTSIDE = Path(__file__).parent / "pipeline" / "asr" / "outside"
BATCH = 4
KILLS = int(os.environ.get("STUDY_KILLS", "2"))
"""STUDY_KILLS=20 is the long set."""
GONE_S = 40.0
"""So long after the program's death its processes may still be there."""


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the slow recognizer beside the program, and return the diary of what it heard in which run."""
    told = tmp_path / "installed" / "listener-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: listener\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[pipeline.asr]\nlistener = outside_listener:Listener\n")
    (tmp_path / "my_conf" / "asr").mkdir(parents=True)
    options = (
        f"kind: listener, batch_size: {BATCH}, load_s: 0.3, clip_s: 0.1, repeats: 0, repeat_temperatures: [0.4, 0.8]"
    )
    (tmp_path / "my_conf" / "asr" / "listener.yaml").write_text(f"{{{options}}}\n")
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
    corpus = ["corpus=manifest", f"corpus.path={manifest}", "corpus.accents=as_given", "corpus.public=true"]
    quick = ["conditions=[clean,babble_10]", "card.figures=none"]
    return ["--config-dir", "my_conf", *corpus, "asr=listener", *quick, "cache_dir=store"]


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


@dataclass(frozen=True)
class Heard:
    """One line of the diary."""

    run: str
    time_s: float
    key: str


def read(diary: Path) -> list[Heard]:
    """Return what was heard so far, in the order of hearing."""
    lines = [line.split(" ") for line in diary.read_text().splitlines()]
    return [Heard(run, float(time_s), key) for run, time_s, key in lines]


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


def commands_of(processes: set[int]) -> list[str]:
    """Return what processes were started with, as far as they are still there."""
    files = [Path("/proc") / str(process) / "cmdline" for process in processes]
    return [file.read_bytes().replace(b"\0", b" ").decode()[:200] for file in files if file.exists()]


def wait_for_orphans(run: str) -> None:
    """Return when every process of a run has ended by itself."""
    deadline = time.monotonic() + GONE_S
    while left := processes_of(run):
        assert time.monotonic() < deadline, f"{len(left)} processes of a killed program go on: {commands_of(left)}"
        time.sleep(0.05)


def same_tables(one: Path, two: Path) -> None:
    """Check that two runs left the same files, and the same numbers and words in every table."""
    names = {path.relative_to(one).as_posix() for path in one.rglob("*")}
    assert names == {path.relative_to(two).as_posix() for path in two.rglob("*")}
    tables = {name for name in names if name.endswith(".parquet")}
    assert tables == {f"{name}.parquet" for name in TABLES}
    for name in tables:
        first, second = (
            pd.read_parquet(folder / name).drop(columns="decode_s", errors="ignore") for folder in (one, two)
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    for name in names:
        if name.endswith(".csv"):
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


def killed_once(arguments: list[str], folder: Path, diary: Path, enough: int, at_least_s: float) -> bool:
    """Start a run; kill the program when so much was heard in all runs and so long has passed, or say that it ended."""
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=said
        )
    started = time.monotonic()
    while process.poll() is None:
        if time.monotonic() - started >= at_least_s and len({line.key for line in read(diary)}) >= enough:
            process.send_signal(signal.SIGKILL)  # to the program alone
            return process.wait() == -signal.SIGKILL
        time.sleep(0.01)
    assert process.returncode == 0, (folder / "said").read_text()
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc")
@pytest.mark.parametrize(
    ("kills", "options"),
    [
        pytest.param(KILLS, [], id="in the program"),
        pytest.param(KILLS // 2, ["devices=[cpu,cpu]"], id="in processes", marks=pytest.mark.long),
    ],
)
def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one_and_hears_nothing_again(
    command: Command, arguments: list[str], listener: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    kills: int, options: list[str],
) -> None:  # fmt: skip
    if options:
        monkeypatch.setenv("LISTENER_RENDERS_IN_PROCESSES", "1")
    arguments = [*arguments, *options, "asr.repeats=2", "probe=noise_only"]
    started_s = time.time()
    undisturbed = command(*arguments, "run_name=undisturbed", "cache_dir=another_store")
    length_s = time.time() - started_s
    assert undisturbed.returncode == 0, undisturbed.stderr
    life = [line.time_s - started_s for line in read(listener)]
    started_s = time.time()
    again = command(*arguments, "run_name=undisturbed", "cache_dir=another_store")
    length_again_s = time.time() - started_s
    assert again.returncode == 0, again.stderr
    assert len(read(listener)) == len(life), "a finished run hears nothing again"
    listener.write_text("")

    known: dict[str, set[str]] = {}
    chance = random.Random(kills)
    for number, moment_s in enumerate(sorted(chance.uniform(0, length_s) for _ in range(kills))):
        # the same place in the life of a run that goes on where the last one was killed: loading, hearing, or the rest
        enough, at_least_s = sum(time_s < moment_s for time_s in life), 0.0
        if not enough:
            at_least_s = moment_s
        elif enough == len(life):
            at_least_s = (moment_s - life[-1]) / (length_s - life[-1]) * length_again_s
        for patience in (1.0, 0.7, 0.5, 0.3):  # this machine may have been busier when nobody disturbed it
            run = f"{number}-{patience}"
            monkeypatch.setenv("LISTENER_RUN", run)
            known[run] = acknowledged(tmp_path / "store", tmp_path / "copy")
            killed = killed_once([*arguments, "run_name=killed"], tmp_path, listener, enough, at_least_s * patience)
            wait_for_orphans(run)
            if killed:
                break
        else:
            raise AssertionError(f"the run always ended before it could be killed at {moment_s:.1f} s")

    monkeypatch.setenv("LISTENER_RUN", "last")
    known["last"] = acknowledged(tmp_path / "store", tmp_path / "copy")
    last = command(*arguments, "run_name=killed")
    assert last.returncode == 0, last.stderr
    same_tables(tmp_path / "results" / "undisturbed", tmp_path / "results" / "killed")
    everything = acknowledged(tmp_path / "another_store", tmp_path / "copy")
    assert acknowledged(tmp_path / "store", tmp_path / "copy") == everything
    diary = read(listener)
    assert {line.key for line in diary} == everything
    assert [line for line in diary if line.key in known[line.run]] == []
    lines = Counter(line.run for line in diary)
    assert len(lines) > kills / 5, "most kills came before or after all hearing"
    # a batch; of two processes the two that each has, and one that was answered and not yet written
    assert len(diary) - len(everything) <= len(lines) * BATCH * (5 if options else 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a maker of a small file system, which takes another size when it is asked again."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = []

    def make(size: str) -> Path:
        mount = ["mount", "-t", "tmpfs", "-o", f"{'remount,' if mounted else ''}size={size}", "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small file system can only be made by root")
        mounted.append(size)
        return place

    yield make
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept_there", "size", "what_to_do"),
    [
        ("results_dir", "120k", "Make room or name another folder with results_dir=..."),
        ("cache_dir", "140k", "make room and run again: what was remembered is kept"),
        ("TMPDIR", "12m", "make room there"),
    ],
)
def test_a_disk_that_fills_ends_a_run_with_a_sentence_and_with_room_it_goes_on_from_there(
    command: Command, arguments: list[str], listener: Path, small_disk: Callable[[str], Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, kept_there: str, size: str, what_to_do: str,
) -> None:  # fmt: skip
    place = small_disk(size)
    if kept_there == "TMPDIR":
        monkeypatch.setenv("TMPDIR", str(place))
    else:
        arguments = [*arguments, f"{kept_there}={place}"]
    if kept_there != "results_dir":  # what comes after hearing fills another disk
        arguments = [*arguments, "stages=[load_utterances,plan_trials,transcribe]"]
    arguments = [*arguments, "asr.batch_size=1", "asr.clip_s=0"]
    full = command(*arguments, "run_name=filling")
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert [what_to_do in line for line in full.stderr.splitlines() if line.startswith("error: ")] == [True]
    store = place if kept_there == "cache_dir" else tmp_path / "store"
    known = acknowledged(store, tmp_path / "copy")
    assert known
    first = [line.key for line in read(listener)]
    assert len(first) - len(known) <= 1

    small_disk("200m")
    monkeypatch.setenv("LISTENER_RUN", "again")
    again = command(*arguments, "run_name=filling")
    assert again.returncode == 0, again.stderr
    second = {line.key for line in read(listener) if line.run == "again"}
    assert second & known == set()
    assert len(second | known) == 40


@pytest.mark.slow
def test_failed_trials_end_a_run_with_exit_code_3_and_a_rerun_tries_only_those(
    command: Command, arguments: list[str], listener: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*arguments, "asr.repeats=1", "probe=noise_only", "asr.clip_s=0"]
    monkeypatch.setenv("LISTENER_FAILS", "a0_s000")
    failed = command(*arguments, "run_name=failing")
    assert failed.returncode == 3, failed.stderr
    lost = pd.read_parquet(tmp_path / "results" / "failing" / "exclusions.parquet")
    assert Counter(lost["stage"]) == {"transcribe": 4, "transcribe.repeats": 4, "transcribe.probe": 4}
    assert set(lost["detail"]) == {"a0_s000_00 is too much for it", "a0_s000_01 is too much for it"}
    tried = {line.key for line in read(listener)} - acknowledged(tmp_path / "store", tmp_path / "copy")
    assert len(tried) == 12

    monkeypatch.delenv("LISTENER_FAILS")
    monkeypatch.setenv("LISTENER_RUN", "again")
    again = command(*arguments, "run_name=failing")
    assert again.returncode == 0, again.stderr
    assert sorted(line.key for line in read(listener) if line.run == "again") == sorted(tried)
    monkeypatch.setenv("LISTENER_RUN", "once_more")
    assert command(*arguments, "run_name=failing").returncode == 0
    assert [line for line in read(listener) if line.run == "once_more"] == []
    never_failed = command(*arguments, "run_name=undisturbed", "cache_dir=another_store")
    assert never_failed.returncode == 0, never_failed.stderr
    same_tables(tmp_path / "results" / "undisturbed", tmp_path / "results" / "failing")


@pytest.mark.slow
def test_what_was_heard_on_a_shared_file_system_is_heard_again_by_nobody(
    command: Command, arguments: list[str], listener: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [one for one in arguments if not one.startswith("conditions=")]
    arguments += ["asr.clip_s=0", "stages=[load_utterances,plan_trials,transcribe]"]
    for number, (conditions, shared) in enumerate([("clean", "true"), ("clean,babble_10", "true"), ("clean", "false")]):
        monkeypatch.setenv("LISTENER_RUN", str(number))
        done = command(*arguments, f"conditions=[{conditions}]", f"store.shared={shared}", f"run_name=run_{number}")
        assert done.returncode == 0, done.stderr
    assert Counter(line.run for line in read(listener)) == {"0": 20, "1": 20}
    assert len(list((tmp_path / "store").glob("transcripts-*.sqlite"))) == 2
