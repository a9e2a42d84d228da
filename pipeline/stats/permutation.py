"""Random rearrangements of speakers over accents: keyed generators, bounded memory, p-values.

A p-value is (1 + rearrangements at least as extreme) / (1 + all of them), which is valid for any number of them.
"""

import hashlib
import json
from collections.abc import Iterator

import numpy as np

from pipeline.stats.counts import FloatArray, IntArray

BATCH_VALUES = 1 << 20
"""Labels held at once: a batch of rearrangements takes some tens of megabytes whatever the number of speakers."""
TIE = 1e-9
"""Relative tolerance under which two statistics count as equal, so that rounding cannot break a tie."""


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one test, keyed by the seed and by names only: nothing else in a table can move it."""
    text = json.dumps([seed, *names], ensure_ascii=False)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))


def rearrangements(labels: IntArray, count: int, *, rng: np.random.Generator) -> Iterator[IntArray]:
    """Yield ``count`` random permutations of ``labels`` in batches of shape (batch, speakers)."""
    size = max(1, BATCH_VALUES // max(1, len(labels)))
    for start in range(0, count, size):
        batch = np.tile(labels, (min(size, count - start), 1))
        yield rng.permuted(batch, axis=1)


def group_sums(labels: IntArray, values: FloatArray, *, groups: int) -> FloatArray:
    """Sum ``values``, shape (batch, speakers) or (speakers,), by label (batch, speakers); returns (batch, groups)."""
    batch = len(labels)
    places = labels + np.arange(batch)[:, None] * groups
    spread = np.broadcast_to(values, labels.shape)
    sums = np.bincount(places.ravel(), weights=spread.ravel(), minlength=batch * groups)
    return sums.astype(np.float64).reshape(batch, groups)


def p_value(observed: float, null: FloatArray) -> float:
    """Return (1 + number of ``null`` >= ``observed``) / (1 + number of ``null``)."""
    return (1 + int((null >= observed - TIE * abs(observed)).sum())) / (1 + len(null))
