"""A gzip file read at any place: its decompression is remembered at points, from which it goes on.

A gzip stream can only be read from its beginning. One pass keeps copies of the decompressor's state (about 45 kB
each), so that a member of a .tar.gz costs some megabytes of decompression and needs no unpacked copy on any disk.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

_INPUT_BYTES: Final = 1 << 16
_FIRST_SPACING_BYTES: Final = 8 << 20
_MOST_POINTS: Final = 128
_GZIP: Final = 16 + zlib.MAX_WBITS

_BOMB_BYTES: Final = 1 << 30
_BOMB_RATIO: Final = 100
"""Above a GiB, no archive of speech expands a hundredfold (gzip at most a thousandfold)."""


@dataclass(frozen=True, slots=True)
class Point:
    """A state of the decompression: how many bytes went in and came out so far."""

    came_out: int
    went_in: int
    state: Any


class GzipPoints:
    """Where decompression can go on; filled by the first pass, afterwards only read."""

    def __init__(self) -> None:
        """Begin with the beginning."""
        self._points = [Point(0, 0, zlib.decompressobj(_GZIP))]
        self._spacing = _FIRST_SPACING_BYTES

    def add(self, came_out: int, went_in: int, state: Any) -> None:
        """Remember a state if it is far enough from the last one; of too many, every other is forgotten."""
        if came_out - self._points[-1].came_out < self._spacing:
            return
        self._points.append(Point(came_out, went_in, state.copy()))
        if len(self._points) > _MOST_POINTS:
            self._points = self._points[::2]
            self._spacing *= 2

    def pieces(self, file: BinaryIO, offset: int, *, first_pass: bool = False) -> Iterator[bytes]:
        """Yield what lies behind ``offset`` in the decompressed stream, to its end.

        Raises:
            EOFError: if the file is cut short.
            ValueError: if it expands as no archive of speech does.
            zlib.error: if it is damaged.
        """
        at = self._points[bisect_right(self._points, offset, key=lambda point: point.came_out) - 1]
        came_out, went_in, state = at.came_out, at.went_in, at.state.copy()
        file.seek(went_in)
        rest = b""
        while data := rest or file.read(_INPUT_BYTES):
            if state.eof:  # several gzip streams in a row are one; zeros may fill a block
                if not data.strip(b"\0"):
                    rest = b""
                    continue
                state = zlib.decompressobj(_GZIP)
            piece = state.decompress(data, 1 << 20)
            rest = state.unconsumed_tail or state.unused_data
            went_in += len(data) - len(rest)
            came_out += len(piece)
            if came_out > max(_BOMB_BYTES, _BOMB_RATIO * went_in):
                raise ValueError("it expands more than a hundredfold")
            if first_pass and not state.eof and not rest:
                self.add(came_out, went_in, state)
            if piece and came_out > offset:
                yield piece[max(0, len(piece) - (came_out - offset)) :]
        if not state.eof:
            raise EOFError("it is cut short")


class FirstPass:
    """A gzip file's content as tarfile reads an index: forward, with ``seek``, ``tell`` and ``read``."""

    def __init__(self, file: BinaryIO, points: GzipPoints) -> None:
        """Begin at the beginning; ``points`` is filled on the way."""
        self._pieces = points.pieces(file, 0, first_pass=True)
        self._piece = b""
        self._start = 0
        self._at = 0

    def tell(self) -> int:
        """Return the place in the decompressed stream."""
        return self._at

    def seek(self, offset: int) -> int:
        """Go on to ``offset``, which may lie behind the end.

        Raises:
            OSError: if it lies before what is still at hand.
        """
        if offset < self._start:
            raise OSError("a damaged archive points backwards")
        self._at = offset
        return offset

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""
        found = []
        while size > 0 and self._reach():
            part = self._piece[self._at - self._start :][:size]
            found.append(part)
            self._at += len(part)
            size -= len(part)
        return b"".join(found)

    def finish(self) -> None:
        """Read to the end, where gzip says whether all was right."""
        for _ in self._pieces:
            pass

    def _reach(self) -> bool:
        """Take pieces until one holds the place; return whether there is one."""
        while self._at >= self._start + len(self._piece):
            self._start += len(self._piece)
            self._piece = next(self._pieces, b"")
            if not self._piece:
                return False
        return True
