"""One accent's WER against others' where accents may have read different texts (statistics: 4.5).

Errors vary with the text as well as with the speaker. Where each accent read texts of its own, speakers alone make an
interval too narrow; here texts are taken as a second sample. A difference that is systematic in the texts stays in the
gap, whatever the interval: that takes shared texts, or a common mix of strata.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.stats.contrasts import Contrast
from pipeline.stats.counts import MIN_K_EFF, BoolArray, FloatArray, IntArray
from pipeline.stats.jackknife import interval, log_interval, logarithm, welch_degrees

PER_UTTERANCE = ("accent", "speaker", "text", "stratum", "errors", "words")
NO_SPREAD = 1e-24
"""A variance that is rounding alone: speakers who all err alike tell nothing of how others would."""
FLOOR = 0.5
"""The two-way variance never falls below this share of the larger of its two parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Utterances of the compared accents under one condition; arrays of codes and counts of length n.

    ``mix`` is the share of each stratum in the common mix, shape (strata,), adding up to 1; every accent has reference
    words in every stratum. Without strata there is one. ``speaker`` codes are nested in accents, those of texts not.
    """

    accents: tuple[str, ...]
    accent: IntArray
    speaker: IntArray
    text: IntArray
    stratum: IntArray
    errors: IntArray
    words: IntArray
    mix: FloatArray

    def taken(self, which: BoolArray) -> "Counted":
        """Return some of the utterances, by a mask of shape (n,)."""
        arrays = {name: getattr(self, name)[which] for name in PER_UTTERANCE}
        return replace(self, **arrays)


@dataclass(frozen=True, slots=True, eq=False)
class Deleted:
    """What leaving out one cluster does to the rate of each accent it is part of: arrays over (cluster, accent) pairs.

    ``factor`` is (k - 1)/k of each cluster's accent, shape (clusters,); ``k_eff`` the effective number of clusters of
    each accent, shape (accents,).
    """

    cluster: IntArray
    accent: IntArray
    change: FloatArray
    factor: FloatArray
    k_eff: FloatArray


@dataclass(frozen=True, slots=True)
class _Spread:
    """Variance and degrees of freedom of a contrast, on the plain and on the log scale."""

    plain: float
    log: float
    plain_degrees: float
    log_degrees: float


def mixes(codes: IntArray, accent: IntArray, words: IntArray, n_accents: int) -> FloatArray:
    """Return the share of each accent's words that each code has, shape (accents, codes); rows add up to 1."""
    size = int(codes.max()) + 1
    sums = np.bincount(accent * size + codes, weights=words, minlength=n_accents * size).reshape(n_accents, size)
    return np.asarray(sums / sums.sum(axis=1, keepdims=True), dtype=np.float64)


def overlaps(given: Counted, weights: FloatArray) -> FloatArray:
    """Return how much of its texts each accent has in common with those it is compared with, shape (accents,), 0 to 1.

    The sum over texts of the smaller of the two shares of words. ``weights`` (accents, accents): row by row the weights
    of what an accent is compared with.
    """
    shares = mixes(given.text, given.accent, given.words, len(given.accents))
    return np.asarray(np.minimum(shares, weights @ shares).sum(axis=1), dtype=np.float64)


def rates(given: Counted) -> FloatArray:
    """Return WER by accent, reweighted to the common mix of strata, shape (accents,)."""
    errors, words = _by_stratum(given)
    return np.asarray((errors / words) @ given.mix, dtype=np.float64)


def _by_stratum(given: Counted) -> tuple[FloatArray, FloatArray]:
    shape = (len(given.accents), len(given.mix))
    key = given.accent * shape[1] + given.stratum
    errors, words = (_sums(key, of, shape[0] * shape[1]) for of in (given.errors, given.words))
    return errors.reshape(shape), words.reshape(shape)


def _sums(places: IntArray, values: IntArray | FloatArray, size: int) -> FloatArray:
    return np.bincount(places, weights=values, minlength=size).astype(np.float64)


def deleted(given: Counted, clusters: IntArray) -> Deleted:
    """Leave out each of ``clusters``, codes of shape (n,), in turn; NaN where a stratum is left without words."""
    n_accents, n_strata = len(given.accents), len(given.mix)
    codes = np.unique(clusters, return_inverse=True)[1]
    keys, place = np.unique((codes * n_accents + given.accent) * n_strata + given.stratum, return_inverse=True)
    less_errors, less_words = (_sums(place, of, len(keys)) for of in (given.errors, given.words))
    pair, stratum = keys // n_strata, keys % n_strata
    errors, words = (of[pair % n_accents, stratum] for of in _by_stratum(given))
    left = np.full(len(keys), np.nan)
    np.divide(errors - less_errors, words - less_words, out=left, where=words > less_words)
    pairs, of_pair = np.unique(pair, return_inverse=True)
    change = _sums(of_pair, given.mix[stratum] * (left - errors / words), len(pairs))
    cluster, accent = pairs // n_accents, pairs % n_accents
    counts = np.bincount(accent, minlength=n_accents)
    factor = np.ones(int(codes.max()) + 1)
    np.minimum.at(factor, cluster, ((counts - 1) / np.maximum(counts, 1))[accent])
    pair_words = _sums(of_pair, less_words, len(pairs))
    totals, squares = (_sums(accent, of, n_accents) for of in (pair_words, pair_words**2))
    return Deleted(cluster, accent, change, factor, totals**2 / squares)


def samples(given: Counted, *, texts: bool) -> tuple[Deleted, ...]:
    """Leave out the speakers; with ``texts`` also the texts, and last the utterances of one speaker and text."""
    by_speaker = deleted(given, given.speaker)
    if not texts:
        return (by_speaker,)
    both = given.speaker * (int(given.text.max()) + 1) + given.text
    return by_speaker, deleted(given, given.text), deleted(given, both)


def compare(
    given: Counted, place: int, weights: FloatArray, *, confidence: float, sampled: Sequence[Deleted]
) -> Contrast:
    """Compare the accent at ``place`` with the mean of the others: difference and ratio of the rates, with intervals.

    With texts among ``sampled`` the variance is two-way: V_speaker + V_text - V_(speaker, text), not below half of the
    larger of the first two, with the smaller of the two degrees of freedom (Cameron, Gelbach & Miller, "Robust
    inference with multiway clustering" (2011), as jackknives). A text that several accents read is one cluster and is
    left out of all of them at once. No interval where an accent has fewer than 3 effective speakers (or texts), or one
    side has no errors.

    Args:
        given: the utterances of all accents that are compared.
        place: index of the accent.
        weights: of the other accents' rates, shape (accents,), 0 at ``place``, adding up to 1.
        confidence: level of the intervals.
        sampled: what varies by chance, from ``samples``.
    """
    rate = rates(given)
    one, rest = float(rate[place]), float(weights @ rate)
    ratio = one / rest if rest > 0 else None
    used = (weights > 0) | (np.arange(len(weights)) == place)
    if min(float(of.k_eff[used].min()) for of in sampled[:2]) < MIN_K_EFF or not one or not rest:
        return Contrast(one - rest, None, ratio, None)
    spreads = [_spread(of, rate, place, weights) for of in sampled]
    plain, log = _two_way([of.plain for of in spreads]), _two_way([of.log for of in spreads])
    if not plain > NO_SPREAD:
        return Contrast(one - rest, None, ratio, None)
    return Contrast(
        gap=one - rest,
        gap_interval=interval(one - rest, plain, min(of.plain_degrees for of in spreads[:2]), confidence=confidence),
        ratio=ratio,
        ratio_interval=log_interval(one / rest, log, min(of.log_degrees for of in spreads[:2]), confidence=confidence),
    )


def _two_way(variances: list[float]) -> float:
    if len(variances) == 1:
        return variances[0]
    by_speaker, by_text, by_both = variances
    return max(by_speaker + by_text - by_both, FLOOR * max(by_speaker, by_text))


def _spread(of: Deleted, rate: FloatArray, place: int, weights: FloatArray) -> _Spread:
    own, n = of.accent == place, len(of.factor)
    used = (weights > 0) | (np.arange(len(rate)) == place)
    sides = (float(rate[place]), float(weights @ rate))
    # what leaving a cluster out of one accent does to that accent's side of the contrast, each side on its own
    by_accent = np.where(np.arange(len(rate)) == place, 1.0, weights)
    moves = by_accent[of.accent] * of.change
    # Welch's degrees need the part of each accent: its own clusters, as if no text were shared
    alone = (by_accent / np.where(np.arange(len(rate)) == place, *sides))[of.accent] * of.change
    log_alone = logarithm(1 + alone)
    parts = [_sums(of.accent, of.factor[of.cluster] * np.square(of_pair), len(rate)) for of_pair in (moves, log_alone)]
    plain, log = (float(part.sum()) for part in parts)
    if len(of.cluster) > n:  # a cluster of several accents moves both sides at once
        one, rest = (_sums(of.cluster, np.where(mine, moves, 0.0), n) for mine in (own, ~own))
        log_moves = logarithm(1 + one / sides[0]) - logarithm(1 + rest / sides[1])
        plain, log = (float((of.factor * np.square(move)).sum()) for move in (one - rest, log_moves))
    return _Spread(
        plain=plain,
        log=log,
        plain_degrees=welch_degrees(parts[0][used], of.k_eff[used] - 1),
        log_degrees=welch_degrees(parts[1][used], of.k_eff[used] - 1),
    )
