"""``stages=[store]``: what is remembered is shown and verified, and only what is asked for goes."""

import io
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.artifacts import sha256_of
from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.config import build
from pipeline.errors import ConfigError, StudyError
from pipeline.records import Status
from pipeline.single import run_single

TINY, BASE = {"kind": "whisper", "model": "tiny"}, {"kind": "whisper", "model": "base"}
Stage = Callable[..., str]


@pytest.fixture
def stage(composed: Callable[..., dict[str, Any]], tmp_path: Path) -> Stage:
    """Return a runner of the stage over the folder of the test that returns what it printed."""

    def run(*overrides: str, output: io.StringIO | None = None) -> str:
        output = output or io.StringIO()
        raw = composed("stages=[store]", f"cache_dir={tmp_path / 'kept'}", "asr=scripted", *overrides)
        report = run_single(build(raw))
        assert report.n_failed == 0
        report.show(Console(file=output, width=100))
        return output.getvalue()

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of one machine and of one that shares it: whisper:tiny in both files, whisper:base in one."""
    file = tmp_path / "kept" / "transcripts.sqlite"
    for shared, fingerprint in ((False, TINY), (True, TINY), (False, BASE)):
        with TranscriptStore(file, shared=shared) as store:
            items = [(f"{shared} {i}", Hypothesis("words", Status.OK), {"samples": i}) for i in range(1200)]
            items.append((f"{shared} failed", Hypothesis("", Status.FAILED, "broken"), None))
            store.put(items, sha256_of(fingerprint), fingerprint)
    return file


def count(path: Path) -> int:
    total = 0
    for file in path.parent.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            total += connection.execute("SELECT count(*) FROM transcripts").fetchone()[0]
    return total


def test_an_empty_folder_says_so_and_stays_as_it_is(stage: Stage, tmp_path: Path) -> None:
    assert "Nothing is remembered" in stage()
    assert "Nothing is remembered" in stage("store.drop_failed=true", "store.dry_run=false")
    assert not (tmp_path / "kept").exists()


def test_recognizers_and_files_are_shown_and_nothing_goes(stage: Stage, path: Path) -> None:
    text = stage()
    lines = text.splitlines()
    (tiny,) = [line for line in lines if "whisper:tiny" in line]
    (base,) = [line for line in lines if "whisper:base" in line]
    assert tiny.split()[:4] == [sha256_of(TINY)[:12], "whisper:tiny", "2,402", "2"]
    assert base.split()[:4] == [sha256_of(BASE)[:12], "whisper:base", "1,201", "1"]
    assert "2 files" in text
    assert len([line for line in lines if line.endswith("sound")]) == 2
    assert max(len(line) for line in lines if str(path.parent) not in line) <= 100  # however long a folder's name is
    assert "would go" not in text
    assert count(path) == 3603


def test_dropping_is_a_dry_run_until_told_otherwise(stage: Stage, path: Path) -> None:
    text = stage("store.drop_fingerprint=whisper:tiny")
    assert "2,402 transcripts and 1,200 renderings would go" in text
    assert "store.dry_run=false" in text
    assert count(path) == 3603
    text = stage("store.drop_fingerprint=whisper:tiny", "store.dry_run=false")
    assert "2,402 transcripts and 1,200 renderings dropped" in text
    assert "whisper:tiny" not in text
    assert count(path) == 1201
    with TranscriptStore(path) as store:
        assert len(store.get([f"False {i}" for i in range(1200)], sha256_of(BASE))) == 1200


def test_a_hash_may_be_given_by_its_beginning(stage: Stage, path: Path) -> None:
    begins = sha256_of(BASE)[:12]
    assert "1,201 transcripts and 0 renderings dropped" in stage(
        f'store.drop_fingerprint="{begins}"', "store.dry_run=false"
    )


def test_failures_can_go_alone(stage: Stage, path: Path) -> None:
    assert "3 transcripts and 0 renderings dropped" in stage("store.drop_failed=true", "store.dry_run=false")
    assert count(path) == 3600
    assert "Nothing fits what was to be dropped" in stage("store.drop_failed=true", "store.dry_run=false")


def test_what_has_no_date_is_counted_as_staying(stage: Stage, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE transcripts SET written_unix_s = NULL WHERE status = 'failed'")
        connection.commit()
    text = stage("store.drop_older_than_days=1", "store.dry_run=false")
    assert "Nothing fits what was to be dropped" in text
    assert "2 transcripts stay: an earlier version wrote them without a date" in text
    assert count(path) == 3603


def test_a_name_that_fits_nothing_is_a_mistake_and_the_known_ones_are_listed(stage: Stage, path: Path) -> None:
    with pytest.raises(ConfigError, match=r"begins with 'whisper:large'.*whisper:base.*whisper:tiny"):
        stage("store.drop_fingerprint=whisper:large", "store.dry_run=false")
    assert count(path) == 3603


def test_another_machines_file_that_may_be_in_use_is_left_alone(stage: Stage, path: Path) -> None:
    (own,) = path.parent.glob("transcripts-*.sqlite")
    other = own.rename(path.with_name("transcripts-elsewhere-1.sqlite"))
    text = stage("store.drop_failed=true", "store.dry_run=false")
    assert "2 transcripts and 0 renderings dropped" in text
    assert "another machine may be writing: transcripts-elsewhere-1.sqlite" in text
    os.utime(other, (0, 0))
    assert "1 transcript and 0 renderings dropped" in stage("store.drop_failed=true", "store.dry_run=false")


def test_a_store_in_use_is_dropped_from_and_says_that_its_size_stays(stage: Stage, path: Path) -> None:
    with TranscriptStore(path) as running:
        text = stage("store.drop_fingerprint=whisper:tiny", "store.dry_run=false")
        assert "Not made smaller, because it is in use: transcripts.sqlite" in text
        running.put([("new", Hypothesis("words", Status.OK), None)], sha256_of(TINY), TINY)
        assert running.get(["new"], sha256_of(TINY))["new"].hypothesis.text == "words"


def test_what_is_not_sound_is_shown_and_then_an_error_that_says_what_to_do(stage: Stage, path: Path) -> None:
    damaged = path.with_name("transcripts-damaged.sqlite")
    damaged.write_bytes(b"no database at all" * 500)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE renderings SET rendering = 'x' WHERE trial_key = 'False 3'")
        connection.commit()
    output = io.StringIO()
    with pytest.raises(StudyError) as caught:
        stage("store.drop_failed=true", "store.dry_run=false", output=output)
    assert f"{damaged}: " in str(caught.value)
    assert "False 3 are not JSON" in str(caught.value)
    assert str(caught.value).count("move") >= 2
    lines = output.getvalue().splitlines()
    assert any(line.startswith("transcripts-damaged.sqlite") and "cannot be read" in line for line in lines)
    assert any(line.startswith("transcripts.sqlite") and "not as this program wrote it" in line for line in lines)
    assert "3 transcripts and 0 renderings dropped" in output.getvalue()
    assert damaged.read_bytes() == b"no database at all" * 500


def test_an_empty_file_is_no_problem(stage: Stage, path: Path) -> None:
    path.with_name("transcripts-new.sqlite").touch()
    assert "transcripts-new.sqlite: 0 bytes, empty" in stage()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("store.drop_fingerprint=ab", "store.drop_fingerprint"),
        ("store.drop_fingerprint=123456", "store.drop_fingerprint"),
        ("store.drop_older_than_days=0", "store.drop_older_than_days"),
        ("store.shared=1", "store.shared"),
        ("+store.drop_all=true", "store.drop_all"),
    ],
)
def test_a_wrong_value_is_named_before_anything_is_looked_at(
    stage: Stage, path: Path, override: str, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        stage(override)


def test_a_study_does_not_drop(composed: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match=r"only stages=\[store\] drops"):
        build(composed("asr=scripted", "store.drop_failed=true"))


def test_where_transcripts_are_remembered_is_no_part_of_a_studys_identity(
    composed: Callable[..., dict[str, Any]],
) -> None:
    one = build(composed("asr=scripted"))
    other = build(composed("asr=scripted", "store.shared=true", "cache_dir=elsewhere"))
    assert one.sha256 == other.sha256
    assert other.store.shared
    assert other.store_path == Path("elsewhere") / "transcripts.sqlite"
