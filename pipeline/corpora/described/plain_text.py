"""Text files of a corpus, gzipped or not, as text."""

import gzip
import zlib
from pathlib import Path
from typing import Final

from pipeline.errors import ManifestError

GZIP: Final = ".gz"

LONGEST_CHARACTERS: Final = 1 << 31
"""A gzipped table of a few kilobytes can hold more than any memory; no transcript comes near this."""


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text without the mark that spreadsheets put before it; ``.gz`` is unpacked.

    Raises:
        ManifestError: if it is missing, cannot be unpacked, is too large, or is no UTF-8 text.
    """
    try:
        return (unpacked(path) if path.suffix.lower() == GZIP else path.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"corpus.root: {path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    except FileNotFoundError:
        raise ManifestError(f"corpus.root: there is no file {path}. Check corpus.root and the layout.") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ManifestError(f"corpus.root: {path} cannot be read: {error}. Check the file.") from error


def unpacked(path: Path) -> bytes:
    """Return what a gzipped file holds.

    Raises:
        ManifestError: if it is too large.
        OSError, EOFError, zlib.error: if it is no whole gzip file.
    """
    with gzip.open(path) as file:
        data = file.read(LONGEST_CHARACTERS + 1)
    if len(data) > LONGEST_CHARACTERS:
        raise ManifestError(f"corpus.root: {path} unpacks to more than {LONGEST_CHARACTERS >> 30} GiB. Split it.")
    return data
