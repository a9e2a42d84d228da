"""Batched forms of the steps that are linear: gain, level, filter, handset, room."""

import json
from collections.abc import Sequence

import numpy as np

from augment.batched.filtering import Response, convolved, impulse_response
from augment.batched.form import NOTHING, Formed, RowScene
from augment.batched.rows import Rows
from augment.errors import ConditionError
from augment.level import LEVELING_DB
from augment.leveling import Level, LevelSettings
from augment.step import Effect, Plan, Step, StepSettings

_UNKNOWN = Response(np.ones(1), 0, Effect(NOTHING))


class Filtered:
    """A step that does the same to a signal at any time and whoever speaks: its impulse response says it all."""

    def __init__(self, step: Step, settings: StepSettings) -> None:
        self._step = step
        self._key = f"{type(step).__name__} {settings.model_dump_json()}"

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Convolve each row with its own response; rows with the same plan share one."""
        keys = [json.dumps(dict(plan), sort_keys=True) for plan in planned]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        which = [numbers[key] for key in keys]
        plans = [planned[keys.index(key)] for key in numbers]
        reach = 1 << rows.layout.longest.bit_length()  # few different ones, so that responses are used again
        found = [self._response(plan, scene, reach) for plan in plans]
        responses = [response or _UNKNOWN for response in found]
        gains = [response.gain for response in responses]
        if all(gain == 1.0 for gain in gains):
            filtered = rows
        elif all(gain is not None for gain in gains):
            filtered = rows.scaled([gains[number] or 0.0 for number in which])
        else:
            filtered = convolved(rows, responses, which)
        effects = [response.effect if response else None for response in found]
        return Formed(filtered, [effects[number] for number in which])

    def _response(self, planned: Plan, scene: RowScene, reach: int) -> Response | None:
        key = ("batched", self._key, json.dumps(dict(planned), sort_keys=True), reach)
        try:
            return scene.resources.remember(
                key, lambda: impulse_response(self._step, planned, scene.of(0), reach=reach)
            )
        except ConditionError:
            return None


class Leveled:
    """The batched form of ``level``."""

    def __init__(self, step: Level, settings: LevelSettings) -> None:
        self._target_dbov = settings.target_dbov

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Scale each row by what brings its talker to the level; a talker who is there stays there."""
        before = scene.speech.levels("none")
        wanted = scene.speech.measurement.gains_to(self._target_dbov)
        gains = [
            1.0 if level is None or gain is None or abs(level.level_dbov - self._target_dbov) < LEVELING_DB else gain
            for level, gain in zip(before, wanted, strict=True)
        ]
        effects = [
            Effect(NOTHING, realised={"level_before_dbov": level.level_dbov}) if level and gain else None
            for level, gain in zip(before, wanted, strict=True)
        ]
        return Formed(rows if all(gain == 1.0 for gain in gains) else rows.scaled(gains), effects)
