"""Short speech-like clips for the miniatures: one of its own for every key, the same at every call.

A clip is a few tones in the paces of syllables: it has an active level, means nothing and resembles nobody. The key
(speaker and text, for example) decides its tones, so that no two files of a miniature hold the same audio.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ = 16_000
SECONDS = 0.5
SPHERE_HEADER_BYTES = 1024

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
}
"""soundfile's format and subtype by kind; ``sphere`` is written here."""


def clip(*key: str, seconds: float = SECONDS, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    """Return the clip of ``key``: shape (n,), peak below 0.4, full scale 1.0."""
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * (150 + 10 * byte) * time_s + byte) for byte in digest[:4])
    pace_hz = 3 + digest[4] / 64
    envelope = 0.15 + 0.85 * np.sin(np.pi * pace_hz * time_s + digest[5]) ** 2
    return np.asarray(0.09 * envelope * tones, dtype=np.float64)


def clip_bytes(*key: str, kind: str = "wav", seconds: float = SECONDS, rate_hz: int = RATE_HZ) -> bytes:
    """Return the clip of ``key`` as a file: ``kind`` is wav, flac, mp3, ogg or sphere."""
    samples = clip(*key, seconds=seconds, rate_hz=rate_hz)
    if kind == "sphere":
        return _sphere(samples, rate_hz)
    container, subtype = FORMATS[kind]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate_hz, format=container, subtype=subtype)
    return buffer.getvalue()


def write_clip(
    path: Path, *key: str, kind: str | None = None, seconds: float = SECONDS, rate_hz: int = RATE_HZ
) -> Path:
    """Write the clip of ``key`` (nothing: the path's name) to ``path``, making its folders; None: kind by suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = kind or path.suffix.removeprefix(".").lower()
    path.write_bytes(clip_bytes(*(key or (path.name,)), kind=chosen, seconds=seconds, rate_hz=rate_hz))
    return path


def write_text(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Write ``text`` as it is, making the folders of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def _sphere(samples: NDArray[np.float64], rate_hz: int) -> bytes:
    # the NIST SPHERE header: the magic line, its own length, typed fields, and spaces up to that length
    fields = (
        "NIST_1A\n"
        f"{SPHERE_HEADER_BYTES:>7}\n"
        "channel_count -i 1\n"
        f"sample_count -i {len(samples)}\n"
        f"sample_rate -i {rate_hz}\n"
        "sample_n_bytes -i 2\n"
        "sample_byte_format -s2 01\n"
        "sample_sig_bits -i 16\n"
        "sample_coding -s3 pcm\n"
        "end_head\n"
    )
    return fields.ljust(SPHERE_HEADER_BYTES).encode("ascii") + (samples * 32767).astype("<i2").tobytes()
