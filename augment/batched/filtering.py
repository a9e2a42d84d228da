"""Linear filters on many signals: the impulse response of a step, and its convolution in blocks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.fft
import torch
from torch import Tensor

from augment.batched.form import NOTHING
from augment.batched.rows import Rows
from augment.level import Samples
from augment.source import Speech
from augment.step import Effect, Plan, Scene, Step

_NEGLIGIBLE: Final = 1e-13
"""Of the largest tap; what lies below is the rounding of the transform that a step filters with."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a linear step does to everything, read off what it does to an impulse."""

    taps: Samples
    before: int
    """How many of the taps lie before the one that is now."""
    effect: Effect
    """What the step says of itself, without samples."""

    @property
    def gain(self) -> float | None:
        """The factor that this response is, or None where it is more than a factor."""
        return float(self.taps[0]) if self.taps.size == 1 and not self.before else None


def impulse_response(step: Step, planned: Plan, scene: Scene, *, reach: int) -> Response:
    """Return the response of a step that is linear, does not change with time and does not look at the speech.

    Args:
        step: whose response.
        planned: its plan.
        scene: what it may look at.
        reach: how far the response is heard, in samples before and after; what lies further does not count.

    Raises:
        ConditionError: if the step cannot be made as planned.
    """
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1.0
    effect = step.apply(impulse, planned, replace(scene, speech=Speech(impulse)))
    size = np.abs(effect.samples)
    heard = np.flatnonzero(size > _NEGLIGIBLE * np.max(size))
    first, last = min([reach, *heard[:1]]), max([reach, *heard[-1:]])
    return Response(effect.samples[first : last + 1].copy(), reach - first, replace(effect, samples=NOTHING))


def convolved(rows: Rows, responses: Sequence[Response], which: Sequence[int]) -> Rows:
    """Return each row filtered with ``responses[which[row]]``: as long as before, and not delayed.

    Overlap-save: blocks that overlap by the response are transformed, and only what no block's edge touches is
    kept.
    """
    kernels, before = _aligned(responses)
    overlap = kernels.shape[1] - 1
    size = _block_size(overlap + 1, rows.layout.longest)
    spectra = torch.fft.rfft(torch.from_numpy(kernels).to(rows.samples.device), size)
    mine = spectra[torch.tensor(which, device=rows.samples.device)][:, None]
    windows = blocks(rows.samples, size=size, step=size - overlap, before=overlap - before)
    filtered = torch.fft.irfft(torch.fft.rfft(windows) * mine, size)[..., overlap:]
    return rows.with_samples(filtered.flatten(1))


def blocks(samples: Tensor, *, size: int, step: int, before: int) -> Tensor:
    """Return rows x blocks x ``size``: windows every ``step`` samples, the first ``before`` samples early.

    There are as many as it takes for the steps to cover the samples; outside of them there is silence.
    """
    longest = samples.shape[1]
    count = -(-longest // step)
    padded = torch.nn.functional.pad(samples, (before, (count - 1) * step + size - before - longest))
    return padded.unfold(1, size, step)


def _aligned(responses: Sequence[Response]) -> tuple[Samples, int]:
    """Return responses x taps, all of them with as many taps before the one that is now, and how many."""
    before = max(response.before for response in responses)
    length = max(before - response.before + response.taps.size for response in responses)
    kernels = np.zeros((len(responses), length))
    for kernel, response in zip(kernels, responses, strict=True):
        first = before - response.before
        kernel[first : first + response.taps.size] = response.taps
    return kernels, before


def _block_size(taps: int, longest: int) -> int:
    """Return the size of transform that costs less: for blocks of eight times the taps, or for everything at once."""
    sizes = [scipy.fft.next_fast_len(size, real=True) for size in (8 * taps, longest + taps - 1)]
    return min(sizes, key=lambda size: -(-longest // (size - taps + 1)) * size * math.log2(size))
