"""Cells of Arrow streams, as ``datasets`` saves them, that hold the bytes of a recording.

The file is mapped into memory: a cell costs no more than its own bytes.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO, Final

from augment.decoding import RecordingError
from pipeline.corpora.stored.holders import Holder, identity
from pipeline.corpora.stored.parquet import BROKEN, damaged, recording_in

_MOST_FILES: Final = 32


@dataclass(frozen=True, slots=True)
class ArrowCell:
    """A recording in a row (from 0) of an Arrow file on this machine."""

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
        if not isinstance(self.file, Path):
            raise RecordingError("missing_audio", f"{self.name}: an Arrow file must be on this machine; copy it")
        with _lock:
            found = _table(self.file, identity(self.file))
        if isinstance(found, RecordingError):
            raise RecordingError(found.problem, str(found))  # a new one: each has a traceback of its own
        if self.column not in found.column_names or self.row >= found.num_rows:
            raise RecordingError("missing_audio", f"{self.file.name} has no '{self.column}' in row {self.row} (from 0)")
        try:
            value = found.column(self.column)[self.row].as_py()
        except BROKEN as error:
            raise damaged(self.name, error) from error
        return recording_in(value, self.name)


_lock = RLock()


@lru_cache(maxsize=_MOST_FILES)
def _table(file: Path, known_by: tuple[int, ...]) -> Any:
    """Map a file once; that it cannot be read is remembered as well."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as reader:
            table = reader.read_all()
        table.validate(full=True)  # an offset that points elsewhere would otherwise end the process
        return table
    except (pa.ArrowException, *BROKEN) as error:
        return damaged(file.name, error)
