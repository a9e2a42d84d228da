"""The step that changes the level by a fixed number of decibels, for everyone alike."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from augment.level import Samples
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings


class GainSettings(StepSettings):
    """``gain_db``: 0 changes nothing."""

    gain_db: Annotated[float, Field(ge=-60, le=40)]


class Gain(Plain):
    """Multiply by a constant. What goes beyond full scale is counted where the chain ends."""

    Settings: ClassVar[type[BaseModel]] = GainSettings
    stage = Stage.GAIN
    law = Law.LINEAR

    def __init__(self, settings: GainSettings) -> None:
        self._gain_db = settings.gain_db

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the scaled samples."""
        return Effect(samples * 10.0 ** (self._gain_db / 20.0) if self._gain_db else samples)
