"""16 kHz to 8 kHz and back as the soxr library does it at its best quality, for many signals at once.

soxr filters such a ratio with one linear-phase filter, in blocks of one transform: upward it is an ordinary
convolution; downward it drops the upper half of each block's spectrum instead of folding it over, which differs
from a convolution by 3e-10 of full scale. That is nothing by itself, but behind it samples are rounded to 16 bits
and coded, so the blocks are the same here, and so is the filter, which soxr is asked for with an impulse. What
comes out equals soxr's to the rounding of float64, and ``check_soxr`` makes sure of it.

The kernel with which torchaudio approximates the "Kaiser best" resampler does not qualify: it passes 3.8 kHz 4 dB
lower, which is hundreds of 16-bit steps.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from augment import SAMPLE_RATE_HZ
from augment.batched.coverage import HALF_RATE_HZ
from augment.batched.filtering import blocks
from augment.batched.rows import Rows
from augment.errors import ConditionError
from augment.level import Samples
from augment.plan import generator, uniform
from augment.resample import resampled

_REACH: Final = 266
"""Taps on either side of the middle one, at 16 kHz."""
_SIZE: Final = 2048
"""Of the transform of a block at 16 kHz."""
_STEP: Final = _SIZE - 2 * _REACH
_CLOSE: Final = 1e-12
_HALF: Final = _SIZE // 2


def halved(rows: Rows) -> Rows:
    """Return the signals at 8 kHz, their lengths rounded up."""
    windows = blocks(rows.samples, size=_SIZE, step=_STEP, before=_REACH)
    narrow = (torch.fft.rfft(windows) * _spectrum(rows.samples.device))[..., : _HALF // 2 + 1]
    torch.view_as_real(narrow)[..., -1, 1] = 0.0  # the highest bin of a real signal is real
    kept = torch.fft.irfft(narrow, _HALF)[..., _REACH:] / 4.0
    return rows.with_samples(kept.flatten(1), rows.layout.halved)


def doubled(rows: Rows, like: Rows) -> Rows:
    """Return signals of 8 kHz at 16 kHz, each as long as in ``like``, which has at most twice the samples."""
    windows = blocks(rows.samples, size=_HALF, step=_STEP // 2, before=_REACH // 2)
    spectra = torch.fft.rfft(windows)
    # with a zero between each two samples the spectrum repeats itself
    repeated = torch.cat([spectra, spectra[..., : _HALF // 2].flip(-1).conj()], dim=-1)
    wide = torch.fft.irfft(repeated * _spectrum(rows.samples.device), _SIZE)[..., 2 * _REACH :]
    return like.with_samples(wide.flatten(1))


@lru_cache
def _spectrum(device: torch.device) -> Tensor:
    spectrum: Tensor = torch.fft.rfft(torch.from_numpy(_filter()), _SIZE).to(device)
    return spectrum


@lru_cache
def _filter() -> Samples:
    """Return soxr's filter for doubling the rate; for halving it is half as high."""
    impulse = np.zeros(2 * _SIZE)
    impulse[_SIZE] = 1.0
    taps = resampled(impulse, HALF_RATE_HZ, SAMPLE_RATE_HZ)[2 * _SIZE - _REACH : 2 * _SIZE + _REACH + 1]
    return np.ascontiguousarray(taps)


def check_soxr() -> None:
    """Raise a ConditionError if the soxr library of this machine works in another way than described above."""
    noise = uniform(generator(0, "resampling", 0, "check"), 5 * _SIZE + 1) - 0.5
    here = Rows.of([noise], torch.device("cpu"))
    narrow = halved(here)
    pairs = (
        (narrow, resampled(noise, SAMPLE_RATE_HZ, HALF_RATE_HZ)),
        (doubled(narrow, here), resampled(narrow.samples[0].numpy(), HALF_RATE_HZ, SAMPLE_RATE_HZ)),
    )
    off = max(float(np.max(np.abs(ours.samples[0].numpy() - theirs[: ours.layout.longest]))) for ours, theirs in pairs)
    if off > _CLOSE:
        raise ConditionError(
            f"the soxr library of this machine resamples in another way than the batched path knows ({off:.1g} of full "
            "scale apart): set render.device to null"
        )
