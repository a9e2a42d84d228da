"""In a child: simulate a small room."""

from collections.abc import Mapping
from typing import Any

from augment.resources import Resources
from augment.rooms.simulated import SimulatedRoom, SimulatedSettings


def attempt(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the length of one room's response."""
    room = SimulatedRoom(SimulatedSettings(size_m=(4.0, 3.0, 2.5), distance_m=1.0, rt60_s=0.2))
    resources = Resources(seed=0, slots=1)
    return {"samples": room.response(room.plan(0, resources), resources).samples.size}
