"""Renderings kept as files, one FLAC and one JSON each: to listen to, and not to be rendered twice.

What is read back is what was rendered, bit by bit: its hash says so. Anything else counts as not there.
"""

import hashlib
import io
import json
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import soundfile

from augment import SAMPLE_RATE_HZ
from augment.rendering import Realised, Rendering


class FlacCache:
    """Renderings in ``folder``; several processes may share it."""

    def __init__(self, folder: Path, staging: Path | None = None) -> None:
        """Take note of the folders.

        Args:
            folder: of the cache; it is made when something is written to it.
            staging: on the same disk, for files that are not yet whole; None: beside where they will be.
        """
        self._folder = folder
        self._staging = staging

    def get(self, name: str) -> Rendering | None:
        """Return a rendering that ``put`` kept, or None if it is not there, damaged, or of another version."""
        flac, told = self._paths(name)
        try:
            realised = Realised(**json.loads(told.read_text(encoding="utf-8")))
            samples, _ = soundfile.read(flac, dtype="int16")
        except (OSError, ValueError, TypeError, soundfile.SoundFileError):
            return None
        if hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() != realised.audio_sha256:
            return None
        return Rendering(samples, realised)

    def put(self, name: str, rendering: Rendering) -> None:
        """Keep a rendering; a reader, or a crash, sees all of a file or nothing.

        Raises:
            OSError: if it cannot be written.
        """
        flac, told = self._paths(name)
        audio = io.BytesIO()
        soundfile.write(audio, rendering.samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
        self._write(flac, audio.getvalue())
        self._write(told, json.dumps(asdict(rendering.realised), indent=1).encode())

    def _paths(self, name: str) -> tuple[Path, Path]:
        folder = self._folder / name[:2]
        return folder / f"{name}.flac", folder / f"{name}.json"

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = (self._staging or path.parent) / f".{uuid4().hex}"
        try:
            partial.write_bytes(data)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
