"""What a noise source is. To add one, write one file and name it in ``add``."""

from typing import ClassVar, Protocol

from augment.resources import Resources, Track
from augment.step import Plan, PlanInput, PlanValue


class NoiseSource(Protocol):
    """Something that makes one 30 s track a slot, whatever the SNR and the condition."""

    family: ClassVar[str]
    """Keys the draws: all conditions with this family meet the same realizations."""

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the tracks cannot be made from ``resources``."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return at least ``track``: the slot whose track this utterance meets."""

    def track(self, planned: Plan, resources: Resources) -> Track:
        """Return the planned track, 30 s at 16 kHz."""
