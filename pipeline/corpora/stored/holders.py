"""Files that hold recordings, here or at a URL: how they are opened, and when they are the same as before."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from augment.decoding import RecordingError
from pipeline.corpora.stored.streams import pieces_of, whole
from pipeline.errors import MissingPrerequisite


@dataclass(frozen=True, slots=True)
class Remote:
    """A file at a URL, such as ``https://`` or ``s3://``, read through fsspec."""

    url: str

    @property
    def name(self) -> str:
        """The last part of the URL's path: what stands before or behind it may be secret."""
        return unquote(urlsplit(self.url).path).rstrip("/").rpartition("/")[2] or "the URL"

    def open(self) -> BinaryIO:
        """Return its bytes, fetched whole.

        Raises:
            RecordingError: if it is not there, cannot be fetched or is too large.
            MissingPrerequisite: if what reads such URLs is not installed.
        """
        try:
            with _remote_file(self.url) as stream:
                return whole(pieces_of(stream), self.name)
        except (RecordingError, MissingPrerequisite):
            raise
        except Exception as error:  # each file system has errors of its own, and they share no base
            raise unreachable(self.name, error) from error


Holder = Path | Remote


def open_holder(holder: Holder) -> BinaryIO:
    """Open a holder, of which only parts are read.

    Raises:
        RecordingError: if it is not there or cannot be opened.
        MissingPrerequisite: if what reads such URLs is not installed.
    """
    try:
        return holder.open("rb") if isinstance(holder, Path) else _remote_file(holder.url)
    except MissingPrerequisite:
        raise
    except FileNotFoundError as error:
        raise RecordingError("missing_audio", f"{holder.name} is not there") from error
    except Exception as error:  # as in Remote.open
        raise unreachable(holder.name, error) from error


def identity(holder: Holder) -> tuple[int, ...]:
    """Return what changes when a local file does; a remote one is taken to stay as it is while this process runs.

    Raises:
        RecordingError: if it is not there, or no ordinary file.
    """
    if isinstance(holder, Remote):
        return ()
    try:
        if holder.is_file():
            found = holder.stat()
            return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        pass
    raise RecordingError("missing_audio", f"{holder.name} is not there")


def unreachable(name: str, error: Exception) -> RecordingError:
    """Return the refusal of a file that cannot be read where it is; what is said of it may hold secrets of the URL."""
    if isinstance(error, FileNotFoundError):
        return RecordingError("missing_audio", f"{name} is not there")
    return RecordingError("missing_audio", f"{name} cannot be read: {type(error).__name__}")


def _remote_file(url: str) -> BinaryIO:
    # never fsspec.open: that would take "::" in a URL for a chain of file systems
    file_system = _file_system(url.partition("://")[0].lower())
    opened: BinaryIO = file_system.open(file_system._strip_protocol(url), "rb")
    return opened


@lru_cache(maxsize=16)
def _file_system(protocol: str) -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise MissingPrerequisite(
            "Audio at a URL needs fsspec, which is not installed. Install the remote extra "
            '(pip install -e ".[remote]"), or copy the audio to this machine.'
        ) from error
    try:
        return fsspec.filesystem(protocol)
    except ImportError as error:
        raise MissingPrerequisite(
            f"Audio at {protocol}:// needs a package that is not installed: {error}. Install the remote extra "
            '(pip install -e ".[remote]") for https://, s3fs for s3://, gcsfs for gs://.'
        ) from error
