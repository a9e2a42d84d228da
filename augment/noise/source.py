"""What a noise source is. To add one, write one file and name it in ``kinds``."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from augment.level import Samples
from augment.noise.track import NoiseTrack
from augment.plan import generator
from augment.resources import Resources
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer

Draws = Callable[[str], np.random.Generator]
"""The generator of one slot's decision, by its purpose."""


class NoiseSource(Protocol):
    """Something that makes one track a slot, whatever the SNR and the condition."""

    @property
    def family(self) -> str:
        """Keys the draws: all conditions with this family meet the same realizations."""

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the tracks cannot be made from ``resources``."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return at least ``track``: the slot whose track this utterance meets."""

    def track(self, planned: Plan, resources: Resources) -> NoiseTrack:
        """Return the planned track."""


class Computed:
    """A noise that needs nothing but its settings and the seed: every slot has its own track."""

    def __init__(self, family: str, settings: StepSettings, cycle: Callable[[Draws], Samples]) -> None:
        """Take what makes one cycle out of a slot's draws; ``settings`` must tell it from every other."""
        self.family = family
        self._settings = settings
        self._cycle = cycle

    def check(self, resources: Resources) -> None:
        """Need nothing."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the slot's own track."""
        return {"track": slot}

    def track(self, planned: Plan, resources: Resources) -> NoiseTrack:
        """Return the planned track."""
        slot = planned_integer(planned, "track")
        key = f"{self.family} {self._settings.model_dump_json()} slot {slot}"
        return resources.track(key, lambda: self._cycle(partial(generator, resources.seed, self.family, slot)))
