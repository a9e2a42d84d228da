"""Who speaks in which babble track: decided from ids, accents and groups alone, before any audio is read.

Accents take turns, over the slots too, so that no accent is masked by its own kind more often than by
another's. Each slot holds one group out in rotation, and a small pool speaks with at most half of its
groups in any one track: so every target finds tracks without its own voice close to its slot.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.plan import generator, integers, permutation
from augment.resources import Talker, TalkerRecording

_LATEST_START_SAMPLES = 5 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Part:
    """One talker in one track: recordings in order, heard from ``start`` samples on."""

    talker_id: str
    recordings: tuple[TalkerRecording, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Cast:
    """The talkers of one track."""

    parts: tuple[Part, ...]
    accents: tuple[str, ...]
    groups: frozenset[str]
    sha256: str
    """Of every part's recording hashes, in order, and start."""


def cast_tracks(
    talkers: Sequence[Talker], *, size: int, slots: int, seed: int, family: str = "babble"
) -> tuple[Cast, ...]:
    """Return the cast of every slot's track.

    Args:
        talkers: the pool, sorted by id as ``Resources`` holds it.
        size: talkers in a track.
        slots: number of tracks.
        seed: of the study.
        family: keys the draws beside the seed.

    Raises:
        ConditionError: if the pool is too small, or leaves a group without a track to hear.
    """
    _check_pool(talkers, size)
    accents = _shuffled(sorted({talker.accent for talker in talkers}), seed, family, "accents")
    groups = _shuffled(sorted({talker.group for talker in talkers}), seed, family, "groups")
    casts = []
    for slot in range(slots):
        order = permutation(generator(seed, family, slot, "talkers"), len(talkers))
        free = [talkers[i] for i in order if talkers[i].group != groups[slot % len(groups)]]
        chosen = _choose(free, accents, first=slot * size, size=size, variety=min(size, len(groups) // 2))
        casts.append(_cast(chosen, slot, seed, family))
    _check_every_group_finds_a_track(groups, casts)
    return tuple(casts)


def _check_pool(talkers: Sequence[Talker], size: int) -> None:
    sizes: dict[str, int] = defaultdict(int)
    for talker in talkers:
        sizes[talker.group] += 1
    left = len(talkers) - max(sizes.values(), default=0)
    if left < size:
        raise ConditionError(
            f"babble of {size} talkers needs {size} talkers beside the target's own group, but the corpus leaves "
            f"{left} ({len(talkers)} talkers in {len(sizes)} groups): set source.talkers to {max(left, 1)} or less, "
            "or load more speakers"
        )


def _check_every_group_finds_a_track(groups: Sequence[str], casts: Sequence[Cast]) -> None:
    without = [group for group in groups if all(group in cast.groups for cast in casts)]
    if without:
        raise ConditionError(
            f"group {without[0]!r} (and {len(without) - 1} more) is heard in all {len(casts)} babble tracks, so its "
            "utterances have no track without their own voice: raise acoustics.slots or lower source.talkers"
        )


def _choose(free: Sequence[Talker], accents: Sequence[str], *, first: int, size: int, variety: int) -> list[Talker]:
    """Take one talker a turn from the accent whose turn it is; an accent with nobody left passes.

    New groups come first until there are ``variety`` of them, known groups after that.
    """
    chosen: list[Talker] = []
    turn = first
    while len(chosen) < size:
        accent = accents[turn % len(accents)]
        turn += 1
        taken = {talker.talker_id for talker in chosen}
        candidates = [talker for talker in free if talker.accent == accent and talker.talker_id not in taken]
        heard = {talker.group for talker in chosen}
        preferred = [talker for talker in candidates if (talker.group not in heard) == (len(heard) < variety)]
        chosen.extend((preferred or candidates)[:1])
    return chosen


def _cast(chosen: Sequence[Talker], slot: int, seed: int, family: str) -> Cast:
    parts = tuple(_part(talker, slot, seed, family) for talker in chosen)
    content = json.dumps([[part.start, [recording.sha256 for recording in part.recordings]] for part in parts])
    return Cast(
        parts=parts,
        accents=tuple(talker.accent for talker in chosen),
        groups=frozenset(talker.group for talker in chosen),
        sha256=hashlib.sha256(content.encode()).hexdigest(),
    )


def _part(talker: Talker, slot: int, seed: int, family: str) -> Part:
    rng = generator(seed, family, slot, f"talker {talker.talker_id}")
    recordings = sorted(talker.recordings, key=lambda recording: recording.sha256)
    order = permutation(rng, len(recordings))
    return Part(talker.talker_id, tuple(recordings[i] for i in order), integers(rng, [_LATEST_START_SAMPLES])[0])


def _shuffled(names: Sequence[str], seed: int, family: str, purpose: str) -> list[str]:
    return [names[i] for i in permutation(generator(seed, family, 0, purpose), len(names))]
