"""The step that puts the talker into a room: convolution with an impulse response, cut to the clip's length.

The direct sound keeps its place and its level; what the room adds comes on top, so the active level rises
(by 2.5 to 6.5 dB in ordinary rooms). It is recorded, not made up for: say ``level`` after it where it should be.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from augment.level import Samples
from augment.resources import Resources
from augment.rooms.measured import FolderRoom, FolderSettings
from augment.rooms.room import Room, RoomResponse
from augment.rooms.simulated import SimulatedRoom, SimulatedSettings
from augment.rooms.synthetic import SyntheticRoom, SyntheticSettings
from augment.step import Effect, Law, Measured, Plain, Plan, PlanInput, PlanValue, Scene, Stage, StepSettings


class ReverbSettings(StepSettings):
    """Which room: ``synthetic`` (two numbers), ``folder`` (measured responses) or ``simulated`` (a shoebox)."""

    room: Annotated[SyntheticSettings | FolderSettings | SimulatedSettings, Field(discriminator="kind")]


class Reverb(Plain):
    """Convolve with the response of the utterance's slot."""

    Settings: ClassVar[type[BaseModel]] = ReverbSettings
    stage: Stage = Stage.ROOM
    law: Law = Law.LINEAR

    def __init__(self, settings: ReverbSettings) -> None:
        self._room = _room(settings.room)

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the room's responses cannot be made or read."""
        self._room.check(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return which response belongs to the slot."""
        return self._room.plan(slot, resources)

    def response(self, planned: Plan, resources: Resources) -> RoomResponse:
        """Return the planned impulse response, direct sound at sample 0.

        Raises:
            ConditionError: if it is no longer the one that was planned.
        """
        return self._room.response(planned, resources)

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the samples as heard in the room.

        Raises:
            ConditionError: if the response is no longer the one that was planned.
        """
        response = self.response(planned, scene.resources)
        return Effect(response.applied(samples), promises=self._room.promises(response), realised=_realised(response))


def _room(settings: SyntheticSettings | FolderSettings | SimulatedSettings) -> Room:
    if isinstance(settings, SyntheticSettings):
        return SyntheticRoom(settings)
    return FolderRoom(settings) if isinstance(settings, FolderSettings) else SimulatedRoom(settings)


def _realised(response: RoomResponse) -> Mapping[str, Measured]:
    values = {"rt60_s": response.rt60_s, "drr_db": response.drr_db}
    return {name: value for name, value in values.items() if value is not None}
