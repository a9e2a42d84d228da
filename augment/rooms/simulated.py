"""A shoebox room by the image method of pyroomacoustics (the optional extra ``rooms``).

The absorption of the walls follows from Sabine's formula, which is an approximation: reverberation time and
direct-to-reverberant ratio are measured and reported, not promised. Talker and microphone are as far
apart as asked, rounded to whole samples of flight (2.1 cm), so that the direct path is one sample and its place is
known: the flight plus half of the fractional-delay filter. They stand at the same height, somewhere in
the room that the slot decides, at least 0.5 m from every wall.
"""

import math
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.plan import generator, uniform
from augment.resources import Resources
from augment.rooms.room import RoomResponse, measured
from augment.step import Plan, PlanValue, Promise, StepSettings, planned_integer

_SPEED_OF_SOUND_M_S: Final = 343.0
_FROM_WALLS_M: Final = 0.5
_MOST_REFLECTIONS: Final = 150
"""Order of reflections: 4.5 million image sources, a few seconds and some hundred megabytes."""
_DIRECT: Final = round(0.0025 * SAMPLE_RATE_HZ)

_Edge = Annotated[float, Field(ge=1.5, le=50)]


class SimulatedSettings(StepSettings):
    """A shoebox: its ``size_m`` (length, width, height), and how far the talker is from the microphone."""

    kind: Literal["simulated"] = "simulated"
    size_m: Annotated[tuple[_Edge, _Edge, _Edge], Field(strict=False)]
    distance_m: Annotated[float, Field(ge=0.05, le=50)]
    rt60_s: Annotated[float, Field(ge=0.05, le=5)]
    """By Sabine's formula; the response's own is measured and usually differs."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        length_m, width_m, _ = (edge - 2 * _FROM_WALLS_M for edge in self.size_m)
        longest_m = math.hypot(length_m, width_m)
        if flight(self.distance_m) * _SPEED_OF_SOUND_M_S / SAMPLE_RATE_HZ > longest_m:
            raise ValueError(
                f"talker and microphone, {_FROM_WALLS_M:g} m from the walls of this room, are at most "
                f"{longest_m:.2f} m apart, not {self.distance_m:g} m: say a smaller distance_m or a larger room"
            )
        return self


class SimulatedRoom:
    """One pair of places a slot, in one room."""

    def __init__(self, settings: SimulatedSettings) -> None:
        self._settings = settings

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if pyroomacoustics is missing or such a room cannot be simulated."""
        _walls(self._settings)

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``room``: the slot whose places this utterance meets."""
        return {"room": slot}

    def response(self, planned: Plan, resources: Resources) -> RoomResponse:
        """Return the response between the slot's places."""
        slot = planned_integer(planned, "room")
        key = ("reverb", "simulated", slot, self._settings)
        return resources.remember(key, lambda: _simulated(self._settings, resources.seed, slot))

    def promises(self, response: RoomResponse) -> tuple[Promise, ...]:
        """Promise nothing: what Sabine's formula leads to is reported."""
        return ()


def flight(distance_m: float) -> int:
    """Return the samples that sound takes to cover a distance."""
    return max(1, round(distance_m * SAMPLE_RATE_HZ / _SPEED_OF_SOUND_M_S))


def places(settings: SimulatedSettings, *, seed: int, slot: int) -> tuple[Samples, Samples]:
    """Return where the talker and the microphone of a slot are, in meters from a corner of the room."""
    angle, quadrant, *position = uniform(generator(seed, "reverb", slot, "places"), 5)
    distance_m = flight(settings.distance_m) * _SPEED_OF_SOUND_M_S / SAMPLE_RATE_HZ
    free_m = np.array(settings.size_m) - 2 * _FROM_WALLS_M
    # the directions in which both fit: not along a wall that is too short for them
    lowest = math.acos(min(1.0, float(free_m[0]) / distance_m))
    highest = math.asin(min(1.0, float(free_m[1]) / distance_m))
    direction = lowest + float(angle) * (highest - lowest)
    apart_m = distance_m * np.array([math.cos(direction), math.sin(direction), 0.0])
    first_m = _FROM_WALLS_M + np.array(position) * np.maximum(free_m - apart_m, 0.0)
    second_m = first_m + apart_m
    # four quadrants: mirrored along the width, then talker and microphone swapped
    if int(quadrant * 4) % 2:
        first_m[1], second_m[1] = second_m[1], first_m[1]
    return (first_m, second_m) if quadrant < 0.5 else (second_m, first_m)


def _simulated(settings: SimulatedSettings, seed: int, slot: int) -> RoomResponse:
    pyroomacoustics = _library()
    absorption, order = _walls(settings)
    talker, microphone = places(settings, seed=seed, slot=slot)
    room = pyroomacoustics.ShoeBox(
        settings.size_m, fs=SAMPLE_RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=order
    )
    room.set_sound_speed(_SPEED_OF_SOUND_M_S)
    room.add_source(talker)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], dtype=np.float64)
    direct = flight(settings.distance_m) + pyroomacoustics.constants.get("frac_delay_length") // 2
    return measured(response[direct:] / response[direct], direct_samples=_DIRECT)


def _walls(settings: SimulatedSettings) -> tuple[float, int]:
    """Return the absorption of the walls and the order of reflections that the reverberation time needs.

    Raises:
        ConditionError: if no wall absorbs enough, or the order is out of reach.
    """
    pyroomacoustics = _library()
    asked = f"{settings.rt60_s:g} s of reverberation in a room of {' x '.join(f'{m:g}' for m in settings.size_m)} m"
    try:
        absorption, order = pyroomacoustics.inverse_sabine(settings.rt60_s, settings.size_m, c=_SPEED_OF_SOUND_M_S)
    except ValueError as error:
        raise ConditionError(
            f"room.rt60_s: {asked} is less than walls that absorb everything leave: raise rt60_s or shrink the room"
        ) from error
    if order > _MOST_REFLECTIONS:
        raise ConditionError(
            f"room.rt60_s: {asked} needs reflections of order {order}, and {_MOST_REFLECTIONS} is the most: lower "
            "rt60_s, make the room larger, or say 'kind: synthetic'"
        )
    return float(absorption), int(order)


def _library() -> Any:
    try:
        import pyroomacoustics
    except ImportError as error:
        raise ConditionError(
            'room.kind: a simulated room needs pyroomacoustics: pip install "asr-accent-study[rooms]"'
        ) from error
    return pyroomacoustics
