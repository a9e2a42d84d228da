"""Folders, room, file systems, and the files that a study reads."""

import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import inputs, mounts, places

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Made = Callable[..., Study]
Usage = namedtuple("Usage", "total used free")


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def test_the_accents_and_the_files_of_the_corpus_are_looked_for(study: Made, make_corpus: Callable[..., Path]) -> None:
    assert one(inputs.accents()).verdict is OK
    there = study("corpus=manifest", f"corpus.path={make_corpus()}", "corpus.accents=as_given")
    assert one(inputs.corpus(there)).verdict is OK
    absent = one(inputs.corpus(study("corpus=manifest", "corpus.path=nowhere.csv")))
    assert absent.verdict is FAIL
    assert "nowhere.csv" in absent.found


def test_a_folder_that_is_yet_to_be_made_is_well_where_it_can_be_and_stays_unmade(tmp_path: Path) -> None:
    check = places.place("results_dir", tmp_path / "a" / "b")
    assert check.verdict is OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="needs a folder that nobody can write to")
def test_a_read_only_folder_fails() -> None:
    check = places.place("results_dir", Path("/proc/somewhere"))
    assert check.verdict is FAIL
    assert "nothing can be written" in check.found
    assert check.advice == "Set results_dir to another folder"


def test_a_file_in_the_place_of_a_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("x")
    assert places.place("results_dir", tmp_path / "results").verdict is FAIL
    assert places.place("results_dir", tmp_path / "results" / "below").verdict is FAIL


@pytest.mark.parametrize(("free", "verdict"), [(100 * 10**6, FAIL), (500 * 10**6, NOTE), (2 * 10**9, OK)])
def test_little_room_is_noted_and_none_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))
    check = places.place("cache_dir", tmp_path)
    assert check.verdict is verdict
    assert places.size(free) in check.found


def test_a_full_disk_fails(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        (small / "filler").write_bytes(bytes(64 * 1024))
        check = places.place("results_dir", small)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert check.verdict is FAIL
    assert "No space left" in check.found


def test_a_folder_for_temporary_files_that_cannot_be_used_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", "/proc/nowhere")
    assert places.temporary().verdict is NOTE
    monkeypatch.delenv("TMPDIR")
    assert places.temporary().verdict is OK


TABLE = """\
/dev/sda1 / ext4 rw 0 0
overlay /var/container overlay rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/fast\\040disk tmpfs rw 0 0
/dev/sdb /home/local xfs rw 0 0
nonsense
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/x", "ext4"),
        ("/home/ann/.cache", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/fast disk/x", "tmpfs"),
        ("/home/local", "xfs"),
    ],
)
def test_a_folder_lies_on_the_innermost_mount(tmp_path: Path, folder: str, kind: str) -> None:
    table = tmp_path / "mounts"
    table.write_text(TABLE)
    mount = mounts.of(Path(folder), table)
    assert mount is not None
    assert mount.kind == kind


def test_of_two_mounts_on_one_place_the_later_counts(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text("a /data ext4 rw 0 0\nb /data cifs rw 0 0\n")
    mount = mounts.of(Path("/data/x"), table)
    assert mount is not None
    assert mount.shared


def test_the_store_on_a_shared_file_system_is_noted_until_each_writer_has_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "of", lambda _: mounts.Mount("nfs4", tmp_path))
    check = places.store(tmp_path, shared=False)
    assert check.verdict is NOTE
    assert "store.shared=true" in check.advice
    assert places.store(tmp_path, shared=True).verdict is OK


@pytest.mark.parametrize("kind", ["overlay", "tmpfs"])
def test_a_store_that_ends_with_the_container_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(mounts, "of", lambda _: mounts.Mount(kind, tmp_path))
    assert places.store(tmp_path, shared=False).verdict is NOTE


def test_a_system_without_a_table_of_mounts_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mounts.of(tmp_path, tmp_path / "absent") is None
    monkeypatch.setattr(mounts, "of", lambda _: None)
    assert places.store(tmp_path, shared=False).verdict is NOTE


def test_the_room_for_kept_renderings_is_told_in_hours_of_speech(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study: Made
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 2_304 * 10**6))
    check = places.rendering_cache(tmp_path, n_conditions=10)
    # 32 kB/s x 3600 s x 10 conditions = 1.152 GB an hour
    assert "1.2 GB" in check.found
    assert "2.0 hours" in check.found
    assert check.verdict is OK
    assert places.rendering_cache(tmp_path, n_conditions=100).verdict is NOTE
    names = [check.name for check in places.checks(study("asr=scripted", f"render.cache={tmp_path / 'flac'}"))]
    assert "render.cache" in names
    assert names[-1] == "render.cache, room"
