"""Stretches of longer recordings: their times, and whether another speaker talks into them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start_s`` up to ``end_s`` of a recording, by ``speaker`` (empty: unknown)."""

    recording: str
    speaker: str
    start_s: float
    end_s: float


def times(start: str, end: str) -> tuple[float, float]:
    """Return start and end in seconds.

    Raises:
        ValueError: if they are no times, or one is not stated.
    """
    try:
        start_s, end_s = float(start), float(end)
    except ValueError:
        raise ValueError(f"its start '{start}' and end '{end}' are not two times in seconds") from None
    if not (0.0 <= start_s < math.inf and 0.0 <= end_s < math.inf):
        raise ValueError(f"its start {start} and end {end} are not two times in seconds")
    return start_s, end_s


def overlapped(stretches: Sequence[Stretch | None]) -> list[bool]:
    """Return of each stretch whether one of another speaker in the same recording shares some time with it."""
    found = [False] * len(stretches)
    by_recording: dict[str, list[tuple[int, Stretch]]] = defaultdict(list)
    for number, one in enumerate(stretches):
        if one is not None and one.end_s > one.start_s:
            by_recording[one.recording].append((number, one))
    for held in by_recording.values():
        ordered = sorted(held, key=lambda pair: pair[1].start_s)
        # who began earlier and is not done, and from the other end: who begins later, but before this one is done
        _mark(((n, one.speaker, one.start_s, one.end_s) for n, one in ordered), found)
        _mark(((n, one.speaker, -one.end_s, -one.start_s) for n, one in reversed(ordered)), found)
    return found


def _mark(ordered: Iterable[tuple[int, str, float, float]], found: list[bool]) -> None:
    """Mark every stretch that begins before one of another speaker that came earlier in the order is done."""
    latest: list[tuple[float, str]] = []  # the latest ends so far of two different speakers, the later one first
    for number, speaker, start, end in ordered:
        found[number] |= any(until > start and other != speaker for until, other in latest)
        own = max([end, *(until for until, other in latest if other == speaker)])
        others = [pair for pair in latest if pair[1] != speaker]
        latest = sorted([(own, speaker), *others], reverse=True)[:2]


def spoken_by(cells: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return the speaker, by the first of ``columns`` that is there."""
    return next((cells[name] for name in columns if cells.get(name)), "")
