"""A user's own noise: a folder of recordings of any rate, length and channel count, dealt to the slots.

The first channel is used, its mean removed. Of a long file each slot that has it takes another window, evenly
spaced; a short one is looped with a 50 ms cross-fade. What is planned names a file by its content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.noise.track import FADE_SAMPLES, TRACK_SAMPLES, NoiseTrack, closed, looped
from augment.plan import generator, permutation
from augment.recordings import file_sha256, files_in, read_channel
from augment.resources import Resources
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer, planned_text

_NEEDED_SAMPLES: Final = TRACK_SAMPLES + FADE_SAMPLES
_SHORTEST_SAMPLES: Final = SAMPLE_RATE_HZ // 5
_SILENT_POWER: Final = 10.0 ** (-90.0 / 10.0)
"""-90 dBov: what rounding to 16 bits leaves of a recording in which nothing sounds."""

_NAMED: Final = 10


class FolderSettings(StepSettings):
    """Which files are the noise."""

    kind: Literal["folder"] = "folder"
    path: Annotated[str, Field(min_length=1)]
    """Of the folder; a relative one starts where the program was started."""
    pattern: Annotated[str, Field(min_length=1)] = "*.wav"
    """Of the file names; ``**/*.wav`` looks into folders within the folder too."""


@dataclass(frozen=True, slots=True)
class _Windows:
    """One file, and where in it each slot that has it begins, in samples at 16 kHz."""

    file: int
    """Among the sorted files of the folder."""
    sha256: str
    starts: tuple[int, ...]
    looped: bool


class Folder:
    """Tracks from files; as many files as there are slots, or all of them."""

    def __init__(self, settings: FolderSettings, family: str) -> None:
        self.family = family
        self._settings = settings

    def check(self, resources: Resources) -> None:
        """Read every file that will be used, and raise a ConditionError that names all that cannot be."""
        self._dealt(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the slot's own track: which file, its hash, from which sample on, and 1 if it is looped."""
        dealt = self._dealt(resources)
        round_, turn = divmod(slot, len(dealt))
        windows = dealt[turn]
        return {
            "track": slot,
            "file": windows.file,
            "file_sha256": windows.sha256,
            "start": windows.starts[round_],
            "looped": int(windows.looped),
        }

    def track(self, planned: Plan, resources: Resources) -> NoiseTrack:
        """Return the planned track.

        Raises:
            ConditionError: if the file is no longer what was planned with.
        """
        start, sha256 = planned_integer(planned, "start"), planned_text(planned, "file_sha256")
        return resources.track(f"file {sha256} from {start}", lambda: self._cycle(planned))

    def _cycle(self, planned: Plan) -> Samples:
        files, number = (
            files_in(self._settings.path, self._settings.pattern, key="source", what="noise file"),
            planned_integer(planned, "file"),
        )
        if number >= len(files) or file_sha256(files[number]) != planned_text(planned, "file_sha256"):
            raise ConditionError(f"the files in {self._settings.path} are not those that were planned with: plan again")
        return _cycle(read_channel(files[number]), planned_integer(planned, "start"))

    def _dealt(self, resources: Resources) -> tuple[_Windows, ...]:
        key = (self.family, self._settings.path, self._settings.pattern)
        return resources.remember(key, lambda: _dealt(self._settings, self.family, resources))


def _dealt(settings: FolderSettings, family: str, resources: Resources) -> tuple[_Windows, ...]:
    """Return the files in the order in which slots 0, 1, ... take one each, and again from the first on."""
    files = files_in(settings.path, settings.pattern, key="source", what="noise file")
    order = permutation(generator(resources.seed, family, 0, "files"), len(files))[: resources.slots]
    windows: list[_Windows] = []
    problems: list[str] = []
    for turn, number in enumerate(order):
        try:
            windows.append(_windows(number, files[number], len(range(turn, resources.slots, len(order)))))
        except ConditionError as error:
            problems.append(str(error))
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise ConditionError(
            f"{settings.path}: {len(problems)} of {len(order)} noise files cannot be used: "
            f"{'; '.join(problems[:_NAMED])}{more}: repair them, take them out, or narrow source.pattern"
        )
    return tuple(windows)


def _windows(number: int, path: Path, count: int) -> _Windows:
    """Read one file and say where its ``count`` windows begin.

    Raises:
        ConditionError: if it cannot be read, lasts less than 0.2 s or is silent where it would be used.
    """
    sha256 = file_sha256(path)
    samples = read_channel(path)
    if samples.size < _SHORTEST_SAMPLES:
        raise ConditionError(f"{path.name} lasts {samples.size / SAMPLE_RATE_HZ:.2f} s, and 0.2 s is the least")
    spare = max(0, samples.size - _NEEDED_SAMPLES)
    starts = tuple((2 * window + 1) * spare // (2 * count) for window in range(count))
    silent = [start for start in dict.fromkeys(starts) if np.var(_window(samples, start)) < _SILENT_POWER]
    if silent:
        raise ConditionError(f"{path.name} is silent {_from_to(silent, samples.size)}")
    return _Windows(number, sha256, starts, looped=samples.size < _NEEDED_SAMPLES)


def _window(samples: Samples, start: int) -> Samples:
    return samples[start : start + _NEEDED_SAMPLES]


def _from_to(starts: Sequence[int], size: int) -> str:
    ends = [min(start + _NEEDED_SAMPLES, size) for start in starts]
    spans = (f"{a / SAMPLE_RATE_HZ:.1f}-{b / SAMPLE_RATE_HZ:.1f} s" for a, b in zip(starts, ends, strict=True))
    return f"in {', '.join(spans)} of {size / SAMPLE_RATE_HZ:.1f} s"


def _cycle(samples: Samples, start: int) -> Samples:
    window = _window(samples, start)
    window = window - np.mean(window)
    return closed(window if window.size == _NEEDED_SAMPLES else looped(window))
