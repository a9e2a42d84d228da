"""Signals of different lengths side by side: one row each, padded with zeros."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from augment.level import Samples


class Layout:
    """How long each row is; the padding behind it belongs to nobody and is always zero."""

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        """Take note of the lengths, one or more, none of them 0."""
        self.lengths = tuple(lengths)
        self.device = device

    @property
    def longest(self) -> int:
        """Length of every row with its padding."""
        return max(self.lengths)

    @cached_property
    def halved(self) -> "Layout":
        """The same signals at half the rate, their lengths rounded up."""
        return Layout([-(-length // 2) for length in self.lengths], self.device)

    @cached_property
    def padding(self) -> Tensor | None:
        """Rows x longest: where there is no signal; None where all are equally long."""
        if min(self.lengths) == self.longest:
            return None
        places = torch.arange(self.longest, device=self.device)
        return places >= torch.tensor(self.lengths, device=self.device)[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Several signals, full scale 1.0."""

    samples: Tensor
    """Rows x longest, float64."""
    layout: Layout

    @classmethod
    def of(cls, signals: Sequence[Samples], device: torch.device) -> "Rows":
        """Return ``signals`` side by side on a device."""
        layout = Layout([signal.size for signal in signals], device)
        padded = np.zeros((len(signals), layout.longest))
        for row, signal in zip(padded, signals, strict=True):
            row[: signal.size] = signal
        return cls(torch.from_numpy(padded).to(device), layout)

    def with_samples(self, samples: Tensor, layout: Layout | None = None) -> "Rows":
        """Return other samples of the same (or another) layout; whatever they hold in the padding is cleared."""
        layout = layout or self.layout
        samples = samples[:, : layout.longest]
        if layout.padding is not None:
            samples = samples.masked_fill(layout.padding, 0.0)
        return Rows(samples, layout)

    def scaled(self, gains: Sequence[float]) -> "Rows":
        """Return each row times its gain."""
        return Rows(self.samples * self.column(gains), self.layout)

    def chosen(self, rows: Sequence[int]) -> "Rows":
        """Return some of the rows."""
        if len(rows) == len(self.layout.lengths):
            return self
        layout = Layout([self.layout.lengths[row] for row in rows], self.layout.device)
        return Rows(self.samples[list(rows), : layout.longest], layout)

    def column(self, values: Sequence[float]) -> Tensor:
        """Return one number a row, to be combined with the samples."""
        return torch.tensor(values, dtype=torch.float64, device=self.layout.device)[:, None]

    def shares(self, chosen: Tensor) -> list[float]:
        """Return of each signal the share of its samples that are ``chosen``; none may be in the padding."""
        counts = chosen.sum(dim=1).tolist()
        return [count / length for count, length in zip(counts, self.layout.lengths, strict=True)]

    def pcm(self) -> Tensor:
        """Return the samples as 16-bit integers, as ``pcm.to_int16`` does: half to even, held at full scale."""
        steps = (self.samples * 32768.0).round().clamp(-32768.0, 32767.0)
        return steps.nan_to_num(0.0).to(torch.int16)

    def peaks(self) -> list[float]:
        """Return the largest magnitude of each row."""
        peaks: list[float] = self.samples.abs().amax(dim=1).tolist()
        return peaks
