"""A noise track is 30 s that repeats: how a segment is planned and cut from it."""

from typing import Final

import numpy as np

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.plan import generator, integers
from augment.resources import TRACK_S, Track

TRACK_SAMPLES: Final = TRACK_S * SAMPLE_RATE_HZ

_FADE_SAMPLES: Final = SAMPLE_RATE_HZ // 20  # 50 ms
_CYCLE_SAMPLES: Final = TRACK_SAMPLES - _FADE_SAMPLES


def planned_offset(seed: int, family: str, *, slot: int) -> int:
    """Return where a slot's segment starts, in samples: the first half, so that clips up to 15 s meet no join."""
    return integers(generator(seed, family, slot, "offset"), [TRACK_SAMPLES // 2])[0]


def joins(offset: int, length: int) -> int:
    """Return how often a segment passes the end of the track and goes on at its start."""
    return max(0, offset + length - 1) // _CYCLE_SAMPLES


def cut(track: Track, offset: int, *, length: int) -> Samples:
    """Return ``length`` samples from ``offset`` on; the end runs into the start by a 50 ms equal-power cross-fade.

    A shorter segment from the same offset is always the beginning of a longer one.
    """
    once = track[offset : min(offset + length, _CYCLE_SAMPLES)].astype(np.float64)
    if once.size == length:
        return once
    angle = np.linspace(0.0, np.pi / 2.0, _FADE_SAMPLES)
    cycle = track[:_CYCLE_SAMPLES].astype(np.float64)
    cycle[:_FADE_SAMPLES] = cycle[:_FADE_SAMPLES] * np.sin(angle) + track[_CYCLE_SAMPLES:] * np.cos(angle)
    repeats = -(-(length - once.size) // _CYCLE_SAMPLES)
    return np.concatenate([once, *([cycle] * repeats)])[:length]
