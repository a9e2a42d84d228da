"""Speakers drawn again with replacement, all their conditions together: a cross-check of the jackknife.

Only the studentized form is given, and only for cells of 30 speakers and more (statistics: 2, 2.5): a percentile
interval of fewer covers too rarely, and more replicates do not mend that. Where accents are pooled, speakers are drawn
within their accent. All replicates of all conditions are one matrix product of how often each speaker was drawn
(statistics: 6).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from pipeline.records import Interval
from pipeline.result_tables import BOOTSTRAP_SPEAKERS
from pipeline.stats.counts import BoolArray, FloatArray, IntArray, Tally
from pipeline.stats.jackknife import MAX_FOLD
from pipeline.stats.permutation import generator
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED

MIN_STRATUM = 5
"""Accents with fewer speakers are one stratum: of one or two speakers, drawing again shows hardly any spread."""
MAX_UNDEFINED = 0.01
"""With a larger share of replicates without errors, or without spread, there is no interval."""
CHUNK = 1_000
"""Replicates made at once."""
EXACT_FLOAT32 = 2**24
"""Up to it every integer is a 32-bit floating-point number, so that sums of integers are exact."""
NO_SPREAD = 1e-12
"""Share of the sum of squared errors under which what is left of it is rounding."""


class Bootstrap(NamedTuple):
    """A studentized interval of one cell's WER and the number of replicates that it rests on."""

    interval: Interval
    replicates: int


def drawn(speakers: int, replicates: int, *, rng: np.random.Generator) -> IntArray:
    """Return how often each speaker is drawn in each replicate, shape (replicates, speakers); a row sums to them."""
    places = rng.integers(0, speakers, (replicates, speakers), dtype=np.int64)
    places += np.arange(replicates)[:, None] * speakers
    return np.bincount(places.ravel(), minlength=replicates * speakers).reshape(replicates, speakers)


def resampled_sums(values: IntArray, replicates: int, *, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield sums over speakers drawn with replacement, in chunks of shape (replicates of the chunk, columns).

    Args:
        values: non-negative integers, shape (speakers, columns); a speaker's row is drawn as a whole.
        replicates: how many times as many speakers as there are are drawn.
        rng: decides the draws, which depend on the number of speakers and on no value.
    """
    # no draw can sum to more than this; beyond 2^24 32 bits would round, beyond 2^53 nothing of ours goes
    most = len(values) * int(values.max(initial=0))
    columns = values.astype(np.float32 if most <= EXACT_FLOAT32 else np.float64)
    for start in range(0, replicates, CHUNK):
        times = drawn(len(values), min(CHUNK, replicates - start), rng=rng)
        yield np.asarray(times.astype(columns.dtype) @ columns, dtype=np.float64)


def bootstrap(
    counts: Tally, voices: Mapping[tuple[str, str], str], settings: StatsSettings, *names: str
) -> dict[tuple[str, str], Bootstrap]:
    """Return an interval for each cell that can have one, by accent (``ALL`` is the pool) and condition.

    The pivot of a replicate is (log WER* - log WER) / SE*, with the linearized standard error over speakers in both
    places. None for a cell with fewer than 30 speakers, with a speaker who has no name, with too many undefined
    replicates, or whose interval is wider than a jackknife interval may be.

    Args:
        counts: speakers x conditions of one backend and normalizer.
        voices: by accent and name, which speakers are one voice; if one has several accents, the pool draws voices.
        settings: seed, number of replicates (0: no intervals), level.
        names: key of the draws beside the seed and the accent.
    """
    found: dict[tuple[str, str], Bootstrap] = {}
    every = {label: _moments(counts, members) for label, members in _strata(counts).items()}
    wanted = {label: {label: one} for label, one in every.items()} | {POOLED: _voices(counts, voices) or every}
    for accent, strata in wanted.items():
        whole = np.concatenate([np.zeros((0, 5, len(counts.conditions)), dtype=np.int64), *strata.values()])
        large = (whole[:, 1] > 0).sum(axis=0) >= BOOTSTRAP_SPEAKERS
        if not settings.bootstrap or not large.any() or not _all_named(counts, accent):
            continue
        rng = {label: generator(settings.seed, "bootstrap", *names, label) for label in strata}
        pivots = _pivots(strata, whole.sum(axis=0), settings.bootstrap, rng)
        for column in np.flatnonzero(large):
            one = _interval(whole[:, :, column].sum(axis=0), pivots[:, column], settings.confidence)
            if one is not None:
                found[accent, counts.conditions[column]] = one
    return found


def _strata(counts: Tally) -> dict[str, BoolArray]:
    """Return the speakers with words by accent; those of small accents together, under no accent's name."""
    heard = counts.words.any(axis=1)
    strata: dict[str, BoolArray] = {}
    for accent in counts.accents:
        members = counts.members([accent]) & heard
        label = accent if members.sum() >= MIN_STRATUM else ""
        strata[label] = strata[label] | members if label in strata else members
    return strata


def _all_named(counts: Tally, accent: str) -> bool:
    return all(unit.named for unit in counts.units if accent in (POOLED, unit.accent))


def _moments(counts: Tally, members: BoolArray) -> IntArray:
    """Return E, N, E^2, E N, N^2 of each speaker, shape (speakers, 5, conditions): what rate and error are made of."""
    return _squares(counts.errors[members], counts.words[members])


def _squares(errors: IntArray, words: IntArray) -> IntArray:
    return np.stack([errors, words, errors * errors, errors * words, words * words], axis=1)


def _voices(counts: Tally, voices: Mapping[tuple[str, str], str]) -> dict[str, IntArray]:
    """Return the moments of voices, as one stratum, if one of them is a speaker of several accents."""
    names = [voices.get((unit.accent, unit.name), f"\0{place}") for place, unit in enumerate(counts.units)]
    distinct, cluster = np.unique(names, return_inverse=True)
    if len(distinct) == len(names):
        return {}
    errors, words = (np.zeros((len(distinct), len(counts.conditions)), dtype=np.int64) for _ in range(2))
    np.add.at(errors, cluster, counts.errors)
    np.add.at(words, cluster, counts.words)
    return {POOLED: _squares(errors, words)[words.any(axis=1)]}


def _pivots(
    strata: Mapping[str, IntArray], observed: FloatArray, replicates: int, rng: Mapping[str, np.random.Generator]
) -> FloatArray:
    """Return (y* - y) / SE* of every replicate, shape (replicates, conditions); NaN where it is undefined."""
    rate, _ = _rate_and_error(observed)
    streams = [
        resampled_sums(one.reshape(len(one), -1), replicates, rng=rng[label]) for label, one in sorted(strata.items())
    ]
    chunks = []
    for parts in zip(*streams, strict=True):
        drawn_rate, error = _rate_and_error(np.sum(parts, axis=0).reshape(-1, *observed.shape))
        with np.errstate(invalid="ignore"):
            chunks.append((drawn_rate - rate) / error)
    return np.concatenate(chunks)


def _rate_and_error(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log WER and its linearized standard error from sums of shape (..., 5, conditions); NaN if undefined.

    The error is that of a ratio, sum (E_s - R N_s)^2 / E^2, on the log scale. The factor k/(k-1) cancels in a pivot.
    """
    errors, words, square_errors, product, square_words = np.moveaxis(np.asarray(sums, dtype=np.float64), -2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = errors / words
        residual = square_errors - 2 * rate * product + rate**2 * square_words
        defined = residual > NO_SPREAD * square_errors
        log_rate = np.where(defined, np.log(rate), np.nan)
        return log_rate, np.where(defined, np.sqrt(residual) / errors, np.nan)


def _interval(observed: IntArray, pivots: FloatArray, confidence: float) -> Bootstrap | None:
    """Return the interval of one cell from its five sums and its pivots."""
    rate, error = (float(one[0]) for one in _rate_and_error(observed[:, None].astype(np.float64)))
    usable = pivots[np.isfinite(pivots)]
    if not np.isfinite(error) or len(usable) < (1 - MAX_UNDEFINED) * len(pivots):
        return None
    high, low = np.quantile(usable, [(1 - confidence) / 2, (1 + confidence) / 2])
    found = Interval(float(np.exp(rate - low * error)), float(np.exp(rate - high * error)))
    return Bootstrap(found, len(usable)) if found.high <= MAX_FOLD * found.low else None
