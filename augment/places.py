"""Where a recording is: a file of its own, something that opens as one, or a span of either.

Places are small values that another process can be sent; nothing is opened before ``open`` is called.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class Stored(Protocol):
    """A recording that is no file of its own, such as a member of an archive."""

    @property
    def name(self) -> str:
        """What messages call it; it tells no folder of this machine."""

    def open(self) -> BinaryIO:
        """Return its bytes as a stream that can be sought, complete and checked as far as its holder allows.

        Raises:
            RecordingError: if they are not there or not whole.
        """


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a recording, from ``start_s`` up to ``end_s``; seconds from its beginning."""

    of: Path | Stored
    start_s: float
    end_s: float

    @property
    def name(self) -> str:
        """The recording's name and the seconds."""
        return f"{self.of.name} ({self.start_s:g} s to {self.end_s:g} s)"


Place = Path | Stored | Span
