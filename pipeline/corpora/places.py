"""What an ``audio`` cell can name, and how it is kept inside the corpus's root.

A file; ``archive.tar::member``, ``.tar.gz`` or ``.zip``; ``file.parquet::column[row]`` (or ``.arrow``) with rows from
0; any of these at a URL; and behind each ``#t=start,end`` in seconds (as W3C Media Fragments has it) for a part of a
longer recording. A file that is called exactly like the cell is meant first.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, unquote

from augment.places import Place, Span, Stored
from pipeline.corpora.audio import AudioError
from pipeline.corpora.stored.archives import Member
from pipeline.corpora.stored.arrow import ArrowCell
from pipeline.corpora.stored.holders import Holder, Remote
from pipeline.corpora.stored.parquet import Cell
from pipeline.corpora.stored.streams import Again
from pipeline.records import Reason

Root = Path | str
"""Where paths start: a resolved folder, or a URL."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SPAN: Final = re.compile(
    r"(?P<of>.+)#t=(?P<start>[0-9]{1,7}(?:\.[0-9]{1,9})?),(?P<end>[0-9]{1,7}(?:\.[0-9]{1,9})?)", re.S
)
_MEMBER: Final = re.compile(r"(?P<file>.+?\.(?:tar|tar\.gz|tgz|zip))::(?P<member>.+)", re.S | re.I)
_CELL: Final = re.compile(r"(?P<file>.+?\.(?:parquet|arrow))::(?P<column>.+)\[(?P<row>[0-9]{1,12})\]", re.S | re.I)
_OTHER_ARCHIVE: Final = re.compile(r".+?\.(?:tar\.(?:bz2|xz|zst)|tbz2?|txz|7z|rar)::", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a recording is, and the cell that says so from the root in one way."""

    cell: str
    place: Place


def locate(given: str, root: Root, *, allow_outside_root: bool) -> Located:
    """Return where ``given`` is; nothing but links is looked at.

    Raises:
        AudioError: if it lies outside the root without leave, or is no place.
    """
    if ("::" in given or "#t=" in given) and isinstance(root, Path) and _is_file(root / given):
        return _located(given, root, allow_outside_root)
    span = _SPAN.fullmatch(given)
    if span is None:
        return _located_whole(given, root, allow_outside_root)
    start_s, end_s = float(span["start"]), float(span["end"])
    if start_s >= end_s:
        raise _missing(given, "its part ends before it begins")
    of = _located_whole(span["of"], root, allow_outside_root)
    held: Path | Stored = of.place if isinstance(of.place, Path) else Again(_stored(of.place))
    return Located(f"{of.cell}#t={span['start']},{span['end']}", Span(held, start_s, end_s))


def is_url(text: str) -> bool:
    """Return whether ``text`` begins as a URL does."""
    return _URL.match(text) is not None


def in_archive(archive: str, member: str) -> str:
    """Return the cell of a member of an archive."""
    return f"{archive}::{member}"


def in_parquet(file: str, column: str, row: int) -> str:
    """Return the cell of a row (from 0) of a Parquet or Arrow file."""
    return f"{file}::{column}[{row}]"


def part_of(audio: str, start_s: float, end_s: float) -> str:
    """Return the cell of a part of a longer recording, to the microsecond."""
    return f"{audio}#t={_seconds(start_s)},{_seconds(end_s)}"


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _located_whole(given: str, root: Root, allow_outside: bool) -> Located:
    if _OTHER_ARCHIVE.match(given):
        raise _missing(given, "such an archive cannot be read at any place: unpack it, or pack it as .tar.gz or .zip")
    if member := _MEMBER.fullmatch(given):
        if _escapes(member["member"]):
            raise _missing(given, "a member of an archive is named from its top, without '..'")
        file, archive = _holder(member["file"], root, allow_outside)
        return Located(in_archive(file, member["member"]), Member(archive, member["member"]))
    if cell := _CELL.fullmatch(given):
        file, parquet = _holder(cell["file"], root, allow_outside)
        row = int(cell["row"])
        kind = ArrowCell if file.lower().endswith(".arrow") else Cell
        return Located(in_parquet(file, cell["column"], row), kind(parquet, cell["column"], row))
    return _located(given, root, allow_outside)


def _located(given: str, root: Root, allow_outside: bool) -> Located:
    cell, holder = _holder(given, root, allow_outside)
    return Located(cell, holder)


def _stored(place: Place) -> Stored:
    if isinstance(place, Path | Span):
        raise TypeError(f"{place.name} is no stored recording")
    return place


def _holder(given: str, root: Root, allow_outside: bool) -> tuple[str, Holder]:
    if is_url(given) or (isinstance(root, str) and not (allow_outside and given.startswith("/"))):
        return _remote(given, root, allow_outside)
    if isinstance(root, Path):
        return _local(given, root, allow_outside)
    _, path = _local(given, Path("/"), allow_outside)
    return str(path), path


def _local(given: str, root: Path, allow_outside: bool) -> tuple[str, Path]:
    try:
        path = (root / given).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null character, a name too long, links in a circle
        raise AudioError(Reason.MISSING_AUDIO, f"'{given}' is not a usable path: {error}") from error
    if not allow_outside and not path.is_relative_to(root):
        raise _outside(given)
    return Path(os.path.relpath(path, root)).as_posix(), path


def _remote(given: str, root: Root, allow_outside: bool) -> tuple[str, Remote]:
    base = root.rstrip("/") + "/" if isinstance(root, str) else ""
    if not is_url(given):
        if given.startswith("/") or _escapes(given):
            raise _outside(given)
        # a name as files have it, and what is special in a web address is not special in a name
        return given, Remote(base + (quote(given) if base.lower().startswith(("http://", "https://")) else given))
    below = base != "" and given.startswith(base) and not _escapes(given[len(base) :])
    if not below and not allow_outside:
        raise _outside(given)
    return given, Remote(given)


def _escapes(relative: str) -> bool:
    """Return whether a path leads upwards or starts elsewhere, also once or twice encoded as in a web address."""
    return any(_climbs(form) for form in (relative, unquote(relative), unquote(unquote(relative))))


def _climbs(relative: str) -> bool:
    parts: Iterable[str] = re.split(r"[/\\]", relative)
    return PurePosixPath(relative).is_absolute() or ".." in parts


def _outside(given: str) -> AudioError:
    outside = f"'{given}' lies outside the audio root: move it there, or set corpus.allow_outside_root=true"
    return AudioError(Reason.MISSING_AUDIO, outside)


def _missing(given: str, why: str) -> AudioError:
    return AudioError(Reason.MISSING_AUDIO, f"'{given}': {why}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
