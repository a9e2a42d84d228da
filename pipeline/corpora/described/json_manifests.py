"""Manifests with one JSON object a line, as NeMo and lhotse write them, flattened to cells of text.

What stands deeper gets a dotted name: ``{"custom": {"accent": "scottish"}}`` is the cell ``custom.accent``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.corpora.described.plain_text import read_text
from pipeline.corpora.manifest_files import read_json
from pipeline.errors import ManifestError

DEEPEST: Final = 8

Line = tuple[int, dict[str, Any]]


def objects(path: Path) -> Iterator[Line]:
    """Yield the number and the object of every line that is not blank.

    Raises:
        ManifestError: if the file is missing, or a line is no JSON object.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):  # not splitlines: U+2028 may stand inside
        if not line.strip():
            continue
        try:
            value = read_json(line)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"corpus.root: {path} line {number} is no JSON: {error}. Mend the file.") from error
        if not isinstance(value, dict):
            raise ManifestError(f"corpus.root: {path} line {number} holds no object {{...}}. Mend the file.")
        yield number, value


def flat(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Return the texts, numbers and truth values of an object as text, by dotted name; lists and nulls are left out."""
    cells: dict[str, str] = {}
    for key, cell in value.items():
        if isinstance(cell, dict) and depth < DEEPEST:
            cells |= flat(cell, f"{prefix}{key}.", depth + 1)
        elif isinstance(cell, bool):
            cells[prefix + key] = str(cell).lower()
        elif isinstance(cell, str | int | float):
            cells[prefix + key] = str(cell).strip()
    return cells
