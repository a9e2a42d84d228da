"""The step that passes a band of frequencies: high-pass, low-pass or both, without delay.

A linear-phase FIR filter, a sinc under a Kaiser window. At a corner it passes half the amplitude
(-6 dB); the transition around it is 100 Hz wide, or as wide as the lowest corner where that is less; on one
side of the transition the gain is 0 dB, on the other -80 dB.
"""

from functools import lru_cache
from typing import Annotated, ClassVar, Final, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator
from scipy.signal import firwin, kaiserord, oaconvolve

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings

_TRANSITION_HZ: Final = 100.0
_REJECTION_DB: Final = 80.0
_NYQUIST_HZ: Final = SAMPLE_RATE_HZ / 2

_Corner = Annotated[float, Field(ge=20, le=_NYQUIST_HZ - _TRANSITION_HZ / 2)]


class FilterSettings(StepSettings):
    """The corners, at -6 dB; at least one."""

    high_pass_hz: _Corner | None = None
    """Nothing below passes."""
    low_pass_hz: _Corner | None = None
    """Nothing above passes."""

    @model_validator(mode="after")
    def _passes_a_band(self) -> Self:
        if not self.corners_hz:
            raise ValueError("no corner: give high_pass_hz, low_pass_hz or both")
        if self.high_pass_hz and self.low_pass_hz and self.low_pass_hz - self.high_pass_hz < _TRANSITION_HZ:
            raise ValueError(
                f"low_pass_hz {self.low_pass_hz:g} must lie at least {_TRANSITION_HZ:g} Hz above high_pass_hz "
                f"{self.high_pass_hz:g}, or nothing passes whole"
            )
        return self

    @property
    def corners_hz(self) -> tuple[float, ...]:
        """The corners that are set, rising."""
        return tuple(corner for corner in (self.high_pass_hz, self.low_pass_hz) if corner)


class Filter(Plain):
    """Pass a band of frequencies."""

    Settings: ClassVar[type[BaseModel]] = FilterSettings
    stage = Stage.FILTER
    law = Law.LINEAR

    def __init__(self, settings: FilterSettings) -> None:
        self._corners_hz = settings.corners_hz
        self._passes_low = settings.high_pass_hz is None

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the filtered samples; the filter's delay, half its length, is removed."""
        taps = _taps(self._corners_hz, self._passes_low)
        delay = taps.size // 2
        filtered = oaconvolve(samples, taps)[delay : delay + samples.size]
        return Effect(np.asarray(filtered), delay_removed_s=delay / SAMPLE_RATE_HZ)


@lru_cache
def _taps(corners_hz: tuple[float, ...], passes_low: bool) -> Samples:
    """Return the filter: 805 taps for transitions of 100 Hz (Kaiser's formula), odd so that its delay is whole."""
    width_hz = min(_TRANSITION_HZ, corners_hz[0])
    count, beta = kaiserord(_REJECTION_DB, width_hz / _NYQUIST_HZ)
    taps = np.asarray(
        firwin(count | 1, corners_hz, window=("kaiser", beta), pass_zero=passes_low, fs=SAMPLE_RATE_HZ),
        dtype=np.float64,
    )
    taps.setflags(write=False)
    return taps
