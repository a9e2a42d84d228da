"""What a handset does to samples, and its gain, looked at from outside."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from augment.handset import Handset
from augment.handset.step import HandsetSettings
from augment.resources import Resources
from augment.step import Effect, PlanInput

FS = 16_000


@pytest.fixture
def handset(scene: Callable, resources: Resources) -> Callable[..., Effect]:
    """Apply a handset: ``handset(samples, slot=0, curve="irs_send")``."""

    def apply(samples: NDArray, slot: int = 0, **settings: object) -> Effect:
        step = Handset(HandsetSettings(**settings))
        step.check(resources)
        plan = step.plan(PlanInput("u", "g", samples.size), slot, resources)
        return step.apply(samples, plan, scene(samples, resources))

    return apply


@pytest.fixture
def gains_db(handset: Callable[..., Effect]) -> Callable[..., NDArray]:
    """The gain at some frequencies, from the response to an impulse in the middle of two seconds."""

    def measure(frequencies_hz: list[float], slot: int = 0, **settings: object) -> NDArray:
        impulse = np.zeros(2 * FS)
        impulse[FS] = 1.0
        response = handset(impulse, slot, **settings).samples
        turns = np.outer(frequencies_hz, np.arange(2 * FS)) / FS
        return 20 * np.log10(np.abs(np.exp(-2j * np.pi * turns) @ response))

    return measure
