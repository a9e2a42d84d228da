"""Folders that ``datasets`` saved with ``save_to_disk``: which files hold which split, in the order of their rows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pipeline.errors import ManifestError

STATE: Final = "state.json"
SPLITS: Final = "dataset_dict.json"


def saved_splits(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield split and Arrow file of a saved data set or dictionary of data sets; nothing of another folder.

    Raises:
        ManifestError: if what it says of itself cannot be understood, or names a file outside of it.
    """
    if (root / SPLITS).is_file():
        splits = _json(root / SPLITS).get("splits")
        if not isinstance(splits, list) or not all(isinstance(split, str) for split in splits):
            raise ManifestError(f"corpus.root: {root / SPLITS} lists no splits. Save the data set again.")
        for split in sorted(splits):
            for path in _files(_inside(root, split)):
                yield split, path
    elif (root / STATE).is_file():
        split = _json(root / STATE).get("_split")
        for path in _files(root):
            yield split if isinstance(split, str) else "", path


def _files(folder: Path) -> list[Path]:
    state = _json(folder / STATE)
    if state.get("_indices_data_files"):
        raise ManifestError(
            f"corpus.root: {folder} keeps the order of its rows in a file of indices. "
            "Load it with datasets, call flatten_indices(), and save it again."
        )
    try:
        return [_inside(folder, one["filename"]) for one in state["_data_files"]]
    except (KeyError, TypeError) as error:
        raise ManifestError(f"corpus.root: {folder / STATE} names no files. Save the data set again.") from error


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ManifestError(f"corpus.root: {folder} names '{name}', which lies outside of it. Save the data set again.")
    return path


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"corpus.root: {path} cannot be read: {error}. Save the data set again.") from error
    if not isinstance(value, dict):
        raise ManifestError(f"corpus.root: {path} holds no object. Save the data set again.")
    return value
