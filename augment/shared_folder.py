"""Temporary folders that rendering processes share; what a killed program leaves, the next one removes."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_LOCK: Final = ".lock"
_NEW_S: Final = 60.0
"""A folder as young as this may be one whose owner has not locked it yet."""


@contextmanager
def shared_folder(prefix: str, place: Path | None = None) -> Iterator[Path]:
    """Give a new folder, locked while it is in use and removed afterwards.

    Args:
        prefix: of its name; older folders of this prefix that nobody holds any more are removed first.
        place: where to make it; None: where this machine keeps temporary files.

    Raises:
        OSError: if it cannot be made.
    """
    home = place or Path(tempfile.gettempdir())
    for folder in home.glob(f"{prefix}*"):
        _remove_unless_held(folder)
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=home, ignore_cleanup_errors=True)
    with made as name, FileLock(Path(name) / _LOCK, timeout=0, thread_local=False):
        yield Path(name)


def _remove_unless_held(folder: Path) -> None:
    try:
        if folder.is_symlink() or not folder.is_dir() or time.time() - folder.stat().st_mtime < _NEW_S:
            return
        with FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):  # in use, or somebody else's
        return
