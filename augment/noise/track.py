"""A noise track is one cycle of 30 s that repeats without a seam, and the energy of each of its milliseconds.

The energies are summed up once, when a track is made; after that the level of any segment, under any
weighting, costs the same whatever its length.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import WEIGHTINGS, Samples, Weighting, checked, weight, weighting_gain
from augment.plan import generator, integers

TRACK_S: Final = 30
TRACK_SAMPLES: Final = TRACK_S * SAMPLE_RATE_HZ

FADE_SAMPLES: Final = SAMPLE_RATE_HZ // 20
"""50 ms: where an end runs into a beginning."""

_BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ // 1000
_EDGE_SAMPLES: Final = 1024
_SHORT_SAMPLES: Final = SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class NoiseTrack:
    """One cycle at 16 kHz and its energies; both may be mapped from a file."""

    samples: NDArray[np.float32]
    """480,000 of them."""
    energies: NDArray[np.float64]
    """4 x 30,001: for each of ``WEIGHTINGS`` the sum of squares of all samples before each millisecond."""


def noise_track(samples: Samples) -> NoiseTrack:
    """Return the track of one cycle of exactly 30 s; it is weighted as a circle, so that its join is like any place.

    Raises:
        ConditionError: if it is not one cycle of finite numbers.
    """
    cycle = checked(samples).astype(np.float32)
    if cycle.shape != (TRACK_SAMPLES,):
        raise ConditionError(f"a noise track has {TRACK_SAMPLES} samples, not {cycle.size}")
    spectrum = scipy.fft.rfft(cycle.astype(np.float64))
    frequency_hz = scipy.fft.rfftfreq(TRACK_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    energies = np.zeros((len(WEIGHTINGS), TRACK_SAMPLES // _BLOCK_SAMPLES + 1))
    for sums, weighting in zip(energies, WEIGHTINGS, strict=True):
        weighted = scipy.fft.irfft(spectrum * weighting_gain(frequency_hz, weighting), TRACK_SAMPLES)
        np.cumsum(np.sum(np.square(weighted.reshape(-1, _BLOCK_SAMPLES)), axis=1), out=sums[1:])
    cycle.setflags(write=False)
    energies.setflags(write=False)
    return NoiseTrack(cycle, energies)


def closed(samples: Samples) -> Samples:
    """Return one cycle of a longer recording: what follows the cycle fades out over its beginning (equal power).

    Raises:
        ConditionError: if the samples do not last 30.05 s.
    """
    if samples.size < TRACK_SAMPLES + FADE_SAMPLES:
        raise ConditionError(f"a cycle of {TRACK_S} s needs {TRACK_SAMPLES + FADE_SAMPLES} samples, not {samples.size}")
    return _joined(samples[: TRACK_SAMPLES + FADE_SAMPLES])


def looped(samples: Samples) -> Samples:
    """Return a recording of more than 50 ms again and again, long enough for ``closed``; its end fades as there."""
    once = _joined(samples)
    times = -(-(TRACK_SAMPLES + FADE_SAMPLES) // once.size)
    return np.tile(once, times)


def periods(frequency_hz: float) -> int:
    """Return how many periods of a tone a cycle holds: a whole number, which holds it to a thirtieth of a hertz."""
    return round(frequency_hz * TRACK_S)


def planned_offset(seed: int, family: str, *, slot: int) -> int:
    """Return where in the cycle a slot's segments start, in samples: anywhere, at a whole millisecond."""
    block = integers(generator(seed, family, slot, "offset"), [TRACK_SAMPLES // _BLOCK_SAMPLES])[0]
    return block * _BLOCK_SAMPLES


def cut(track: NoiseTrack, offset: int, *, length: int) -> Samples:
    """Return ``length`` samples from ``offset`` on; behind the end of the cycle comes its beginning, and so on."""
    segment = np.empty(length)
    done, position = 0, offset % TRACK_SAMPLES
    while done < length:
        piece = track.samples[position : position + length - done]
        segment[done : done + piece.size] = piece
        done, position = done + piece.size, 0
    return segment


def segment_powers(track: NoiseTrack, offset: int, *, length: int) -> dict[Weighting, float]:
    """Return the mean square of what ``cut`` returns, under each weighting, as if it were weighted on its own.

    From 1 s on the sums tell the most of it. The 64 ms at both ends are weighted there and then: a noise with much
    rumble begins and ends with a click, which is no part of the track.
    """
    if length < _SHORT_SAMPLES:
        segment = cut(track, offset, length=length)
        return {w: float(np.mean(np.square(weight(segment, SAMPLE_RATE_HZ, w)))) for w in WEIGHTINGS}
    start = offset % TRACK_SAMPLES
    head, tail = _EDGE_SAMPLES + -start % _BLOCK_SAMPLES, _EDGE_SAMPLES + (start + length) % _BLOCK_SAMPLES
    middle = _energies_before(track, start + length - tail) - _energies_before(track, start + head)
    first = cut(track, start, length=2 * _EDGE_SAMPLES)
    last = cut(track, start + length - 2 * _EDGE_SAMPLES, length=2 * _EDGE_SAMPLES)
    energies = middle + _edge_energies(first, head) + _edge_energies(last[::-1], tail)
    return {w: max(0.0, float(energy)) / length for w, energy in zip(WEIGHTINGS, energies, strict=True)}


def track_powers(track: NoiseTrack) -> dict[Weighting, float]:
    """Return the mean square of the whole cycle under each weighting."""
    return {w: float(energy) / TRACK_SAMPLES for w, energy in zip(WEIGHTINGS, track.energies[:, -1], strict=True)}


def _energies_before(track: NoiseTrack, position: int) -> Samples:
    cycles, left = divmod(position, TRACK_SAMPLES)
    return np.asarray(cycles * track.energies[:, -1] + track.energies[:, left // _BLOCK_SAMPLES])


def _edge_energies(samples: Samples, counted: int) -> Samples:
    """Return the sum of squares of the first ``counted`` samples under each weighting, silence being before them."""
    window, gains = _edge()
    spectrum = scipy.fft.rfft(samples * window, 4 * _EDGE_SAMPLES)
    weighted = scipy.fft.irfft(spectrum * gains, 4 * _EDGE_SAMPLES)[:, :counted]
    return np.asarray(np.einsum("ws,ws->w", weighted, weighted))


@cache
def _edge() -> tuple[Samples, Samples]:
    """Return a window that fades out behind what counts, and the gain of each weighting at each frequency."""
    fade = np.cos(np.linspace(0.0, np.pi / 2.0, _EDGE_SAMPLES - _BLOCK_SAMPLES))
    window = np.concatenate([np.ones(_EDGE_SAMPLES + _BLOCK_SAMPLES), fade])
    frequency_hz = scipy.fft.rfftfreq(4 * _EDGE_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    return window, np.stack([weighting_gain(frequency_hz, w) for w in WEIGHTINGS])


def _joined(samples: Samples) -> Samples:
    """Return the samples without their last 50 ms, which fade out over the first 50 ms while those fade in."""
    angle = np.linspace(0.0, np.pi / 2.0, FADE_SAMPLES)
    cycle = samples[:-FADE_SAMPLES].copy()
    cycle[:FADE_SAMPLES] = cycle[:FADE_SAMPLES] * np.sin(angle) + samples[-FADE_SAMPLES:] * np.cos(angle)
    return cycle
