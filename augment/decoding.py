"""A place's samples, block by block, and the hash by which they are known again.

Nothing here mends a recording: what cannot be decoded to its declared end is refused with a reason, and so is what
would take hours or fill the memory, before it does.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from augment.errors import ConditionError
from augment.places import Place, Span

Problem = Literal["missing_audio", "undecodable_audio", "empty_audio", "audio_changed", "too_long"]

LOWEST_RATE_HZ: Final = 2_000
HIGHEST_RATE_HZ: Final = 768_000
"""Rates outside this range are broken headers; resampling from them could fill the memory."""

LONGEST_S: Final = 14_400.0
"""Speech that is longer is not decoded to find out what it is: four hours are no utterance."""

MOST_VALUES: Final = 1 << 30
"""Samples of all channels together (4 GiB when decoded): more is a compressed file that expands without end."""

OVERSHOOT_S: Final = 0.5
"""A span may end so much after the recording and is cut there, as Kaldi's extract-segments does (--max-overshoot)."""

_BLOCK_FRAMES: Final = 1 << 18
_BLOCK_VALUES: Final = 1 << 21

_UNKNOWN_FRAMES: Final = 1 << 62
"""libsndfile's count for a stream without a declared length lies above this."""

_STREAM_BYTES: Final = 0x7FFF_0000
"""A WAV that was piped declares a size at or above this, or none: not a promise that could be broken."""

_DECODED_SHARE: Final = 0.98
"""An MP3's declared length is known to a frame or so; a cut file loses far more than this allows."""

_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be \d+\)", re.MULTILINE)
_SPHERE_COUNT = re.compile(rb"sample_count -i (\d+)")
# soundfile itself raises TypeError and ValueError, for example for a .raw file without a declared format
_UNREADABLE = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)

Block = NDArray[np.float32]


class RecordingError(ConditionError):
    """A recording that cannot be used; ``problem`` says in one word why, the message in a sentence."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(problem, message)  # both, so that the error can be sent between processes
        self.problem = problem

    def __str__(self) -> str:
        """Return the sentence."""
        return str(self.args[1])


class Decoding:
    """An opened recording, decoded once from its beginning to its end."""

    def __init__(self, name: str, source: Path | BinaryIO, span: Span | None, longest_s: float) -> None:
        """Take note of what was opened; see ``opened``."""
        self.name = name
        self._source = source
        self._span = span
        self._longest_s = longest_s
        self._heard = hashlib.sha256()
        self.channels = 1
        self.codec = ""
        """container and coding, such as FLAC/PCM_16; known after the first block"""

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """Yield (rate in Hz, frames x channels) until the end, which is checked to be the declared one.

        Raises:
            RecordingError: if it cannot be decoded to its declared end, holds NaN or infinity, or is too long.
        """
        try:
            with soundfile.SoundFile(self._source) as file:
                self._check_header(file)
                self.channels, self.codec = int(file.channels), f"{file.format}/{file.subtype}"
                yield from self._span_of(file) if self._span else self._whole(file)
        except RecordingError:  # itself a ValueError, as soundfile's own errors are
            raise
        except _UNREADABLE as error:
            problem = str(error)
            if isinstance(self._source, Path):  # a published table tells no folder of this machine
                problem = problem.replace(str(self._source), self._source.name)
            raise self.undecodable(problem.strip().rstrip(".")) from error

    def sha256(self) -> str:
        """Return the hash of a recording's bytes, or of a span's decoded samples once all blocks were taken.

        Hashing the bytes of a long recording once for each of its spans would take longer than all else. What a
        span's samples are, beside their values (float32, little-endian), is part of the hash: rate and channels.
        """
        if self._span:
            return self._heard.hexdigest()
        if isinstance(self._source, Path):
            return file_sha256(self._source)
        self._source.seek(0)
        return hashlib.file_digest(self._source, "sha256").hexdigest()  # type: ignore[arg-type]  # it can readinto

    def undecodable(self, problem: str) -> RecordingError:
        """Return the error that says what is wrong with the recording."""
        return RecordingError("undecodable_audio", f"{self.name} cannot be decoded: {problem}")

    def _check_header(self, file: Any) -> None:
        rate_hz = int(file.samplerate)
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise self.undecodable(f"its sample rate of {rate_hz} Hz cannot be right")
        if not self._span and file.frames < _UNKNOWN_FRAMES:
            self._check_length(int(file.frames), rate_hz, int(file.channels))

    def _check_length(self, frames: int, rate_hz: int, channels: int) -> None:
        if frames > self._longest_s * rate_hz or frames * channels > MOST_VALUES:
            raise RecordingError(
                "too_long",
                f"{self.name} lasts {frames / rate_hz:.0f} s or longer on {channels} channel(s), more than "
                f"{self._longest_s:g} s or {MOST_VALUES} samples, and is not decoded; cut it into utterances",
            )

    def _whole(self, file: Any) -> Iterator[tuple[int, Block]]:
        decoded, rate_hz = 0, int(file.samplerate)
        for block in self._finite(file, None):
            decoded += len(block)
            self._check_length(decoded, rate_hz, file.channels)  # a header may say less than there is, or nothing
            yield rate_hz, block
        self._check_whole(file, decoded)

    def _span_of(self, file: Any) -> Iterator[tuple[int, Block]]:
        span, rate_hz = self._span, int(file.samplerate)
        if span is None:
            return
        start, end = round(span.start_s * rate_hz), round(span.end_s * rate_hz)
        if end > file.frames + OVERSHOOT_S * rate_hz or start >= file.frames:
            raise self.undecodable(f"the recording has only {file.frames / rate_hz:g} s")
        asked = min(end, int(file.frames)) - start
        self._check_length(asked, rate_hz, file.channels)
        file.seek(start)
        self._heard.update(f"{rate_hz} {file.channels}\n".encode())
        decoded = 0
        for block in self._finite(file, asked):
            decoded += len(block)
            self._heard.update(np.ascontiguousarray(block, "<f4").tobytes())
            yield rate_hz, block
        if decoded < asked:
            raise self.undecodable(f"it is cut short: of {asked} samples {decoded} are there")

    def _finite(self, file: Any, frames: int | None) -> Iterator[Block]:
        size = max(1, min(_BLOCK_FRAMES, _BLOCK_VALUES // file.channels))
        left = frames
        while left is None or left > 0:
            block = file.read(size if left is None else min(size, left), dtype="float32", always_2d=True)
            if not len(block):
                return
            if not np.isfinite(block).all():
                raise self.undecodable("it holds NaN or infinity")
            left = None if left is None else left - len(block)
            yield block

    def _check_whole(self, file: Any, decoded: int) -> None:
        frames = int(file.frames)
        declared = frames if frames < _UNKNOWN_FRAMES else 0
        if file.format == "NIST":
            count = _SPHERE_COUNT.search(self._beginning())
            declared = int(count[1]) if count else declared
        if decoded < _DECODED_SHARE * declared:
            raise self.undecodable(f"it is cut short: {declared} samples are declared and {decoded} are there")
        short = _SHORT_CHUNK.search(file.extra_info)
        if short and 0 < int(short[1]) < _STREAM_BYTES:
            raise self.undecodable(f"it is cut short: {short[0].strip()}")

    def _beginning(self) -> bytes:
        if isinstance(self._source, Path):
            with self._source.open("rb") as raw:
                return raw.read(4096)
        self._source.seek(0)
        return self._source.read(4096)


@contextmanager
def opened(place: Place, *, longest_s: float = float("inf")) -> Iterator[Decoding]:
    """Open a recording to decode it.

    Args:
        place: of the recording.
        longest_s: what lasts longer is refused by its header, or as soon as so much was decoded.

    Raises:
        RecordingError: if it is missing.
    """
    span = place if isinstance(place, Span) else None
    whole = place.of if isinstance(place, Span) else place
    if isinstance(whole, Path):
        if not _is_file(whole):
            raise RecordingError("missing_audio", f"{whole.name} is not there")
        yield Decoding(place.name, whole, span, longest_s)
        return
    with whole.open() as stream:
        yield Decoding(place.name, stream, span, longest_s)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces.

    Raises:
        RecordingError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError("missing_audio", f"{path.name} cannot be read: {error.strerror or error}") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False
