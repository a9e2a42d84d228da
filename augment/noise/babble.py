"""Babble: several talkers of the study's own pool at once, each at the same active level."""

from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from augment.errors import ConditionError
from augment.level import Samples
from augment.noise.casting import Cast, Part, cast_tracks
from augment.noise.track import FADE_SAMPLES, TRACK_SAMPLES, NoiseTrack, closed
from augment.resources import Recorded, Resources
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer

_MAX_TALKERS: Final = 64


class BabbleSettings(StepSettings):
    """``talkers``: voices in a track. Six or more are unintelligible; one or two would be transcribed."""

    kind: Literal["babble"] = "babble"
    talkers: Annotated[int, Field(ge=1, le=_MAX_TALKERS)] = 6


class Babble:
    """Tracks from the talkers in ``Resources``; a target never hears its own group."""

    def __init__(self, settings: BabbleSettings, family: str) -> None:
        self.family = family
        self._talkers = settings.talkers

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

    def track(self, planned: Plan, resources: Resources) -> NoiseTrack:
        """Return the planned track.

        Raises:
            ConditionError: if the pool is no longer what was planned with, or a talker has no active speech.
        """
        slot = planned_integer(planned, "track")
        casts = self._casts(resources)
        if not 0 <= slot < len(casts) or planned.get("track_sha256") != casts[slot].sha256:
            raise ConditionError(f"babble track {slot} was planned with other talkers than are here: plan again")
        key = f"babble {casts[slot].sha256} at {resources.target_level_dbov} dBov"
        return resources.track(key, lambda: _mixed(casts[slot], resources))

    def _casts(self, resources: Resources) -> tuple[Cast, ...]:
        return resources.remember((self.family, self._talkers), lambda: self._cast(resources))

    def _cast(self, resources: Resources) -> tuple[Cast, ...]:
        return cast_tracks(
            resources.talkers, size=self._talkers, slots=resources.slots, seed=resources.seed, family=self.family
        )


def _mixed(cast: Cast, resources: Resources) -> Samples:
    return closed(np.asarray(np.sum([_stream(part, resources) for part in cast.parts], axis=0)))


def _stream(part: Part, resources: Resources) -> Samples:
    """Return a cycle and a fade of one talker: one recording after another, and again from the first on."""
    needed = part.start + TRACK_SAMPLES + FADE_SAMPLES
    pieces: list[Recorded] = []
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
