"""What a room is to its step: an impulse response that begins with the direct sound, and what is measured of it."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.resources import Resources
from augment.step import Plan, PlanValue, Promise

_BLOCK: Final = 2.5
"""Least length of a block, in lengths of the response: where convolution in blocks was fastest."""

# ISO 3382-1 evaluates a decay from 5 dB below its beginning over 30 dB or, where noise hides the rest, over 20 dB
_FIT_FROM_DB: Final = -5.0
_FIT_TO_DB: Final = (-35.0, -25.0)
_NOISE_FROM: Final = 0.9
"""The last tenth of a response is taken for the noise of its recording."""
_NOISE_SHARE: Final = 0.2
"""Of the energy where the fit ends, so much may be noise: it makes the decay look a few percent too long."""


@dataclass(frozen=True, slots=True)
class RoomResponse:
    """An impulse response at 16 kHz whose direct sound is at sample 0 with unit gain; make one with ``measured``."""

    samples: Samples
    spectrum: NDArray[np.complex128]
    """Of the samples and as many zeros as make a block of ``applied``."""
    rt60_s: float | None
    """None where no decay, or none of 25 dB above its own noise, follows the direct sound."""
    drr_db: float | None
    """Energy of the direct sound against all that follows; None where nothing follows."""

    def applied(self, samples: Samples) -> Samples:
        """Return ``samples`` as heard in the room: as many, not delayed; themselves where the room adds nothing.

        Convolution in blocks (overlap-save): a block's first samples, as many as the room has memory, belong to
        the block before it and are dropped.
        """
        if self.samples[0] == 1.0 and not np.any(self.samples[1:]):
            return samples
        block, memory = 2 * (self.spectrum.size - 1), self.samples.size - 1
        fresh = block - memory
        count = -(-samples.size // fresh)
        padded = np.zeros(memory + count * fresh)
        padded[memory : memory + samples.size] = samples
        blocks = np.lib.stride_tricks.sliding_window_view(padded, block)[::fresh]
        heard = scipy.fft.irfft(scipy.fft.rfft(blocks) * self.spectrum, block)[:, memory:]
        return np.asarray(heard.reshape(-1)[: samples.size])


class Room(Protocol):
    """Where responses come from. To add a kind, write one file and name it in ``step``."""

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the responses cannot be made or read."""

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return which response belongs to a slot."""

    def response(self, planned: Plan, resources: Resources) -> RoomResponse:
        """Return the planned response."""

    def promises(self, response: RoomResponse) -> tuple[Promise, ...]:
        """Return what was asked of the response, with what it came out as; nothing where it is as it is."""


def measured(samples: Samples, *, direct_samples: int) -> RoomResponse:
    """Measure a response that is aligned and scaled.

    The reverberation time is a straight line through the backward-integrated energy (Schroeder 1965) between -5
    and -35 dB, or between -5 and -25 dB where noise hides more, continued to -60 dB. The direct sound is left
    out of it: at a high direct-to-reverberant ratio it is a step in the curve that says nothing about the room.

    Args:
        samples: one channel at 16 kHz, direct sound at sample 0.
        direct_samples: how many of them are the direct sound.
    """
    samples.setflags(write=False)
    direct = float(np.sum(np.square(samples[:direct_samples])))
    power = np.square(samples[direct_samples:])
    reverberant = float(np.sum(power))
    drr_db = 10.0 * float(np.log10(direct / reverberant)) if reverberant else None
    block = 1 << int(_BLOCK * samples.size).bit_length()
    return RoomResponse(samples, scipy.fft.rfft(samples, block), _rt60_s(power) if reverberant else None, drr_db)


def _rt60_s(power: Samples) -> float | None:
    energy = np.cumsum(power[::-1])[::-1]
    decay_db = 10.0 * np.log10(np.maximum(energy / energy[0], np.finfo(np.float64).tiny))
    noise_from = int(_NOISE_FROM * power.size)
    noise_power = float(np.mean(power[noise_from:]))
    for lowest_db in _FIT_TO_DB:
        within = np.flatnonzero((decay_db <= _FIT_FROM_DB) & (decay_db >= lowest_db))
        if within.size < 2 or within[-1] >= noise_from:
            continue
        if noise_power * (power.size - within[-1]) > _NOISE_SHARE * energy[within[-1]]:
            continue
        return -60.0 / SAMPLE_RATE_HZ / float(np.polyfit(within, decay_db[within], 1)[0])
    return None
