"""The step that takes speech to a lower sampling rate and back, and the resampler that codecs share."""

from typing import Annotated, ClassVar, Final

import numpy as np
import soxr
from pydantic import BaseModel, Field

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings

# to 8 kHz it passes 3600 Hz, -140 dB from 4100 Hz on: lesser resamplers leak aliased fricatives
_QUALITY: Final = "VHQ"


class ResampleSettings(StepSettings):
    """``rate_hz``: the rate in between; nothing above half of it survives."""

    rate_hz: Annotated[int, Field(ge=4000, le=SAMPLE_RATE_HZ)]


class Resample(Plain):
    """16 kHz to a lower rate and back to 16 kHz, without delay; 16000 changes nothing."""

    Settings: ClassVar[type[BaseModel]] = ResampleSettings
    stage = Stage.RESAMPLE
    law = Law.LINEAR

    def __init__(self, settings: ResampleSettings) -> None:
        self._rate_hz = settings.rate_hz

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the band-limited samples."""
        if self._rate_hz == SAMPLE_RATE_HZ:
            return Effect(samples)
        narrow = resampled(samples, SAMPLE_RATE_HZ, self._rate_hz)
        return Effect(fitted(resampled(narrow, self._rate_hz, SAMPLE_RATE_HZ), samples.size))


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return one channel at another rate, without delay; the length is rounded to whole samples."""
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality=_QUALITY), dtype=np.float64)


def fitted(samples: Samples, length: int) -> Samples:
    """Return exactly ``length`` samples: an odd length comes back from a resampler one sample longer or shorter."""
    return np.pad(samples, (0, max(0, length - samples.size)))[:length]
