"""A room of two numbers: a unit direct path, a gap of 2 ms, then noise that decays exponentially.

The noise is a sequence of random signs. It is white like any other, and every sample has the same power, so
that the decay is exponential in each realization and not only on average: reverberation time and
direct-to-reverberant ratio are what was asked for. The signs of a slot are the same whatever the two numbers.
"""

from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from augment import SAMPLE_RATE_HZ
from augment.plan import generator, uniform
from augment.resources import Resources
from augment.rooms.room import RoomResponse, measured
from augment.step import Plan, PlanValue, Promise, StepSettings, planned_integer

_GAP: Final = round(0.002 * SAMPLE_RATE_HZ)
_LENGTH: Final = 1.25
"""Of the tail, in reverberation times: it is cut 75 dB below its beginning."""
_RT60_TOLERANCE: Final = 0.05
_DRR_TOLERANCE_DB: Final = 0.1


class SyntheticSettings(StepSettings):
    """How long the sound of the room takes to fall by 60 dB, and how far it lies below the direct sound."""

    kind: Literal["synthetic"] = "synthetic"
    rt60_s: Annotated[float, Field(ge=0.05, le=5)]
    drr_db: Annotated[float, Field(ge=-30, le=40)]
    """Energy of the direct path against the energy of everything after it."""


class SyntheticRoom:
    """One response a slot; nothing is needed to make it."""

    def __init__(self, settings: SyntheticSettings) -> None:
        self._rt60_s = settings.rt60_s
        self._drr_db = settings.drr_db

    def check(self, resources: Resources) -> None:
        """Need nothing."""

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``room``: the slot whose response this utterance meets."""
        return {"room": slot}

    def response(self, planned: Plan, resources: Resources) -> RoomResponse:
        """Return the slot's response."""
        slot = planned_integer(planned, "room")
        key = ("reverb", "synthetic", slot, self._rt60_s, self._drr_db)
        return resources.remember(key, lambda: self._made(resources.seed, slot))

    def promises(self, response: RoomResponse) -> tuple[Promise, ...]:
        """Return reverberation time (within 5 %) and direct-to-reverberant ratio (within 0.1 dB)."""
        rt60_s, drr_db = self._rt60_s, self._drr_db
        return (
            Promise("reverberation time", rt60_s, response.rt60_s, _RT60_TOLERANCE * rt60_s, "s"),
            Promise("direct-to-reverberant ratio", drr_db, response.drr_db, _DRR_TOLERANCE_DB, "dB"),
        )

    def _made(self, seed: int, slot: int) -> RoomResponse:
        count = round(_LENGTH * self._rt60_s * SAMPLE_RATE_HZ)
        signs = np.where(uniform(generator(seed, "reverb", slot, "tail"), count) < 0.5, -1.0, 1.0)
        # -60 dB in power is 10^-3 in amplitude
        tail = signs * 10.0 ** (-3.0 / (self._rt60_s * SAMPLE_RATE_HZ) * np.arange(count))
        tail *= np.sqrt(10.0 ** (-self._drr_db / 10.0) / np.sum(np.square(tail)))
        return measured(np.concatenate([[1.0], np.zeros(_GAP - 1), tail]), direct_samples=_GAP)
