"""The step that sets the active level of the speech again, for example after a room has changed it."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from augment import SAMPLE_RATE_HZ
from augment.level import LEVELING_DB, Samples, gain_to_level
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings


class LevelSettings(StepSettings):
    """``target_dbov``: active speech level (ITU-T P.56, unweighted) of the talker."""

    target_dbov: Annotated[float, Field(ge=-60, le=-10)] = -26.0


class Level(Plain):
    """Bring the talker to an active level; whatever is mixed in is scaled alike. A talker who is there stays there."""

    Settings: ClassVar[type[BaseModel]] = LevelSettings
    stage = Stage.LEVEL
    law = Law.LINEAR
    needs_speech_level = True

    def __init__(self, settings: LevelSettings) -> None:
        self._target_dbov = settings.target_dbov

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the scaled samples.

        Raises:
            NoActiveSpeechError: if the speech has no active level.
        """
        before_dbov = scene.speech.level().level_dbov
        realised = {"level_before_dbov": before_dbov}
        if abs(before_dbov - self._target_dbov) < LEVELING_DB:
            return Effect(samples, realised=realised)
        gain, _ = gain_to_level(scene.speech.samples, SAMPLE_RATE_HZ, target_dbov=self._target_dbov)
        return Effect(samples * gain, realised=realised)
