"""The step of an overloaded microphone or amplifier: a hard limit, set against the talker's own level.

A limit in dBov would hit loud talkers and loud corpora only. This one lies a number of decibels above the
active speech level (ITU-T P.56, unweighted), so everyone is cut off alike.
"""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, Field

from augment.level import Samples
from augment.step import Effect, Law, Plain, Plan, Scene, Stage, StepSettings


class ClipSettings(StepSettings):
    """``headroom_db``: the limit above the active level of the speech. 6 cuts off about 5 % of the samples."""

    headroom_db: Annotated[float, Field(ge=-10, le=60)]


class Clip(Plain):
    """Hold samples beyond the limit at the limit; a limit above the peak changes nothing."""

    Settings: ClassVar[type[BaseModel]] = ClipSettings
    stage = Stage.OVERLOAD
    law = Law.NONLINEAR
    needs_speech_level = True

    def __init__(self, settings: ClipSettings) -> None:
        self._headroom_db = settings.headroom_db

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the limited samples, noise included; the limit is the talker's alone.

        Raises:
            NoActiveSpeechError: if the speech has no active level.
        """
        threshold_dbov = scene.speech.level().level_dbov + self._headroom_db
        threshold = 10.0 ** (threshold_dbov / 20.0)
        overload_share = float(np.mean(np.abs(samples) > threshold))
        return Effect(
            np.clip(samples, -threshold, threshold),
            realised={"overload_share": overload_share, "threshold_dbov": threshold_dbov},
        )
