"""The files below a corpus's root, in one order, and what a wrong root looks like."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pipeline.corpora.described.path_patterns import PathPattern
from pipeline.errors import ManifestError, first_five

AUDIO: Final = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph", ".aif", ".aiff", ".m4a")
"""What files of recordings are usually called."""
LOOKED_AT: Final = 5000
"""How many files are looked at for where the corpus might lie below a wrong root."""


def files_below(root: Path, folders: Iterable[str] = ("",)) -> Iterator[str]:
    """Yield the files below some folders of ``root``, as paths from the root with ``/``, in one order.

    Links are followed (whether a recording may lie outside the root is judged with its row), but no folder twice.
    """
    wanted = sorted(set(folders))
    visited: set[str] = set()
    for folder in wanted:
        if any(other == "" or folder.startswith(f"{other}/") for other in wanted if other != folder):
            continue  # below another one of them
        yield from _walk(root, root / folder, visited)


def _walk(root: Path, folder: Path, visited: set[str]) -> Iterator[str]:
    for at, folders, files in os.walk(folder, followlinks=True, onerror=_unreadable):
        real = os.path.realpath(at)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        inside = Path(at).relative_to(root).as_posix()
        for name in sorted(files):
            yield name if inside == "." else f"{inside}/{name}"


def _unreadable(error: OSError) -> None:
    """Refuse to go on without what a folder holds; one that is not there holds nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise ManifestError(
            f"corpus.root: the folder {error.filename} cannot be read: {error.strerror}. Make it readable, or move it "
            "out of the corpus."
        ) from error


def nothing_found(root: Path, pattern: PathPattern, where: str) -> ManifestError:
    """Return the error for a root without any file of the kind, saying where such files are if they are near."""
    if not root.is_dir():
        return ManifestError(f"corpus.root: {root} is not a folder. Name the folder that holds the corpus.")
    near = sorted({inside for path in islice(files_below(root), LOOKED_AT) for inside in _roots_of(path, pattern)})
    if near:
        return ManifestError(f"{where}: no file of {root} fits '{pattern.text}'. Set corpus.root={root / near[0]}.")
    seen = first_five(islice(files_below(root), 5)) or "nothing"
    return ManifestError(
        f"{where}: no file of {root} fits '{pattern.text}'. It holds {seen}. Set corpus.root to the folder that "
        "the pattern starts from, or mend the pattern."
    )


def _roots_of(path: str, pattern: PathPattern) -> Iterator[str]:
    """Yield the folders from which ``path`` would fit, up to four levels down."""
    parts = path.split("/")
    for depth in range(1, min(5, len(parts))):
        if pattern.match("/".join(parts[depth:])) is not None:
            yield "/".join(parts[:depth])
