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


def row_sums(labels: IntArray, rows: FloatArray, *, groups: int) -> FloatArray:
    """Sum the same ``rows``, shape (speakers, columns), by each row of labels (batch, speakers).

    Returns (batch, groups, columns). One sparse product: every speaker is added once an arrangement and column.
    """
    from scipy.sparse import csr_array

    batch, speakers = labels.shape
    # a stable sort of 16-bit integers takes time in proportion to their number
    order = np.argsort(labels.astype(np.min_scalar_type(groups)), axis=1, kind="stable")
    counts = np.bincount((labels + np.arange(batch)[:, None] * groups).ravel(), minlength=batch * groups)
    ends = np.concatenate([[0], np.cumsum(counts)])
    chosen = csr_array((np.ones(batch * speakers), order.ravel(), ends), shape=(batch * groups, speakers))
    return np.asarray(chosen @ rows, dtype=np.float64).reshape(batch, groups, rows.shape[1])


def p_value(observed: float, null: FloatArray) -> float:
    """Return (1 + number of ``null`` >= ``observed``) / (1 + number of ``null``)."""
    return (1 + int((null >= observed - TIE * abs(observed)).sum())) / (1 + len(null))
