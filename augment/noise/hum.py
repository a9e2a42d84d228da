"""Mains hum: a chord of all multiples of the mains frequency, from chargers, transformers and ground loops."""

from typing import Annotated, Literal, Self

import numpy as np
import scipy.fft
from pydantic import Field, model_validator

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.noise.source import Computed, Draws
from augment.noise.spectra import TURNS
from augment.noise.track import TRACK_SAMPLES, periods
from augment.plan import uniform
from augment.step import StepSettings


class HumSettings(StepSettings):
    """``f0_hz`` is 50 in Africa, Asia, Europe and Oceania, 60 in most of the Americas."""

    kind: Literal["hum"] = "hum"
    f0_hz: Annotated[float, Field(ge=16, le=400)] = 50.0
    """Held to a thirtieth of a hertz, so that a cycle closes."""
    harmonics: Annotated[int, Field(ge=1, le=400)] = 20
    """Number of partials, the fundamental included; partial k has 1/k of its amplitude."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if periods(self.f0_hz) * self.harmonics >= TRACK_SAMPLES // 2:
            raise ValueError(f"partial {self.harmonics} of {self.f0_hz:g} Hz is not below {SAMPLE_RATE_HZ // 2} Hz")
        return self


def hum(settings: HumSettings, family: str) -> Computed:
    """Return the source of hum: slots differ in the phases of the partials."""
    return Computed(family, settings, lambda draws: _hum(settings, draws))


def _hum(settings: HumSettings, draws: Draws) -> Samples:
    partials = np.arange(1, settings.harmonics + 1)
    turns = uniform(draws("phases"), settings.harmonics)
    spectrum = np.zeros(TURNS, dtype=np.complex128)
    spectrum[partials * periods(settings.f0_hz)] = np.exp(2j * np.pi * turns) / partials
    cycle: Samples = scipy.fft.irfft(spectrum, TRACK_SAMPLES) * (TRACK_SAMPLES / 2)
    return cycle
