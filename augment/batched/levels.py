"""The active speech level of ITU-T P.56 and the frequency weightings of ``level``, for many signals at once.

Both recursions become doublings: a one-pole filter is the product of 1 + g^(2^i) z^-(2^i) over i, and a running
maximum over 2 w samples is the larger of two over w. That is some dozens of passes over the samples instead of a
loop along them, and it keeps the relative precision of a fading envelope, which a transform would not.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.fft
import torch
from numpy.typing import NDArray
from torch import Tensor

from augment.batched.rows import Rows
from augment.level import (
    HANGOVER_S,
    LEVELING_DB,
    LEVELING_PASSES,
    MARGIN_DB,
    THRESHOLDS,
    TIME_CONSTANT_S,
    ActiveLevel,
    Weighting,
    crossing_db,
    fft_size,
    weighting_gain,
)

_FORGOTTEN = 1e-18
"""A power of the filter's pole below which the past adds nothing to a float64."""


class Measurement:
    """The envelopes of several signals, from which their levels are read at any gain without measuring again."""

    def __init__(self, rows: Rows, sample_rate_hz: int) -> None:
        """Measure; padding counts as never active."""
        self._lengths = rows.layout.lengths
        self._exponents = [_exponent(peak) for peak in rows.peaks()]
        small = rows.scaled([2.0**-exponent for exponent in self._exponents]) if any(self._exponents) else rows
        self._peaks = small.peaks()
        self._energies: list[float] = small.samples.square().sum(dim=1).tolist()
        self._held = rows.with_samples(_held_envelope(small.samples, sample_rate_hz))

    def levels(self, gains: Sequence[float] | None = None) -> list[ActiveLevel | None]:
        """Return the level of each signal, or of each times its gain; None where it has none."""
        gains = gains or [1.0] * len(self._lengths)
        gains = [float(np.ldexp(gain, exponent)) for gain, exponent in zip(gains, self._exponents, strict=True)]
        # beyond full scale the ladder of thresholds moves up, as in ``active_speech_level``
        shifts = [_exponent(peak * gain) for peak, gain in zip(self._peaks, gains, strict=True)]
        gains = [float(np.ldexp(gain, -shift)) for gain, shift in zip(gains, shifts, strict=True)]
        energies = [energy * gain**2 for energy, gain in zip(self._energies, gains, strict=True)]
        counts = self._counts(gains)
        return [_level(*one) for one in zip(energies, self._lengths, counts, shifts, strict=True)]

    def gains_to(self, target_dbov: float) -> list[float | None]:
        """Return the amplitude gain that brings each signal to an active level, as ``gain_to_level`` finds it.

        None where it has no level.
        """
        left_db = [target_dbov - level.level_dbov if level else None for level in self.levels()]
        gains_db = [0.0] * len(left_db)
        moving = [row for row, left in enumerate(left_db) if left is not None]
        for _ in range(LEVELING_PASSES):
            for row in moving:
                gains_db[row] += left_db[row] or 0.0
            levels = self.levels([_amplitude(gain_db) for gain_db in gains_db])
            for row in moving:
                level = levels[row]
                left_db[row] = target_dbov - level.level_dbov if level else None
            moving = [row for row in moving if (left := left_db[row]) is not None and abs(left) >= LEVELING_DB]
        for row in moving:
            gains_db[row] += left_db[row] or 0.0
        return [None if left is None else _amplitude(gain) for gain, left in zip(gains_db, left_db, strict=True)]

    def active(self, levels: Sequence[ActiveLevel | None]) -> Tensor:
        """Return rows x longest: whether each sample is active at its signal's level, as ``active_mask`` has it."""
        thresholds = [_amplitude(level.level_dbov - MARGIN_DB) if level else np.inf for level in levels]
        small = [float(np.ldexp(one, -exponent)) for one, exponent in zip(thresholds, self._exponents, strict=True)]
        return self._held.samples >= self._held.column(small)

    def _counts(self, gains: Sequence[float]) -> NDArray[np.int64]:
        """Return for each signal how many samples are active at each threshold."""
        held = self._held.scaled(gains).samples
        thresholds = torch.as_tensor(THRESHOLDS, device=held.device)
        reached = torch.bucketize(held, thresholds, right=True)
        tally = torch.zeros(len(gains), thresholds.numel() + 1, dtype=torch.int64, device=held.device)
        tally.scatter_add_(1, reached, torch.ones_like(reached))
        counts: NDArray[np.int64] = tally[:, 1:].flip(1).cumsum(1).flip(1).cpu().numpy()
        return counts


def weighted(rows: Rows, sample_rate_hz: int, weighting: Weighting) -> Rows:
    """Return what ``level.weight`` makes of each signal.

    The weighting is sampled at the frequencies of a transform, so its size is part of the result: rows are
    transformed with those of equal size, each as it would be alone.
    """
    if weighting == "none":
        return rows
    sizes = [fft_size(length, sample_rate_hz) for length in rows.layout.lengths]
    filtered = torch.empty_like(rows.samples)
    for size in sorted(set(sizes)):
        members = [row for row, its_size in enumerate(sizes) if its_size == size]
        gains = _gains(size, sample_rate_hz, weighting, rows.samples.device)
        spectra = torch.fft.rfft(rows.samples[members, :size], size) * gains
        kept = torch.fft.irfft(spectra, size)[:, : rows.layout.longest]
        filtered[members, : kept.shape[1]] = kept
    return rows.with_samples(filtered)


def _held_envelope(samples: Tensor, sample_rate_hz: int) -> Tensor:
    g = float(np.exp(-1.0 / (sample_rate_hz * TIME_CONSTANT_S)))
    envelope = samples.abs()
    for _ in range(2):
        envelope = _smoothed(envelope * (1.0 - g), g)
    return _running_maximum(envelope, int(np.floor(HANGOVER_S * sample_rate_hz + 0.5)) + 1)


def _smoothed(samples: Tensor, pole: float) -> Tensor:
    """Return y[n] = x[n] + pole y[n - 1]; ``samples`` are overwritten."""
    lag, spare = 1, torch.empty_like(samples)
    while lag < samples.shape[1] and pole**lag > _FORGOTTEN:
        spare[:, :lag] = samples[:, :lag]
        torch.add(samples[:, lag:], samples[:, :-lag], alpha=pole**lag, out=spare[:, lag:])
        samples, spare, lag = spare, samples, 2 * lag
    return samples


def _running_maximum(samples: Tensor, window: int) -> Tensor:
    """Return the largest of the last ``window`` samples, nothing preceding the first; ``samples`` are overwritten."""
    covered, spare = 1, torch.empty_like(samples)
    while covered < min(window, samples.shape[1]):
        lag = min(covered, window - covered)
        spare[:, :lag] = samples[:, :lag]
        torch.maximum(samples[:, lag:], samples[:, :-lag], out=spare[:, lag:])
        samples, spare, covered = spare, samples, covered + lag
    return samples


@lru_cache(maxsize=24)
def _gains(size: int, sample_rate_hz: int, weighting: Weighting, device: torch.device) -> Tensor:
    gains = weighting_gain(scipy.fft.rfftfreq(size, 1.0 / sample_rate_hz), weighting)
    return torch.from_numpy(gains).to(device)


def _level(energy: float, length: int, counts: NDArray[np.int64], shift: int) -> ActiveLevel | None:
    level_db = crossing_db(energy, counts)
    if level_db is None:
        return None
    rms_db, shift_db = 10.0 * float(np.log10(energy / length)), shift * 20.0 * float(np.log10(2.0))
    activity = min(1.0, 10.0 ** ((rms_db - level_db) / 10.0))
    return ActiveLevel(level_db + shift_db, rms_db + shift_db, activity)


def _exponent(peak: float) -> int:
    """Return the power of two that brings a peak beyond full scale to it; 0 for any other."""
    return int(np.frexp(peak)[1]) if peak > 1.0 else 0


def _amplitude(gain_db: float) -> float:
    return float(10.0 ** (gain_db / 20.0))
