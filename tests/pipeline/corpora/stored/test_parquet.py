"""Cells of Parquet and Arrow files: the bytes that were stored, or one refusal; read forward in small batches."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from augment.decoding import RecordingError
from pipeline.corpora.stored.arrow import ArrowCell
from pipeline.corpora.stored.parquet import Cell

ROWS = 70
CLIPS = [random.Random(number).randbytes(100 + number) for number in range(ROWS)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 70 recordings in row groups of 30."""
    path = tmp_path_factory.mktemp("parquet") / "clips.parquet"
    structs = [{"bytes": clip if number else None, "path": f"{number}.wav"} for number, clip in enumerate(CLIPS)]
    table = pa.table({"audio": structs, "raw": CLIPS, "text": ["words"] * ROWS, "audio.x": CLIPS})
    parquet.write_table(table, path, row_group_size=30)
    with pa.OSFile(str(path.with_suffix(".arrow")), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def taken(file: Path, column: str, row: int) -> bytes:
    with Cell(file, column, row).open() as stream:
        return stream.read()


def refusal(file: Path, column: str, row: int) -> tuple[str, str]:
    with pytest.raises(RecordingError) as caught:
        Cell(file, column, row).open()
    assert str(file.parent) not in str(caught.value)
    return caught.value.problem, str(caught.value)


@pytest.mark.parametrize("column", ["audio", "raw", "audio.x"])
def test_every_row_is_what_was_stored_in_any_order_and_from_any_thread(file: Path, column: str) -> None:
    rows = [*range(1, ROWS), *random.Random(0).sample(range(1, ROWS), ROWS - 1)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: taken(file, column, row), rows))
    assert found == [CLIPS[row] for row in rows]


def test_rows_in_order_read_the_file_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    iterate = parquet.ParquetFile.iter_batches
    monkeypatch.setattr(
        parquet.ParquetFile,
        "iter_batches",
        lambda self, **options: (begun.append(options["row_groups"]), iterate(self, **options))[1],
    )
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(file.read_bytes())
    for row in range(ROWS):
        taken(copy, "raw", row)
    assert begun == [[0], [1], [2]]


def test_what_is_not_there_or_no_recording_is_refused(file: Path, tmp_path: Path) -> None:
    assert refusal(file, "raw", ROWS) == ("missing_audio", f"clips.parquet has no row {ROWS} (from 0)")
    assert refusal(file, "none", 0) == ("missing_audio", "clips.parquet has no column 'none'")
    assert "no bytes" in refusal(file, "text", 0)[1]
    assert "no bytes" in refusal(file, "audio", 0)[1]  # a path without bytes, as datasets' to_parquet leaves it
    assert refusal(tmp_path / "none.parquet", "raw", 0)[0] == "missing_audio"


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_file_that_is_cut_short_is_undecodable(file: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    assert refusal(cut, "raw", 0)[0] == "undecodable_audio"


@settings(max_examples=100, deadline=None)
@given(
    at=st.floats(0, 1),
    piece=st.binary(min_size=1, max_size=30),
    kind=st.sampled_from([Cell, ArrowCell]),
    column=st.sampled_from(["audio", "raw"]),
    row=st.integers(0, ROWS),
)
def test_any_bytes_give_the_cell_or_one_refusal(
    file: Path,
    tmp_path_factory: pytest.TempPathFactory,
    at: float,
    piece: bytes,
    kind: type[Cell | ArrowCell],
    column: str,
    row: int,
) -> None:
    suffix = ".parquet" if kind is Cell else ".arrow"
    data, path = file.with_suffix(suffix).read_bytes(), tmp_path_factory.mktemp("any") / f"a{suffix}"
    place = int(at * len(data))
    path.write_bytes(data[:place] + piece + data[place + len(piece) :])
    try:
        kind(path, column, row).open().close()
    except RecordingError as error:
        assert error.problem in ("missing_audio", "undecodable_audio")  # noqa: PT017
        assert str(path.parent) not in str(error)  # noqa: PT017
