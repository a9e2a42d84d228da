"""Babble: several talkers of the study's own pool at once, each at the same active level."""

from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from augment.errors import ConditionError
from augment.level import Samples
from augment.noise.casting import FAMILY, Cast, Part, cast_tracks
from augment.noise.track import TRACK_SAMPLES
from augment.resources import Resources, Track
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer

_MAX_TALKERS: Final = 64


class BabbleSettings(StepSettings):
    """``talkers``: voices in a track. Six or more are unintelligible; one or two would be transcribed."""

    kind: Literal["babble"] = "babble"
    talkers: Annotated[int, Field(ge=1, le=_MAX_TALKERS)] = 6


class Babble:
    """Tracks from the talkers in ``Resources``; a target never hears its own group."""

    family: ClassVar[str] = FAMILY

    def __init__(self, settings: BabbleSettings) -> None:
        self._settings = settings

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the pool is too small or leaves a group without a track."""
        self._casts(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the first slot from ``slot`` on whose track lacks the target's group, and what that track holds.

        Raises:
            ConditionError: if the target's group speaks in every track.
        """
        casts = self._casts(resources)
        for passed in range(len(casts)):
            track = (slot + passed) % len(casts)
            if target.group not in casts[track].groups:
                return {"track": track, "slots_passed": passed, "track_sha256": casts[track].sha256}
        raise ConditionError(f"{target.utterance_id}: its group {target.group!r} is heard in every babble track")

    def track(self, planned: Plan, resources: Resources) -> Track:
        """Return the planned track.

        Raises:
            ConditionError: if the pool is no longer what was planned with, or a talker has no active speech.
        """
        slot = planned_integer(planned, "track")
        casts = self._casts(resources)
        if not 0 <= slot < len(casts) or planned.get("track_sha256") != casts[slot].sha256:
            raise ConditionError(f"babble track {slot} was planned with other talkers than are here: plan again")
        key = (self.family, casts[slot].sha256)
        return resources.track(key, lambda: _mixed(casts[slot], resources))

    def _casts(self, resources: Resources) -> tuple[Cast, ...]:
        size, slots, seed = self._settings.talkers, resources.slots, resources.seed
        return resources.remember(
            (self.family, size), lambda: cast_tracks(resources.talkers, size=size, slots=slots, seed=seed)
        )


def _mixed(cast: Cast, resources: Resources) -> Samples:
    return np.asarray(np.sum([_stream(part, resources) for part in cast.parts], axis=0))


def _stream(part: Part, resources: Resources) -> Samples:
    """Return 30 s of one talker: the recordings one after another, again from the first when all were heard."""
    needed = part.start + TRACK_SAMPLES
    pieces: list[Track] = []
    length = 0
    while length < needed:
        before = length
        for recording in part.recordings:
            piece = resources.recording(recording)
            if piece is not None and length < needed:
                pieces.append(piece)
                length += piece.size
        if length == before:
            raise ConditionError(f"babble talker {part.talker_id!r} has no recording with active speech: leave it out")
    return np.concatenate(pieces)[part.start : needed].astype(np.float64)
