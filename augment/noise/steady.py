"""Steady noises from a formula or a table: white, pink, brown, and Hoth's room noise."""

from functools import partial
from typing import Final, Literal

from augment.noise.source import Computed
from augment.noise.spectra import TURNS, colored_magnitude, hoth_magnitude, shaped_noise
from augment.plan import uniform
from augment.step import StepSettings

_EXPONENTS: Final = {"white": 0.0, "pink": 1.0, "brown": 2.0}


class ColoredSettings(StepSettings):
    """Power density that falls by 0 (white), 3 (pink) or 6 dB (brown) an octave above 20 Hz, flat below."""

    kind: Literal["white", "pink", "brown"]


class HothSettings(StepSettings):
    """The noise of a quiet room."""

    kind: Literal["hoth"] = "hoth"


def colored(settings: ColoredSettings, family: str) -> Computed:
    """Return the source of white, pink or brown noise."""
    magnitude = partial(colored_magnitude, exponent=_EXPONENTS[settings.kind])
    return Computed(family, settings, lambda draws: shaped_noise(magnitude, uniform(draws("phases"), TURNS)))


def hoth(settings: HothSettings, family: str) -> Computed:
    """Return the source of Hoth room noise."""
    return Computed(family, settings, lambda draws: shaped_noise(hoth_magnitude, uniform(draws("phases"), TURNS)))
