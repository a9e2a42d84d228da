"""Stretches of longer recordings: their times, and whether another speaker talks into them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOT_TIMES = "are not two times in seconds"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start_s`` up to ``end_s`` of a recording (infinite: to its end), by ``speaker`` (empty: unknown)."""

    recording: str
    speaker: str
    start_s: float
    end_s: float


def times(start: str, end: str) -> tuple[float, float]:
    """Return start and end in seconds; an empty end is infinite.

    Raises:
        ValueError: if they are no times.
    """
    try:
        start_s, end_s = float(start or 0), float(end) if end else math.inf
    except ValueError:
        raise ValueError(f"'{start}' and '{end}' {NOT_TIMES}") from None
    if not (math.isfinite(start_s) and start_s >= 0.0) or math.isnan(end_s) or (end and math.isinf(end_s)):
        raise ValueError(f"'{start}' and '{end}' {NOT_TIMES}")
    if start_s > 0.0 and not end:
        raise ValueError(f"it starts at {start_s:g} s and has no end; state one")
    return start_s, end_s


def overlapped(stretches: Sequence[Stretch]) -> list[bool]:
    """Return of each stretch whether one of another speaker in the same recording shares some time with it."""
    found = [False] * len(stretches)
    by_recording: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(stretches):
        if one.end_s > one.start_s:
            by_recording[one.recording].append(number)
    for numbers in by_recording.values():
        forward = sorted(numbers, key=lambda n: stretches[n].start_s)
        _mark(((n, stretches[n].start_s, stretches[n].end_s, stretches[n].speaker) for n in forward), found)
        # the same from the other end: whoever begins before this one ends
        backward = sorted(numbers, key=lambda n: -stretches[n].end_s)
        _mark(((n, -stretches[n].end_s, -stretches[n].start_s, stretches[n].speaker) for n in backward), found)
    return found


def _mark(ordered: Iterable[tuple[int, float, float, str]], found: list[bool]) -> None:
    """Mark what begins before somebody else, who began earlier, ends."""
    latest: list[tuple[float, str]] = []  # the latest ends so far of two different speakers, the later one first
    for number, start, end, speaker in ordered:
        found[number] |= any(until > start and other != speaker for until, other in latest)
        own = max([end, *(until for until, other in latest if other == speaker)])
        others = [pair for pair in latest if pair[1] != speaker]
        latest = sorted([(own, speaker), *others], reverse=True)[:2]


def spoken_by(cells: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return the speaker, by the first of ``columns`` that is there."""
    return next((cells[name] for name in columns if cells.get(name)), "")
