"""The files below ``asr.path``, and their bytes: as a whole for a document, line by line for a table."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.asr.imported.found import UnreadableError

MAX_BYTES = 64 * 2**20
"""Of a document, and of a line of a table. A transcript of a day of speech, with times, is smaller."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Source:
    """A file and its name below ``asr.path``, with ``/`` between folders; the file's own name where that is a file."""

    path: str
    relative: str

    @property
    def shown(self) -> str:
        """The name in messages; bytes that are no text are written out."""
        return printable(self.relative)


def printable(text: str) -> str:
    """Return ``text`` on one line, with what cannot be shown (half characters, escapes) written out."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def find(root: Path, wanted: Callable[[str], bool]) -> list[Source]:
    """Return the files below the folder ``root`` whose name is ``wanted``, sorted; hidden ones are passed over.

    Raises:
        UnreadableError: if a link leads out of the folder or to nothing, or a folder cannot be read.
    """
    home = root.resolve()
    sources = []
    folders = [(str(root), "")]
    while folders:
        folder, below = folders.pop()
        try:
            with os.scandir(folder) as entries:
                seen = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise UnreadableError(f"cannot be read at {printable(folder)}: {error.strerror}") from error
        for entry in seen:
            if entry.is_symlink():
                _check_link(Path(entry.path), home)
            # a link to a folder in here is passed over: its files are read in their place
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, f"{below}{entry.name}/"))
            elif wanted(entry.name) and entry.is_file():
                sources.append(Source(entry.path, f"{below}{entry.name}"))
    return sorted(sources, key=lambda source: source.relative)


def _check_link(path: Path, home: Path) -> None:
    try:
        inside = path.resolve(strict=True).is_relative_to(home)
    except (OSError, RuntimeError) as error:  # to nothing, or in a circle
        raise UnreadableError(f"holds a link that leads nowhere: {printable(path.name)}. Remove or mend it") from error
    if not inside:
        raise UnreadableError(f"holds a link that leads out of it: {printable(path.name)}. Put the file itself there")


def whole(path: str) -> bytes:
    """Return the bytes of a document.

    Raises:
        UnreadableError: if there are more than ``MAX_BYTES``, or none can be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            large = os.fstat(file.fileno()).st_size > MAX_BYTES
            data = b"" if large else file.read()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error
    if large:
        raise UnreadableError(f"is larger than {MAX_BYTES // 2**20} MB: too large for the transcript of an utterance")
    return data


def decoded(data: bytes) -> str:
    """Return UTF-8 text, without the mark that some programs put before it.

    Raises:
        UnreadableError: if it is not UTF-8.
    """
    if data.startswith(UTF_16):
        raise UnreadableError("is UTF-16 text: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8 text: {error}. Save it as UTF-8") from error


def lines(path: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 table as they stand, with their ends, holding one at a time.

    Raises:
        UnreadableError: if it cannot be read, is not UTF-8, or a line is longer than ``MAX_BYTES``.
    """
    try:
        with open(path, "rb") as file:
            yield from _pieces(file)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error


def _pieces(file: BinaryIO) -> Iterator[str]:
    number = 0
    while piece := file.readline(MAX_BYTES + 1):
        number += 1
        if len(piece) > MAX_BYTES:
            raise UnreadableError(f"line {number} is longer than {MAX_BYTES // 2**20} MB")
        if number == 1:
            yield decoded(piece)
            continue
        try:
            yield piece.decode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"line {number} is not UTF-8 text: {error}. Save it as UTF-8") from error
