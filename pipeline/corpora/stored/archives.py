"""Members of tar and zip archives. What an archive holds is read once a process; damage to it is remembered as well."""

import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Any, BinaryIO, Final, Protocol

from augment.decoding import RecordingError
from pipeline.corpora.stored.gzip_stream import FirstPass, GzipPoints
from pipeline.corpora.stored.holders import Holder, identity, open_holder
from pipeline.corpora.stored.streams import LARGEST_BYTES, pieces_of, too_large, whole

_MOST_ARCHIVES: Final = 128
_HEADER_BYTES: Final = 1 << 24
"""No header of a member is larger; a damaged one may say so, and tarfile would read it into memory."""

_PACKED_AS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    IndexError, KeyError, OverflowError, AttributeError, TypeError, MemoryError,
)  # fmt: skip
"""What tarfile and zipfile make of bytes that are no archive, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A recording inside a tar or zip archive."""

    archive: Holder
    member: str

    @property
    def name(self) -> str:
        """The archive's name and the member's."""
        return f"{self.archive.name}::{self.member}"

    def open(self) -> BinaryIO:
        """Return the unpacked member.

        Raises:
            RecordingError: if archive or member is not there, damaged, encrypted, a link, or larger than a recording.
        """
        found = _archive(self.archive, identity(self.archive))
        if isinstance(found, RecordingError):
            raise RecordingError(found.problem, str(found))  # a new one: each has a traceback of its own
        entry = found.entries.get(self.member.removeprefix("./"))
        if entry is None:
            raise RecordingError("missing_audio", f"{self.archive.name} holds no member '{self.member}'")
        if entry.problem:
            raise RecordingError("missing_audio", f"{self.name} cannot be read: {entry.problem}")
        if entry.size > LARGEST_BYTES:
            raise too_large(self.name)
        try:
            stream = whole(found.pieces(entry), self.name)
        except RecordingError:
            raise
        except _BROKEN as error:
            raise _damaged(self.name, error) from error
        if _size(stream) != entry.size:
            stream.close()
            raise _damaged(self.name, EOFError("it is cut short"))
        return stream


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a member lies, or in ``problem`` why it cannot be a recording."""

    at: Any
    size: int
    problem: str = ""


class Archive(Protocol):
    """What is known of an archive."""

    entries: dict[str, Entry]

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """Yield the unpacked bytes of a member."""


class Tar:
    """A .tar, or a .tar.gz where ``points`` are given."""

    def __init__(self, holder: Holder, entries: dict[str, Entry], points: GzipPoints | None) -> None:
        """Take note of what the first pass found."""
        self.entries = entries
        self._holder = holder
        self._points = points

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """Yield the bytes of a member."""
        with open_holder(self._holder) as file:
            if self._points is None:
                file.seek(entry.at)
                yield from pieces_of(file, entry.size)
                return
            left = entry.size
            for piece in self._points.pieces(file, entry.at):
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return


class Zip:
    """A .zip, which stays open: its index would be read again with each member."""

    def __init__(self, file: zipfile.ZipFile, entries: dict[str, Entry]) -> None:
        """Take note of the opened archive."""
        self.entries = entries
        self._file = file
        self._lock = RLock()

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """Yield the unpacked bytes of a member, which zipfile checks against their CRC."""
        with self._lock, self._file.open(entry.at) as member:
            yield from pieces_of(member)  # type: ignore[arg-type]  # it reads as any binary stream does


def is_gzip(name: str) -> bool:
    """Return whether an archive of this name is compressed with gzip."""
    return name.lower().endswith((".tar.gz", ".tgz"))


def members(holder: Holder) -> frozenset[str]:
    """Return the names of what an archive holds; of one that is not there or damaged, nothing: its members tell."""
    try:
        found = _archive(holder, identity(holder))
    except RecordingError:
        return frozenset()
    return frozenset() if isinstance(found, RecordingError) else frozenset(found.entries)


def _archive(holder: Holder, known_by: tuple[int, ...]) -> Archive | RecordingError:
    with _lock:  # so that an archive is not gone through by several threads at once
        return _first_look(holder, known_by)


_lock = RLock()


@lru_cache(maxsize=_MOST_ARCHIVES)
def _first_look(holder: Holder, known_by: tuple[int, ...]) -> Archive | RecordingError:
    try:
        return _read_zip(holder) if holder.name.lower().endswith(".zip") else _read_tar(holder)
    except RecordingError as error:
        return error
    except _BROKEN as error:
        return _damaged(holder.name, error)


def _read_zip(holder: Holder) -> Zip:
    file = open_holder(holder)
    try:
        archive = zipfile.ZipFile(file)
    except BaseException:
        file.close()
        raise
    entries: dict[str, Entry] = {}
    for info in archive.infolist():
        _add(entries, info.filename, Entry(info, info.file_size, _zip_problem(info)))
    return Zip(archive, entries)


def _zip_problem(info: zipfile.ZipInfo) -> str:
    if info.is_dir():
        return "it is a folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link"
    if info.flag_bits & 0x1:
        return "it is encrypted; unpack the archive"
    return "" if info.compress_type in _PACKED_AS else "it is packed in a way that is not read here; unpack the archive"


def _read_tar(holder: Holder) -> Tar:
    points = GzipPoints() if is_gzip(holder.name) else None
    with open_holder(holder) as file:
        content = FirstPass(file, points) if points else file
        entries = _index(_Headers(content))
        if isinstance(content, FirstPass):
            content.finish()
    return Tar(holder, entries, points)


def _index(content: "_Headers") -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    at = -1
    with tarfile.open(fileobj=content, mode="r:") as archive:  # type: ignore[call-overload]  # it reads as one
        while (info := archive.next()) is not None:
            if info.offset <= at or info.size < 0:  # tarfile itself would go round in circles
                raise tarfile.ReadError("its members point backwards")
            at = info.offset
            _add(entries, info.name, Entry(info.offset_data, info.size, _tar_problem(info)))
            archive.members.clear()  # a kilobyte each
    return entries


def _tar_problem(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "it is a link"
    return "" if info.isreg() and not info.issparse() else "it is not an ordinary file"


def _add(entries: dict[str, Entry], name: str, entry: Entry) -> None:
    name = name.removeprefix("./")
    twice = "the archive holds two members of this name, and nothing says which is right"
    entries[name] = Entry(entry.at, entry.size, twice) if name in entries else entry


class _Headers:
    """What tarfile reads of an archive to find its members: nothing but headers, which are small."""

    def __init__(self, content: BinaryIO | FirstPass) -> None:
        self._content = content

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise tarfile.ReadError("it has a header of an impossible size")
        return self._content.read(size)

    def seek(self, offset: int) -> int:
        return self._content.seek(offset)

    def tell(self) -> int:
        return self._content.tell()


def _damaged(name: str, error: Exception) -> RecordingError:
    said = str(error) if isinstance(error, tarfile.TarError | zipfile.BadZipFile | EOFError | ValueError) else ""
    return RecordingError("undecodable_audio", f"{name} cannot be unpacked: {said or type(error).__name__}")


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size
