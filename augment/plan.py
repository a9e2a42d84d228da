"""Who meets which realization: slots, keys and raw-integer draws. Decided before any audio is rendered.

A realization (noise track, offset) belongs to a slot, never to an utterance, an accent, a worker or an
SNR. Within each accent the utterances are dealt to the slots in a hashed order, so every accent meets
every realization equally often (within one): common random numbers, which remove the luck of the
draw from a comparison between accents.

Draws come from raw 64-bit integers, because NumPy freezes its bit streams but not its distributions.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from augment.errors import ConditionError

Pairing = Literal["slot", "prompt", "utterance"]


@dataclass(frozen=True, slots=True)
class SlotInput:
    """What decides an utterance's slot. ``prompt`` is the text that was read."""

    utterance_id: str
    accent: str
    prompt: str


def generator(seed: int, family: str, slot: int, purpose: str) -> np.random.Generator:
    """Return the generator of one decision: BLAKE2b of the four fields keys a Philox counter generator.

    The global random state is neither read nor changed. SNR and condition name are deliberately not
    fields: one noise at 20 and at 5 dB is the same waveform scaled.
    """
    return np.random.Generator(np.random.Philox(key=_digest(16, seed, family, slot, purpose)))


def integers(rng: np.random.Generator, bounds: Sequence[int]) -> list[int]:
    """Draw one integer in [0, bound) for each of ``bounds``, from one raw 64-bit integer each."""
    raw = np.atleast_1d(rng.bit_generator.random_raw(len(bounds)))
    return [(int(value) * bound) >> 64 for value, bound in zip(raw, bounds, strict=True)]


def uniform(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw ``count`` numbers in [0, 1), each from one raw 64-bit integer."""
    raw = np.atleast_1d(np.asarray(rng.bit_generator.random_raw(count), dtype=np.uint64))
    return np.asarray(raw >> np.uint64(11), dtype=np.float64) * 2.0**-53


def permutation(rng: np.random.Generator, length: int) -> list[int]:
    """Return 0 ... ``length`` - 1 in random order (Fisher-Yates on raw integers)."""
    order = list(range(length))
    picks = integers(rng, range(length, 1, -1)) if length > 1 else []
    for last, pick in zip(range(length - 1, 0, -1), picks, strict=True):
        order[last], order[pick] = order[pick], order[last]
    return order


def assign_slots(utterances: Sequence[SlotInput], *, by: Pairing, slots: int, seed: int) -> dict[str, int]:
    """Deal utterances to slots 0 ... ``slots`` - 1, whatever their order in ``utterances``.

    Args:
        utterances: everything that will be rendered.
        by: ``slot``: within each accent, utterances in the hashed order of their words, then of their ids, rank
            modulo ``slots``; accents that read exactly the same texts so meet the same noise on the same words.
            ``prompt``: the same words always meet the same slot, also within an accent.
            ``utterance``: each utterance's own hash; no pairing.
        slots: how many realizations there are.
        seed: of the study.

    Returns:
        The slot of each utterance_id.

    Raises:
        ConditionError: if an utterance_id occurs twice or there are no slots.
    """
    ids = [utterance.utterance_id for utterance in utterances]
    if slots < 1 or len(set(ids)) < len(ids):
        raise ConditionError(f"slots need unique utterance ids ({len(ids) - len(set(ids))} repeated) and slots >= 1")
    if by == "utterance":
        return {name: _digest(8, seed, "slots", by, name) % slots for name in ids}
    if by == "prompt":
        ranks = _ranks((_words(utterance.prompt) for utterance in utterances), seed)
        return {utterance.utterance_id: ranks[_words(utterance.prompt)] % slots for utterance in utterances}
    accents: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for utterance in utterances:
        words, name = _words(utterance.prompt), utterance.utterance_id
        accents[utterance.accent].append((_digest(8, seed, "rank", words), _digest(8, seed, "rank", name), name))
    return {name: rank % slots for members in accents.values() for rank, (*_, name) in enumerate(sorted(members))}


def _words(prompt: str) -> str:
    return " ".join(prompt.casefold().split())


def _ranks(names: Iterable[str], seed: int) -> dict[str, int]:
    ordered = sorted(set(names), key=lambda name: (_digest(8, seed, "rank", name), name))
    return {name: rank for rank, name in enumerate(ordered)}


def _digest(size: int, *fields: object) -> int:
    text = "\x1f".join(str(field) for field in fields)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "little")
