"""Reverberation looked at from outside: an independent reading of a response, and the step applied."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from augment.resources import Resources
from augment.rooms import Reverb
from augment.rooms.step import ReverbSettings
from augment.step import Effect, PlanInput

FS = 16_000


@pytest.fixture
def schroeder_rt60_s() -> Callable[[NDArray], float]:
    """Reverberation time of a whole response, direct sound included, as the textbooks have it: -5 to -35 dB."""

    def measure(response: NDArray) -> float:
        left = np.cumsum(response[::-1] ** 2)[::-1]
        left_db = 10 * np.log10(left[left > 0] / left[0])
        first, last = np.argmax(left_db <= -5), np.argmax(left_db <= -35)
        seconds = np.arange(first, last) / FS
        slope = np.cov(seconds, left_db[first:last])[0, 1] / np.var(seconds, ddof=1)
        return -60 / slope

    return measure


@pytest.fixture
def reverb(scene: Callable, resources: Resources) -> Callable[..., Effect]:
    """Apply a room: ``reverb(samples, slot=0, kind="synthetic", ...)``."""

    def apply(samples: NDArray, slot: int = 0, **room: object) -> Effect:
        step = Reverb(ReverbSettings.model_validate({"room": room}))
        step.check(resources)
        plan = step.plan(PlanInput("u", "g", samples.size), slot, resources)
        return step.apply(samples, plan, scene(samples, resources))

    return apply
