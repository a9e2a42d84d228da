"""Bytes that come in pieces, as a stream that can be sought: in memory, or on disk where they are many."""

import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import BinaryIO, Final, cast

from augment.decoding import RecordingError
from augment.places import Stored

LARGEST_BYTES: Final = 1 << 31
"""A packed or remote recording of more bytes is refused: two GiB are three hours of 48 kHz stereo."""

_IN_MEMORY_BYTES: Final = 1 << 26
_PIECE_BYTES: Final = 1 << 20
_KEPT_BYTES: Final = 1 << 28


def whole(pieces: Iterable[bytes], name: str) -> BinaryIO:
    """Return all pieces as one stream at its beginning.

    Raises:
        RecordingError: if they are more than ``LARGEST_BYTES``.
    """
    stream = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # the caller closes what it is given
    try:
        total = 0
        for piece in pieces:
            total += len(piece)
            if total > LARGEST_BYTES:
                raise too_large(name)
            stream.write(piece)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return cast(BinaryIO, stream)


def pieces_of(stream: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """Yield what a stream holds from here, ``size`` bytes at most."""
    left = size
    while left is None or left > 0:
        piece = stream.read(_PIECE_BYTES if left is None else min(left, _PIECE_BYTES))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def too_large(name: str) -> RecordingError:
    """Return the refusal of a recording that is, or becomes when unpacked, too large to be one."""
    return RecordingError("undecodable_audio", f"{name} is larger than {LARGEST_BYTES} bytes, which no utterance is")


@dataclass(frozen=True, slots=True)
class Again:
    """A stored recording of which many spans are read: its bytes are kept for a while, if they are not too many."""

    of: Stored

    @property
    def name(self) -> str:
        """The recording's own."""
        return self.of.name

    def open(self) -> BinaryIO:
        """Return its bytes.

        Raises:
            RecordingError: as the recording itself does.
        """
        with _lock:
            kept = _kept.get(self.of)
            if kept is not None:
                _kept.move_to_end(self.of)
                return BytesIO(kept)
        stream = self.of.open()
        data = stream.read(_KEPT_BYTES + 1)
        stream.seek(0)
        if len(data) <= _KEPT_BYTES:
            _keep(self.of, data)
        return stream


_kept: OrderedDict[Stored, bytes] = OrderedDict()
_lock = Lock()


def _keep(of: Stored, data: bytes) -> None:
    with _lock:
        _kept[of] = data
        while sum(map(len, _kept.values())) > _KEPT_BYTES:
            with suppress(KeyError):
                _kept.popitem(last=False)
