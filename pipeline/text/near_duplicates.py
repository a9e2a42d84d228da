"""Texts that are nearly the same, found in time that grows with their number and not with its square.

Texts meet only where a fingerprint of their words agrees (``BANDS`` pairs of minimum hashes), and there only their
neighbors in the order of their sorted words are compared. Pairs may be missed, never invented: of two texts of twenty
words that differ in one of them the bands miss one pair in a thousand, in two of them one in a hundred.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

BANDS: Final = 4
NEIGHBORS: Final = 5
"""In a block, so many followers of each text are compared with it."""
FEWEST_WORDS: Final = 4
"""Shorter texts are nearly all nearly alike."""
_BATCH: Final = 100_000

IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]


def near_duplicates(texts: Sequence[str], *, similarity: float, most: int = 100_000) -> list[tuple[int, int, float]]:
    """Return pairs of ``texts`` (distinct and normalized) that are alike, as (place, later place, likeness).

    Likeness is rapidfuzz's ``token_sort_ratio``, 0 to 100, of ``similarity`` or more. Of more than ``most`` pairs the
    most alike are returned: a corpus of commands that differ in a number has more than anybody reads.
    """
    ordered = [" ".join(sorted(text.split())) for text in texts]
    pairs = _candidates(ordered)
    alike = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        alike[start : start + _BATCH] = _likeness(
            [ordered[one] for one in batch[:, 0]], [ordered[other] for other in batch[:, 1]]
        )
    near = np.flatnonzero(alike >= similarity)
    if len(near) > most:
        near = np.sort(near[np.argsort(-alike[near], kind="stable")[:most]])
    return [(int(pairs[at, 0]), int(pairs[at, 1]), float(alike[at])) for at in near]


def _likeness(first: list[str], second: list[str]) -> NDArray[np.float32]:
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    return 100 * np.asarray(cpdist(first, second, scorer=Indel.normalized_similarity), dtype=np.float32)


def _candidates(ordered: Sequence[str]) -> IntArray:
    """Return the distinct pairs of places to compare, shape (pairs, 2)."""
    words = [sorted(set(text.split())) for text in ordered]
    places = np.array([at for at, own in enumerate(words) if len(own) >= FEWEST_WORDS], dtype=np.int64)
    if len(places) < 2:
        return np.empty((0, 2), dtype=np.int64)
    rank = np.empty(len(ordered), dtype=np.int64)  # the neighbors do not depend on the order given
    rank[sorted(range(len(ordered)), key=lambda at: ordered[at])] = np.arange(len(ordered))
    found = [_neighbors(places, key, rank) for key in _fingerprints([words[at] for at in places])]
    pairs = np.sort(np.concatenate(found), axis=1)
    numbered = np.unique(pairs[:, 0] * len(ordered) + pairs[:, 1])  # one number a pair sorts much faster than two
    return np.stack(np.divmod(numbered, len(ordered)), axis=1)


def _fingerprints(words: Sequence[Sequence[str]]) -> Iterator[HashArray]:
    """Yield for each band a hash of every text's two smallest hashed words, by two hash functions."""
    lengths = np.array([len(own) for own in words], dtype=np.int64)
    flat, known = _numbered(words)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    for band in range(BANDS):
        least = [np.minimum.reduceat(_mixed(known, 2 * band + part)[flat], starts) for part in range(2)]
        yield _mixed(least[0], 97) ^ least[1]


def _numbered(words: Sequence[Sequence[str]]) -> tuple[IntArray, HashArray]:
    """Return the place of each word in the vocabulary, and a hash of each word of it that no machine changes."""
    from zlib import crc32

    vocabulary: dict[str, int] = {}
    flat = np.array([vocabulary.setdefault(word, len(vocabulary)) for own in words for word in own], dtype=np.int64)
    hashes = [crc32(word.encode("utf-8", "surrogatepass")) | len(word) << 32 for word in vocabulary]
    return flat, np.array(hashes, dtype=np.uint64)


def _mixed(values: HashArray, salt: int) -> HashArray:
    """Return another hash of each value: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    mixed = values + np.uint64((0x9E3779B97F4A7C15 * (salt + 1)) & 0xFFFFFFFFFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _neighbors(places: IntArray, key: HashArray, rank: IntArray) -> IntArray:
    """Return the pairs of neighbors within each block of one fingerprint."""
    order = np.lexsort((rank[places], key))
    at, block = places[order], key[order]
    found = [np.empty((0, 2), dtype=np.int64)]
    for step in range(1, min(NEIGHBORS, len(at) - 1) + 1):
        same = block[step:] == block[:-step]
        found.append(np.stack([at[:-step][same], at[step:][same]], axis=1))
    return np.concatenate(found)
