"""Which listed terms of a reference were heard where they were said, and which were heard where nobody said them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.text.alignment import Stretch
from pipeline.text.sequences import Occurrence


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Of one term in one pair of texts."""

    said: int
    found: int
    false: int


def count_terms(
    said: Sequence[Occurrence], heard: Sequence[Occurrence], stretches: Sequence[Stretch] | None
) -> dict[str, TermCounts]:
    """Count each term of a reference (``said``) and its hypothesis (``heard``), aligned by ``stretches``.

    An occurrence is found if the hypothesis has a form of the same term that overlaps the aligned place: the words that
    its own are aligned with, and words inserted directly beside them, because a form may have more words than another.
    One heard occurrence serves one that was said. What is heard and serves none is false, unless its very words stand
    in the reference at that place, as part of a longer term.

    ``stretches`` may be None where one of the two is empty.
    """
    places = [_place(one, stretches) for one in said] if stretches is not None else [(0, 0)] * len(said)
    free = list(heard)
    found: dict[str, int] = {}
    for one, (low, high) in zip(said, places, strict=True):
        match = next((h for h in free if h.name == one.name and h.start < high and h.end > low), None)
        if match is not None:
            free.remove(match)
            found[one.name] = found.get(one.name, 0) + 1
    false = [h.name for h in free if stretches is None or not _is_said(h, stretches)]
    names = [one.name for one in said]
    return {
        name: TermCounts(names.count(name), found.get(name, 0), false.count(name))
        for name in sorted({*names, *(one.name for one in heard)})
    }


def _place(one: Occurrence, stretches: Sequence[Stretch]) -> tuple[int, int]:
    """Return the stretch of hypothesis words, [low, high), that the words of ``one`` are aligned with."""
    low, high = None, 0
    for at, stretch in enumerate(stretches):
        first, last = max(one.start, stretch.ref_start), min(one.end, stretch.ref_end)
        if first >= last:
            continue
        if stretch.kind == "delete":
            begin = end = stretch.hyp_start
        else:
            begin, end = (stretch.hyp_start + side - stretch.ref_start for side in (first, last))
        if first == stretch.ref_start and at and stretches[at - 1].kind == "insert":
            begin = stretches[at - 1].hyp_start
        if last == stretch.ref_end and at + 1 < len(stretches) and stretches[at + 1].kind == "insert":
            end = stretches[at + 1].hyp_end
        low, high = begin if low is None else low, end
    return low or 0, high


def _is_said(one: Occurrence, stretches: Sequence[Stretch]) -> bool:
    """Return whether the reference has these very words, side by side, at the aligned place."""
    return any(s.kind == "equal" and s.hyp_start <= one.start and one.end <= s.hyp_end for s in stretches)
