"""Cells of Parquet files that hold the bytes of a recording, alone or as the field ``bytes`` of a struct.

A file is read forward in small batches, so that neighboring rows cost one reading and no column is ever in memory
whole. A step back begins the row group again.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO, Final

from augment.decoding import RecordingError
from pipeline.corpora.stored.holders import Holder, identity, open_holder
from pipeline.corpora.stored.streams import LARGEST_BYTES, too_large

BYTES = "bytes"
"""The field of a struct that holds a recording; ``path``, beside it, only says what its file was called."""

BROKEN: Final = (OSError, ValueError, LookupError, TypeError, MemoryError, OverflowError, RuntimeError)
"""What pyarrow makes of a damaged file, beside its own errors."""

_BATCH_ROWS: Final = 8
_KEPT_BATCHES: Final = 4
_MOST_FILES: Final = 32
_GROUP_BYTES: Final = 1 << 33
"""A row group that is larger when unpacked was not made of utterances."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A recording in a row (from 0) of a Parquet file."""

    file: Holder
    column: str
    row: int

    @property
    def name(self) -> str:
        """The file's name, the column and the row."""
        return f"{self.file.name}::{self.column}[{self.row}]"

    def open(self) -> BinaryIO:
        """Return the cell's bytes.

        Raises:
            RecordingError: if file, column or row is not there, the file is damaged, or the cell holds no bytes.
        """
        import pyarrow

        try:
            with _lock:
                column = _column(self.file, identity(self.file), self.column)
            value = column if isinstance(column, RecordingError) else column.cell(self.row)
        except RecordingError:
            raise
        except (pyarrow.ArrowException, *BROKEN) as error:
            raise damaged(self.name, error) from error
        if isinstance(value, RecordingError):
            raise RecordingError(value.problem, str(value))  # a new one: each has a traceback of its own
        return recording_in(value, self.name)


class Column:
    """A column of an opened file, read forward."""

    def __init__(self, name: str, file: Any, column: str) -> None:
        """Take note of the opened file, a ``pyarrow.parquet.ParquetFile``."""
        self._name = name
        self._file = file
        self._column = column
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        self._ends = list(accumulate(group.num_rows for group in groups))
        self._paths = {file.schema.column(number).path for number in range(len(file.schema))}
        self._lock = RLock()
        self._batches: Iterator[Any] = iter(())
        self._next = (-1, 0)
        self._kept: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def cell(self, row: int) -> Any:
        """Return what a cell holds.

        Raises:
            RecordingError: if there is no such row, or its group is not made of utterances.
            ArrowException, OSError, ValueError: if the file is damaged.
        """
        number = bisect_right(self._ends, row)
        if number == len(self._ends):
            raise RecordingError("missing_audio", f"{self._name} has no row {row} (from 0)")
        place = row - (self._ends[number - 1] if number else 0)
        with self._lock:
            batch = self._batch(number, place // _BATCH_ROWS)
            return batch[place % _BATCH_ROWS].as_py()

    def _batch(self, group: int, wanted: int) -> Any:
        if (group, wanted) not in self._kept:
            if self._next[0] != group or self._next[1] > wanted:
                self._begin(group)
            while self._next[1] <= wanted:
                key = self._next
                batch = next(self._batches, None)
                if batch is None:
                    raise ValueError("a row group ends before its last row")
                self._kept[key] = batch.column(0)
                self._next = (group, key[1] + 1)
                if len(self._kept) > _KEPT_BATCHES:
                    self._kept.popitem(last=False)
        return self._kept[(group, wanted)]

    def _begin(self, group: int) -> None:
        # not asked of the metadata of a column: pyarrow ends the process over some that are damaged
        if self._file.metadata.row_group(group).total_byte_size > _GROUP_BYTES:
            raise RecordingError("undecodable_audio", f"{self._name}: a row group of it is larger than any of speech")
        self._next = (-1, 0)
        alone = f"{self._column}.{BYTES}"
        wanted = alone if alone in self._paths else self._column
        self._batches = self._file.iter_batches(
            batch_size=_BATCH_ROWS, row_groups=[group], columns=[wanted], use_threads=False
        )
        self._next = (group, 0)


_lock = RLock()


@lru_cache(maxsize=_MOST_FILES)
def _column(file: Holder, known_by: tuple[int, ...], column: str) -> Column | RecordingError:
    """Open a file once; that it cannot be opened is remembered as well."""
    import pyarrow
    from pyarrow import parquet

    try:
        # pyarrow's own file where there is a path: it is closed once the column is forgotten
        source = pyarrow.OSFile(str(file)) if isinstance(file, Path) else open_holder(file)
        opened = parquet.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)
        if column not in opened.schema_arrow.names:
            return RecordingError("missing_audio", f"{file.name} has no column '{column}'")
        return Column(file.name, opened, column)
    except RecordingError as error:
        return error
    except (pyarrow.ArrowException, *BROKEN) as error:
        return damaged(file.name, error)


def recording_in(value: object, name: str) -> BinaryIO:
    """Return the bytes that a cell holds, alone or as a field of a struct.

    Raises:
        RecordingError: if it holds none, or too many to be an utterance.
    """
    data = value.get(BYTES) if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        raise RecordingError("missing_audio", f"{name} holds no bytes of a recording")
    if len(data) > LARGEST_BYTES:
        raise too_large(name)
    return BytesIO(data)


def damaged(name: str, error: Exception) -> RecordingError:
    """Return the refusal of a Parquet file that cannot be read; of what pyarrow says the first line is enough."""
    said = str(error).splitlines()[0] if isinstance(error, ValueError) and str(error) else type(error).__name__
    return RecordingError("undecodable_audio", f"{name} cannot be read: {said}")
