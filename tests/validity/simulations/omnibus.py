"""The omnibus test of accents where they do not differ, and where they do (statistics: 3.4); the naive gap (3.1)."""

import numpy as np

from pipeline.stats.counts import FloatArray
from pipeline.stats.omnibus import OWN_VARIANCE_SPEAKERS, needs_half_error, q_statistic
from pipeline.stats.permutation import group_sums, p_value, rearrangements
from simulations.figure import Figure, mean, share
from simulations.speakers import drawn

EQUAL, TWO_SIZES = [10] * 12, [5, 20] * 6
MANY_SIZES = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30]
DESIGNS = {
    "12 accents x 10 speakers": (EQUAL, 0.45, 0.2, 0.065),
    "5 or 20 speakers, small accents less variable": (TWO_SIZES, {5: 0.35, 20: 0.55}, 0.2, 0.030),
    "5 or 20 speakers, small accents more variable": (TWO_SIZES, {5: 0.55, 20: 0.35}, 0.2, 0.072),
    "2 to 30 speakers, moderated variances": (MANY_SIZES, 0.45, 0.2, 0.055),
    "8 accents x 5 speakers, hardly any errors": ([5] * 8, 0.45, 0.004, None),
    "5 or 20 speakers, small accents far more variable": (TWO_SIZES, {5: 0.65, 20: 0.25}, 0.2, None),
}
"""Speakers, their log-SD (by size of the accent), WER, published size. The last one is beyond what was published."""
WORST = tuple(DESIGNS)[-1]


def p_of(rng, errors, words, sizes, *, permutations: int = 199) -> float:
    """Return the permutation p of Q by the program's rule for the variances."""
    sizes = np.array(sizes)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    batches = [labels[None, :], *rearrangements(labels, permutations, rng=rng)]
    rule = {"own_variance": min(sizes) >= OWN_VARIANCE_SPEAKERS, "half_error": needs_half_error(errors, sizes)}
    every = np.concatenate([q_statistic(errors, words, each, sizes=sizes, **rule) for each in batches])
    return p_value(every[0], every[1:])


def size(studies: int, *, designs: tuple[str, ...] = tuple(DESIGNS), seed: int = 2) -> list[Figure]:
    """Return how often accents that do not differ are said to."""
    figures = []
    for design in designs:
        sizes, spread, wer, published = DESIGNS[design]
        rng = np.random.default_rng([seed, *design.encode()])
        sds = np.repeat([spread[k] if isinstance(spread, dict) else spread for k in sizes], sizes)
        found = [p_of(rng, *drawn(rng, sum(sizes), speaker_sd=sds, wer=wer), sizes) for _ in range(studies)]
        said, wanted = np.array(found) <= 0.05, "" if design == WORST else "<= .07"
        figures.append(share("omnibus test", design, "size at 5%", said, required=wanted, published=published))
    return figures


def power(studies: int, *, seed: int = 3) -> list[Figure]:
    """Return how often a spread of 0.2 between 12 accents of 10 speakers is found."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(studies):
        rates = np.repeat(0.2 * np.exp(rng.normal(0, 0.2, 12)), 10)
        found.append(p_of(rng, *drawn(rng, 120, wer=rates), EQUAL) <= 0.05)
    return [share("omnibus test", "12 accents x 10 speakers, SD .2 between accents", "power", found, published=0.63)]


def naive_gap(studies: int, *, speakers: tuple[int, ...] = (5, 10, 30), seed: int = 4) -> list[Figure]:
    """Return the mean gap of 12 accents that do not differ, and what permuting speakers says that it would be."""
    figures = []
    for k, published in zip((5, 10, 30), (0.153, 0.113, 0.064), strict=True):
        if k not in speakers:
            continue
        rng, seen, null = np.random.default_rng([seed, k]), [], []
        labels = np.repeat(np.arange(12), k)
        for _ in range(studies):
            errors, words = drawn(rng, 12 * k)
            seen.append(float(_gaps(errors, words, labels[None, :])[0]))
            drawn_gaps = [_gaps(errors, words, each) for each in rearrangements(labels, 99, rng=rng)]
            null.append(float(np.concatenate(drawn_gaps).mean()))
        design = f"12 equal accents x {k} speakers"
        figures.append(mean("naive gap", design, "mean gap", seen, published=published))
        figures.append(mean("naive gap", design, "mean of the permutation null", null, published=published))
    return figures


def _gaps(errors, words, labels) -> FloatArray:
    wer = group_sums(labels, errors.astype(float), groups=12) / group_sums(labels, words.astype(float), groups=12)
    return wer.max(axis=1) - wer.min(axis=1)
