"""The step that sends speech through a codec and back: resample, quantize once, encode, decode, resample."""

from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from augment import SAMPLE_RATE_HZ
from augment.g711 import Law, round_trip
from augment.level import Samples
from augment.pcm import to_int16
from augment.resources import Resources
from augment.step import Acoustics, Effect, Plan, PlanInput, PlanValue, Stage, StepSettings

_TELEPHONE_RATE_HZ: Final = 8_000
_QUALITY: Final = "VHQ"  # passes 3600 Hz, -140 dB from 4100 Hz on: lesser resamplers leak aliased fricatives


class CodecSettings(StepSettings):
    """``g711``: 64 kbit/s telephony at 8 kHz; law ``a`` in most of the world, ``mu`` in North America and Japan."""

    name: Literal["g711"]
    law: Law = "a"


class Codec:
    """Encode and decode in memory; same length out, no delay left."""

    Settings: ClassVar[type[BaseModel]] = CodecSettings
    stage: ClassVar[Stage] = Stage.CODEC

    def __init__(self, settings: CodecSettings) -> None:
        self._law = settings.law

    def check(self, resources: Resources) -> None:
        """Need nothing: the tables are computed."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Draw nothing."""
        return {}

    def apply(self, samples: Samples, planned: Plan, acoustics: Acoustics, resources: Resources) -> Effect:
        """Return the decoded samples; over-range samples at the encoder's 16-bit input are counted."""
        quantized, clipped_share = to_int16(_resampled(samples, SAMPLE_RATE_HZ, _TELEPHONE_RATE_HZ))
        decoded = round_trip(quantized, self._law).astype(np.float64) / 32768.0
        wide = _resampled(decoded, _TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ)
        return Effect(_fitted(wide, samples.size), clipped_share=clipped_share)


def _resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    import soxr

    resampled: NDArray[np.float64] = soxr.resample(samples, from_hz, to_hz, quality=_QUALITY)
    return resampled


def _fitted(samples: Samples, length: int) -> Samples:
    # an odd length comes back one sample longer or shorter
    return np.pad(samples, (0, max(0, length - samples.size)))[:length]
