"""A folder of measured impulse responses, dealt to the slots in balance.

The direct sound begins at the first sample that lies within 20 dB of the largest one and is preceded by silence: the
2.5 ms from it on hold at least 100 times (20 dB) the energy of the 2.5 ms before it. The last millisecond
before it is left out of that, because a response that was ever resampled rings there; what lies before the
file counts as silence. Everything earlier is cut off. The 2.5 ms are the direct sound and are scaled to unit
energy. The largest sample itself will not do as a mark: it is often a reflection.

A recording of speech or noise is refused: what is cut off may hold a tenth of the energy of what is kept, and
what follows the direct sound 100 times its energy (20 dB), which is ten critical distances away.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.plan import generator, permutation
from augment.recordings import file_sha256, files_in, read_response
from augment.resources import Resources
from augment.rooms.room import RoomResponse, measured
from augment.step import Plan, PlanValue, Promise, StepSettings, planned_integer, planned_text

_DIRECT: Final = round(0.0025 * SAMPLE_RATE_HZ)
_RINGING: Final = round(0.001 * SAMPLE_RATE_HZ)
_AMPLITUDE_RATIO: Final = 0.1  # -20 dB
_ENERGY_RATIO: Final = 0.01  # -20 dB, before the direct sound and as the direct sound's share of what follows
_CUT_OFF: Final = 0.1
_TOLD: Final = 5
"""So many files are named in a message."""


class FolderSettings(StepSettings):
    """Where the responses are: one channel a file, any sample rate."""

    kind: Literal["folder"] = "folder"
    path: Annotated[str, Field(min_length=1)]
    """Of the folder; a relative one starts where the program was started."""
    pattern: Annotated[str, Field(min_length=1)] = "*.wav"
    """Of the file names; ``**/*.wav`` looks into folders within the folder too."""


class FolderRoom:
    """Responses by the names of their files, in a seeded order, one after the other to the slots."""

    def __init__(self, settings: FolderSettings) -> None:
        self._settings = settings

    def check(self, resources: Resources) -> None:
        """Read every file that a slot will meet.

        Raises:
            ConditionError: if there is none, or with those that are no impulse response.
        """
        files, order = self._files(resources), self._order(resources)[: resources.slots]
        problems = []
        for index in sorted(order):
            try:
                aligned(read_response(files[index]), files[index].name)
            except ConditionError as error:
                problems.append(str(error))
        if problems:
            more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
            raise ConditionError(
                f"{self._settings.path}: {len(problems)} of {len(order)} impulse responses cannot be used: "
                f"{'; '.join(problems[:_TOLD])}{more}: repair them, take them out, or narrow room.pattern"
            )

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``response``, the number of the slot's file by name, and its ``sha256``."""
        order = self._order(resources)
        index = order[slot % len(order)]
        path = self._files(resources)[index]
        return {"response": index, "sha256": resources.remember(("reverb", "sha256", path), lambda: file_sha256(path))}

    def response(self, planned: Plan, resources: Resources) -> RoomResponse:
        """Return the planned response.

        Raises:
            ConditionError: if the file is no longer the one that was planned with.
        """
        index, sha256 = planned_integer(planned, "response"), planned_text(planned, "sha256")
        return resources.remember(("reverb", "file", sha256), lambda: self._read(index, sha256, resources))

    def promises(self, response: RoomResponse) -> tuple[Promise, ...]:
        """Promise nothing: the room is what it is."""
        return ()

    def _read(self, index: int, sha256: str, resources: Resources) -> RoomResponse:
        files = self._files(resources)
        if index >= len(files) or file_sha256(files[index]) != sha256:
            raise ConditionError(f"the files in {self._settings.path} are not those that were planned with: plan again")
        return aligned(read_response(files[index]), files[index].name)

    def _order(self, resources: Resources) -> list[int]:
        count = len(self._files(resources))
        rng = generator(resources.seed, "reverb", 0, "responses")
        return resources.remember(("reverb", "order", count), lambda: permutation(rng, count))

    def _files(self, resources: Resources) -> tuple[Path, ...]:
        path, pattern = self._settings.path, self._settings.pattern
        return resources.remember(
            ("reverb", self._settings), lambda: files_in(path, pattern, key="room", what="impulse response")
        )


def aligned(response: Samples, name: str) -> RoomResponse:
    """Return a response from its direct sound on, which gets unit energy.

    Args:
        response: one channel at 16 kHz, at any level, with anything before the direct sound.
        name: of the file, for the message.

    Raises:
        ConditionError: if it is silent, no direct sound stands out, or it ends within 2.5 ms of it.
    """
    peak = float(np.max(np.abs(response)))
    if not peak:
        raise ConditionError(f"{name} is silent: every sample is zero")
    onset = _onset(response / peak)
    if onset is None:
        raise ConditionError(
            f"{name} is no impulse response: no direct sound stands out by 20 dB from what is before it and holds a "
            "hundredth of the energy after it"
        )
    direct = response[onset : onset + _DIRECT] / peak
    if direct.size < _DIRECT:
        raise ConditionError(
            f"{name} is too short: it ends {1000 * direct.size / SAMPLE_RATE_HZ:.1f} ms after its direct sound begins, "
            f"and {1000 * _DIRECT / SAMPLE_RATE_HZ:.1f} ms are needed"
        )
    unit = response[onset:] / peak / np.sqrt(np.sum(np.square(direct)))
    return measured(unit, direct_samples=_DIRECT)


def _onset(response: Samples) -> int | None:
    """Return where the direct sound begins, as this module's docstring defines it."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(response))])
    candidates = np.flatnonzero(np.abs(response) >= _AMPLITUDE_RATIO)
    after = energy[np.minimum(candidates + _DIRECT, response.size)] - energy[candidates]
    before_end = np.maximum(candidates - _RINGING, 0)
    before = energy[before_end] - energy[np.maximum(before_end - _DIRECT, 0)]
    kept = energy[-1] - energy[candidates]
    plausible = (energy[before_end] <= _CUT_OFF * kept) & (_ENERGY_RATIO * (kept - after) <= after)
    found = candidates[(before <= _ENERGY_RATIO * after) & plausible]
    return int(found[0]) if found.size else None
