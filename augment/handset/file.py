"""A user's own handset: a table of two columns (Hz, dB) or an impulse response.

A table is a text file (``.csv``, ``.tsv``, ``.txt``): comma, semicolon, tab or blanks between the columns, lines
that begin with ``#`` or hold no number before the first row are skipped. Anything else is read as audio.
"""

import math
import re
from pathlib import Path
from typing import Final

import numpy as np

from augment.errors import ConditionError
from augment.handset.response import Response, from_impulse_response, from_table
from augment.level import Samples
from augment.recordings import file_sha256, read_response
from augment.resources import Resources
from augment.step import Plan, PlanValue, planned_text

_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_BETWEEN_COLUMNS = re.compile(r"\s*[,;]\s*|\s+")
_LARGEST_DB: Final = 300.0


class FileResponse:
    """One file for everyone, known by its content."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError, with the file's name, if it is no response."""
        _read(self._path)

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the file's ``sha256``."""
        return {"sha256": resources.remember(("handset", "sha256", self._path), lambda: file_sha256(self._path))}

    def response(self, planned: Plan, resources: Resources) -> Response:
        """Return the file's filter.

        Raises:
            ConditionError: if the file is no longer the one that was planned with.
        """
        sha256 = planned_text(planned, "sha256")
        return resources.remember(("handset", "file", sha256), lambda: self._unchanged(sha256))

    def _unchanged(self, sha256: str) -> Response:
        if file_sha256(self._path) != sha256:
            raise ConditionError(f"{self._path} is not the file that was planned with: plan again")
        return _read(self._path)


def read_table(path: Path) -> tuple[Samples, Samples]:
    """Return the frequencies in Hz and the gains in dB of a text file.

    Raises:
        ConditionError: if it cannot be read, a row is not two numbers, there are fewer than two rows, or the
            frequencies do not ascend from above 0.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ConditionError(f"{path.name} cannot be read: {problem}") from error
    rows: list[tuple[float, float]] = []
    for number, line in enumerate(lines, start=1):
        fields = _BETWEEN_COLUMNS.split(line.strip())
        if line.strip() and not line.lstrip().startswith("#") and (rows or any(map(_is_number, fields))):
            rows.append(_row(fields, f"{path.name}, line {number}: {line.strip()[:60]!r}", after=rows))
    if len(rows) < 2:
        raise ConditionError(
            f"{path.name} has {len(rows)} rows of frequency in Hz and gain in dB: at least 2 are needed"
        )
    return np.array([hz for hz, _ in rows]), np.array([db for _, db in rows])


def _row(fields: list[str], where: str, *, after: list[tuple[float, float]]) -> tuple[float, float]:
    if len(fields) != 2 or not all(map(_is_number, fields)):
        raise ConditionError(
            f"{where} is not a frequency in Hz and a gain in dB: write two numbers, as in '1000, -3.7'"
        )
    hz, db = map(float, fields)
    if not 0.0 < hz < math.inf or (after and hz <= after[-1][0]):
        raise ConditionError(f"{where}: frequencies begin above 0 Hz and ascend: sort the rows, one for each frequency")
    if not abs(db) <= _LARGEST_DB:
        raise ConditionError(f"{where} is not a gain in dB: at most {_LARGEST_DB:g} dB either way")
    return hz, db


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read(path: Path) -> Response:
    if path.suffix.lower() in _TABLES:
        return from_table(*read_table(path), path.name)
    return from_impulse_response(read_response(path), path.name)
