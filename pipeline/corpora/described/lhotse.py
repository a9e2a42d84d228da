"""lhotse's recordings: which file a supervision is in, and whether reading that file gives what lhotse would.

The fields are those of lhotse's ``Recording`` and ``SupervisionSegment``. What would need lhotse itself (commands,
audio in memory, transforms, one channel of several) becomes an exclusion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.corpora.described.json_manifests import objects

ROUNDING_S: Final = 1e-3
"""A supervision that covers its recording but for this is the whole of it: lhotse rounds its times."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a supervision is: a file as the manifest has it, times (empty: all of it), or why it cannot be used."""

    path: str = ""
    start: str = ""
    end: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recordings of all manifests, by id."""

    by_id: Mapping[str, Mapping[str, Any]]
    twice: frozenset[str]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Recordings":
        """Read every manifest.

        Raises:
            ManifestError: if one cannot be read.
        """
        found: dict[str, Mapping[str, Any]] = {}
        twice = set()
        for path in paths:
            for _, value in objects(path):
                name = str(value.get("id", ""))
                if found.setdefault(name, value) != value:
                    twice.add(name)
        return cls(found, frozenset(twice))

    def source(self, cells: Mapping[str, str], channel: object) -> Source:
        """Return where the supervision of ``cells`` is."""
        name = cells.get("recording_id", "")
        if name not in self.by_id:
            return Source(problem=f"no manifest of recordings has '{name}'")
        if name in self.twice:
            return Source(problem=f"several recordings that differ are called '{name}'")
        recording = self.by_id[name]
        problem = _unreadable(recording, channel)
        if problem:
            return Source(problem=f"recording '{name}': {problem}")
        path = str(recording["sources"][0].get("source", ""))
        try:
            start_s = float(cells.get("start", "0"))
            end_s = start_s + float(cells["duration"])
            length_s = float(recording["duration"])
        except (KeyError, TypeError, ValueError):
            return Source(problem="its start and duration, or the recording's duration, are no numbers")
        if start_s <= ROUNDING_S and abs(end_s - length_s) <= ROUNDING_S:
            return Source(path)
        return Source(path, repr(start_s), repr(end_s))


def _unreadable(recording: Mapping[str, Any], channel: object) -> str:
    """Return why the recording cannot be read as a file, or nothing."""
    sources = recording.get("sources")
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        return "it has not exactly one source"
    if sources[0].get("type") != "file":
        return f"its source is of type '{sources[0].get('type')}'; only files are read, and commands are never run"
    if recording.get("transforms"):
        return "its transforms are lhotse's own, and are not applied here: save the audio as it should be heard"
    held = sources[0].get("channels", [0])
    wanted = channel if isinstance(channel, list) else held if channel is None else [channel]
    if sorted(map(str, wanted)) != sorted(map(str, held)):
        return f"the supervision is channel {channel} of {held}; channels are averaged here, so split them first"
    return ""
