"""Phonemes to cached speech files: hibari-tts, one voice, scaled into virtual voices.

A clip is kept under the hash of everything that decides its samples, written whole or not at all, and
made again if its file is damaged; a warm cache needs neither the synthesizer's model nor time.
"""

import io
import logging
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from pipeline.artifacts import sha256_of, user_cache, write_atomic
from pipeline.corpora.audio import SAMPLE_RATE_HZ, AudioError, AudioInfo, probe
from pipeline.errors import ManifestError, MissingPrerequisite
from pipeline.progress import track

logger = logging.getLogger(__name__)

ENGINE = "hibari-tts"
ENGINE_RATE_HZ = 24_000
PEAK = 0.5
SYNTHESIS_VERSION = "1"
"""Part of every clip's hash: raise it when any synthesized sample may change."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One synthetic recording. ``phonemes`` holds one string a sentence; ``noise_seed`` fixes the breath noise."""

    text: str
    phonemes: tuple[str, ...]
    scale: float
    speed: float
    noise_seed: int


class Synthesizer:
    """Speech files in ``folder``, made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        """Take note of the folder; it is made when something is written to it."""
        self.folder = folder
        self._engine: Any = None

    def files(self, clips: Sequence[Clip]) -> list[tuple[Path, AudioInfo]]:
        """Return the file of each clip and what it is, in order; what is missing is synthesized.

        Raises:
            MissingPrerequisite: without the synthesizer, or without a folder to write to.
            ManifestError: if the synthesizer makes nothing of a clip.
        """
        engine = engine_version()
        paths = [self.folder / f"{sha256_of(asdict(clip) | _made_by(engine))[:40]}.wav" for clip in clips]
        known = {path: _usable(path) for path in paths}
        missing = {path: clip for path, clip in zip(paths, clips, strict=True) if known[path] is None}
        if missing:
            with track("synthesizing probes", len(missing), logger) as advance:
                for path, clip in missing.items():
                    self._write(path, self.render(clip))
                    known[path] = probe(path)
                    advance()
        return [(path, info) for path in paths if (info := known[path]) is not None]

    def render(self, clip: Clip) -> NDArray[np.int16]:
        """Synthesize a clip: 16 kHz, mono, 16 bit, peak at half of full scale.

        Playing samples of rate r as if their rate were scale * r multiplies every frequency by ``scale``.
        """
        engine = self._loaded()
        unknown = sorted({symbol for part in clip.phonemes for symbol in part} - set(engine.vocab))
        if unknown:  # the engine would leave them out without a word
            raise ManifestError(f"probes: {ENGINE} has no sound for {unknown} in {clip.text!r}. Mend its phonemes.")
        parts = [
            np.asarray(engine.from_phonemes(part, speed=clip.speed, seed=clip.noise_seed + number), np.float32)
            for number, part in enumerate(clip.phonemes)
        ]
        peak = max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0)
        if any(len(part) == 0 for part in parts) or not 0 < peak < np.inf:
            raise ManifestError(f"probes: {ENGINE} made no sound of {clip.phonemes}. Mend these phonemes.")
        samples = soxr.resample(np.concatenate(parts), ENGINE_RATE_HZ * clip.scale, SAMPLE_RATE_HZ, quality="HQ")
        samples = np.asarray(samples, np.float64) * (PEAK / np.abs(samples).max())
        rounded: NDArray[np.int16] = np.rint(samples * 32767).astype(np.int16)
        return rounded

    def _loaded(self) -> Any:
        if self._engine is None:
            try:
                from hibari import Hibari
            except ImportError as error:
                raise _not_installed() from error
            self._engine = Hibari(threads=1)  # one thread: the same samples on any number of processors
        return self._engine

    def _write(self, path: Path, samples: NDArray[np.int16]) -> None:
        try:
            write_atomic(path, wav_bytes(samples))
        except OSError as error:
            raise MissingPrerequisite(
                f"corpus.cache_dir: cannot write synthesized speech to {self.folder}: {error}. "
                "Set corpus.cache_dir to a folder that can be written to."
            ) from error


def wav_bytes(samples: NDArray[np.int16]) -> bytes:
    """Return a WAV file of 16 kHz mono samples; the same bytes for the same samples everywhere."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def engine_version() -> str:
    """Return the installed synthesizer's version.

    Raises:
        MissingPrerequisite: with the command that installs it.
    """
    try:
        return version(ENGINE)
    except PackageNotFoundError:
        raise _not_installed() from None


def default_folder() -> Path:
    """Return where speech is kept when no folder is set: in the user's cache."""
    return user_cache() / "probes"


def _made_by(engine: str) -> dict[str, str]:
    return {"engine": f"{ENGINE} {engine}", "synthesis": SYNTHESIS_VERSION}


def _usable(path: Path) -> AudioInfo | None:
    try:
        return probe(path)
    except AudioError:
        return None


def _not_installed() -> MissingPrerequisite:
    return MissingPrerequisite(
        f"corpus=probes: the synthesizer {ENGINE} is not installed. Install it with "
        'pip install -e ".[quickstart]" (or pip install hibari-tts==0.2.1), or use corpus=manifest.'
    )
