"""The results folder: nothing half-written, nothing finished overwritten."""

import os
from pathlib import Path

import pandas as pd
import pytest

from pipeline import tables
from pipeline.artifacts import RunFolder, RunRecord, sha256_of, write_atomic
from pipeline.errors import ConfigError, StudyError, TableError


def a_record(folder: RunFolder, **changes: object) -> RunRecord:
    fields = {
        "run_name": folder.name, "status": "finished", "stages_done": [], "protected": True,
        "started_at": "t0", "finished_at": "t1", "overrides": [],
        "config": {}, "config_sha256": "aaa", "seed": 0, "versions": {}, "commit": None, "device": "cpu",
        "corpus": None, "conditions": [], "backend": None, "counts": {}, "timings_s": {}, "hashes": {}, "history": [],
    }  # fmt: skip
    return RunRecord.model_validate(fields | changes)


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_atomic(tmp_path / "a.txt", "old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_program_was_writing_is_gone_when_the_next_one_holds_the_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "mine")
    (folder.path / "figures").mkdir(parents=True)
    somebodys = folder.path / ".notes.partial"
    somebodys.touch()
    for name in (".run.json.x1_kv.partial", ".cells.csv.abc.partial", "figures/.wer.svg.abc.partial"):
        (folder.path / name).touch()
    with folder.locked():
        assert {path for path in folder.path.rglob("*") if path.is_file()} == {somebodys}


def test_a_file_that_is_being_written_is_called_what_the_next_holder_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "mine")

    def killed(*_: object) -> None:
        os._exit(9)

    if (child := os.fork()) == 0:
        monkeypatch.setattr(os, "fsync", killed)
        folder.write("card.md", "half")
    os.waitpid(child, 0)
    assert [path.name.split(".")[1] for path in folder.path.iterdir()] == ["card"]
    with folder.locked():
        assert not list(folder.path.iterdir())


def test_the_same_configuration_continues_a_finished_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "mine")
    assert folder.open("aaa") is None
    folder.write_record(a_record(folder))
    found = folder.open("aaa")
    assert found is not None
    assert found.status == "finished"


def test_another_configuration_never_overwrites_a_finished_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "mine")
    folder.open("aaa")
    folder.write_record(a_record(folder))
    with pytest.raises(ConfigError, match=r"another configuration.*run_name"):
        folder.open("bbb")
    assert folder.record() is not None


@pytest.mark.parametrize(("name", "status"), [("scratch", "finished"), ("mine", "running")])
def test_scratch_and_unfinished_runs_give_way(tmp_path: Path, name: str, status: str) -> None:
    folder = RunFolder(tmp_path / name)
    folder.open("aaa")
    folder.write_record(a_record(folder, status=status, protected=status == "finished"))
    write_atomic(folder.path / "old.csv", "x")
    write_atomic(folder.path / "my_notes.txt", "precious")
    assert folder.open("bbb") is None
    assert [path.name for path in folder.path.iterdir()] == ["my_notes.txt"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match=r"no run\.json"):
        RunFolder(tmp_path / "scratch").open("aaa")
    assert (tmp_path / "scratch" / "thesis.tex").read_text() == "precious"


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    write_atomic(tmp_path / "run.json", "{")
    with pytest.raises(TableError, match=r"run\.json"):
        RunFolder(tmp_path).record()


def test_tables_survive_the_disk_with_their_types(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    row = dict.fromkeys(tables.columns(tables.Exclusions), "null")
    table = tables.build([row | {"detail": "=1+1"}], tables.Exclusions, where="test")
    folder.write_table("exclusions", table)
    pd.testing.assert_frame_equal(folder.read_table("exclusions", tables.Exclusions), table)


def test_a_missing_or_broken_table_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="Run the earlier stages"):
        RunFolder(tmp_path).read_table("trials", tables.Trials)
    write_atomic(tmp_path / "trials.parquet", "not parquet")
    with pytest.raises(TableError, match="not a readable Parquet"):
        RunFolder(tmp_path).read_table("trials", tables.Trials)


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert sha256_of({"a": 1, "b": [2]}) == sha256_of({"b": [2], "a": 1})
    assert sha256_of({"a": 1}) != sha256_of({"a": 2})
