"""The step of a coarse converter: uniform quantization with few bits, without dither.

Mid-tread: zero stays zero, and speech below half a step (6 dB lower for each bit more) becomes silence.
"""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, Field

from augment.level import Samples
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings


class QuantizeSettings(StepSettings):
    """``bits``: of each sample, sign included; full scale is 2^bits steps wide."""

    bits: Annotated[int, Field(ge=2, le=16)]


class Quantize(Plain):
    """Round to the nearest of 2^bits values; 16 changes nothing that came from 16-bit samples."""

    Settings: ClassVar[type[BaseModel]] = QuantizeSettings
    stage = Stage.QUANTIZE
    law = Law.NONLINEAR

    def __init__(self, settings: QuantizeSettings) -> None:
        self._half = 2.0 ** (settings.bits - 1)

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the quantized samples; those beyond full scale are held at its ends and counted."""
        steps = np.clip(np.rint(samples * self._half), -self._half, self._half - 1.0)
        return Effect(
            steps / self._half,
            realised={"zero_share": float(np.mean(steps == 0.0))},
            clipped_share=float(np.mean(np.abs(samples) > 1.0)),
        )
