"""The AMR-WB encoder of the system library vo-amrwbenc (Apache-2.0), through ctypes."""

import ctypes
import sys
from functools import lru_cache
from typing import Final

import numpy as np

from augment.codecs.coder import Pcm

_FILES: Final = {"darwin": "libvo-amrwbenc.0.dylib", "win32": "libvo-amrwbenc-0.dll"}
_FILE: Final = _FILES.get(sys.platform, "libvo-amrwbenc.so.0")
_FRAME: Final = 320
_LONGEST_FRAME: Final = 61
"""Bytes of the highest mode, 23.85 kbit/s."""


def missing() -> str | None:
    """Return why the library cannot be used and how to install it, or None if it can."""
    try:
        _library()
    except OSError as error:
        return (
            f"the system library {_FILE} cannot be loaded ({error}): install libvo-amrwbenc0 (Debian, Ubuntu: "
            "apt-get install libvo-amrwbenc0) or vo-amrwbenc (Fedora, Arch, Homebrew)"
        )
    return None


def encode(pcm: Pcm, mode: int) -> list[bytes]:
    """Return one frame, its type byte first, for each 20 ms of ``pcm``.

    Args:
        pcm: a whole number of frames at 16 kHz.
        mode: 0 (6.6 kbit/s) to 8 (23.85 kbit/s).
    """
    library = _library()
    samples = np.ascontiguousarray(pcm)
    frame = ctypes.create_string_buffer(_LONGEST_FRAME)
    state = library.E_IF_init()
    try:
        frames = []
        for start in range(0, samples.size, _FRAME):
            size = library.E_IF_encode(state, mode, samples[start:].ctypes.data, frame, 0)
            frames.append(frame.raw[:size])
        return frames
    finally:
        library.E_IF_exit(state)


@lru_cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_FILE)
    library.E_IF_init.argtypes = []
    library.E_IF_init.restype = ctypes.c_void_p
    # state, mode, samples, frame, whether silence is left out
    library.E_IF_encode.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.E_IF_encode.restype = ctypes.c_int
    library.E_IF_exit.argtypes = [ctypes.c_void_p]
    library.E_IF_exit.restype = None
    return library
