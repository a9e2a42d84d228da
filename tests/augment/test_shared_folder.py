"""Temporary folders: gone with their program, and with the next one where it was killed."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from augment.shared_folder import shared_folder


def aged(folder: Path) -> Path:
    """The folder, as if nothing had been written to it for two minutes."""
    os.utime(folder, (time.time() - 120, time.time() - 120))
    return folder


def left(place: Path, name: str) -> Path:
    """A folder with a file, as a killed program leaves it."""
    folder = place / name
    folder.mkdir()
    (folder / "track.npy").write_bytes(b"0" * 100)
    return aged(folder)


def test_a_folder_is_there_while_it_is_used_and_gone_afterwards(tmp_path: Path) -> None:
    with shared_folder("mine-", tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("mine-")
        (folder / "track.npy").write_bytes(b"0")
    assert list(tmp_path.iterdir()) == []


def test_an_error_removes_it_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), shared_folder("mine-", tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_it_lies_where_temporary_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with shared_folder("mine-") as folder:
        assert folder.parent == tmp_path


def test_what_a_killed_program_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    old = left(tmp_path, "mine-old")
    others = left(tmp_path, "other-old")
    file = aged_file(tmp_path / "mine-file")
    new = tmp_path / "mine-new"
    new.mkdir()
    link = tmp_path / "mine-link"
    link.symlink_to(others, target_is_directory=True)
    with shared_folder("mine-", tmp_path) as held:
        aged(held)
        with shared_folder("mine-", tmp_path) as second:
            assert not old.exists()
            assert set(tmp_path.iterdir()) == {others, file, new, link, held, second}
            assert (others / "track.npy").exists()


def aged_file(path: Path) -> Path:
    path.write_text("")
    return aged(path)


def test_a_folder_of_a_program_that_was_killed_is_free(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal; from augment.shared_folder import shared_folder\n"
        "with shared_folder('mine-', pathlib.Path('.')):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    (orphan,) = tmp_path.iterdir()
    with shared_folder("mine-", tmp_path):
        assert orphan.exists()  # for all that is known its owner is about to lock it
    aged(orphan)
    with shared_folder("mine-", tmp_path):
        assert not orphan.exists()
