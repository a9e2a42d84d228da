"""Does a condition hurt one accent more than the others? Tests by permuting whole speakers (statistics: 4.3, 4.4).

Source of the adjusted p-values: Westfall & Young's single-step max-T, whose family is every accent x condition of one
backend and normalizer. Whole rows move, so the correlation between conditions is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.stats.counts import BoolArray, FloatArray, IntArray
from pipeline.stats.paired import Changes
from pipeline.stats.permutation import p_value, rearrangements, row_sums

SPREAD_FLOOR = 1e-9
"""Share of the total variance below which the variance within accents is not taken: it keeps T and F finite."""


@dataclass(frozen=True, slots=True)
class Family:
    """Every ranked accent under every condition.

    ``labels`` is the accent index of each speaker, shape (speakers,); ``weight`` and ``centered`` (log change less its
    weighted mean) have shape (speakers, conditions), with weight 0 where a speaker was not heard; ``members`` says
    which accents x conditions are tested.
    """

    accents: tuple[str, ...]
    conditions: tuple[str, ...]
    labels: IntArray
    weight: FloatArray
    centered: FloatArray
    members: BoolArray


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Statistics of arrangements: per accent and condition (batch, accents, conditions), ``f`` (batch, conditions).

    ``log_ratio`` is m_a - m_rest and ``error`` its standard error; ``degrees`` (batch, conditions) are those within.
    """

    log_ratio: FloatArray
    error: FloatArray
    t: FloatArray
    f: FloatArray
    degrees: FloatArray


@dataclass(frozen=True, slots=True)
class CellTest:
    """One accent under one condition: extra log degradation, its standard error and degrees, T, and the max-T p."""

    log_ratio: float
    error: float
    degrees: float
    t: float
    p_adjusted: float


@dataclass(frozen=True, slots=True)
class Tested:
    """What was found: each tested cell by (accent, condition); F by condition, their mean, and the p of that mean.

    ``largest_t`` is the largest |T| of the family in each permutation, sorted: what a cell's |T| is compared with.
    """

    cells: Mapping[tuple[str, str], CellTest]
    f: Mapping[str, float]
    mean_f: float
    p_mean_f: float
    largest_t: FloatArray

    def critical_t(self, confidence: float) -> float:
        """Return the |T| that a cell has to exceed for its adjusted p to lie below 1 - ``confidence``."""
        return float(np.quantile(self.largest_t, confidence, method="higher"))


def family(by_condition: Sequence[Changes]) -> Family:
    """Lay the speakers of several conditions out as rows of one matrix."""
    speakers = sorted({speaker for one in by_condition for speaker in one.speakers})
    place = {speaker: row for row, speaker in enumerate(speakers)}
    accents = tuple(sorted({speaker.accent for speaker in speakers}))
    labels = np.array([accents.index(speaker.accent) for speaker in speakers], dtype=np.int64)
    weight, centered = (np.zeros((len(speakers), len(by_condition))) for _ in range(2))
    members = np.zeros((len(accents), len(by_condition)), dtype=bool)
    for column, one in enumerate(by_condition):
        at = [place[speaker] for speaker in one.speakers]
        mean = float((one.weight * one.log_change).sum() / one.weight.sum())
        weight[at, column], centered[at, column] = one.weight, one.log_change - mean
        members[labels[at], column] = True
    return Family(accents, tuple(one.condition for one in by_condition), labels, weight, centered, members)


def contrasts(given: Family, labels: IntArray) -> Contrasts:
    """Compare each accent with the speakers of all others, for each arrangement ``labels`` (batch, speakers).

    T_a = (m_a - m_rest) / se with weighted means m and se^2 = s^2 (1/W_a + 1/W_rest); s^2 is the weighted variance
    within accents on n - A degrees of freedom. F is the usual ratio of mean squares with the same weights.
    """
    heard = (given.weight > 0).astype(np.float64)
    stack = np.hstack([given.weight, given.weight * given.centered, heard])
    sums = row_sums(labels, stack, groups=len(given.accents))
    weight, product, count = np.split(sums, 3, axis=2)
    total_weight, total_product = weight.sum(axis=1, keepdims=True), product.sum(axis=1, keepdims=True)
    total = (given.weight * np.square(given.centered)).sum(axis=0)
    between = (_ratio(np.square(product), weight)).sum(axis=1) - (np.square(total_product) / total_weight)[:, 0]
    groups, n = (count > 0).sum(axis=1), heard.sum(axis=0)
    degrees = n - groups
    within = _ratio(np.maximum(total - between, SPREAD_FLOOR * total), degrees)
    log_ratio = _ratio(product, weight) - _ratio(total_product - product, total_weight - weight)
    inverse = _ratio(np.ones_like(weight), weight) + _ratio(np.ones_like(weight), total_weight - weight)
    error = np.sqrt(within[:, None, :] * inverse)
    usable = given.members & (weight > 0) & (count < n)
    t = np.where(usable, _ratio(log_ratio, error), 0.0)
    return Contrasts(log_ratio, error, t, _ratio(_ratio(between, groups - 1), within), degrees.astype(np.float64))


def _ratio(top: FloatArray, bottom: FloatArray | IntArray) -> FloatArray:
    """Divide, giving 0 where the divisor is not positive."""
    out = np.zeros(np.broadcast_shapes(top.shape, bottom.shape))
    np.divide(top, bottom, out=out, where=np.broadcast_to(bottom, out.shape) > 0)
    return out


def max_t(given: Family, permutations: int, *, rng: np.random.Generator) -> Tested:
    """Permute whole speakers over accents; adjust every cell's p by the largest |T| of the family."""
    seen = contrasts(given, given.labels[None, :])
    largest, mean_f = [], []
    for labels in rearrangements(given.labels, permutations, rng=rng):
        drawn = contrasts(given, labels)
        largest.append(np.abs(drawn.t).max(axis=(1, 2)))
        mean_f.append(drawn.f.mean(axis=1))
    top, observed_f = np.concatenate(largest), float(seen.f[0].mean())
    return Tested(
        cells={
            (given.accents[row], given.conditions[column]): _cell(seen, (0, row, column), top)
            for row, column in np.argwhere(given.members).tolist()
        },
        f=dict(zip(given.conditions, seen.f[0].tolist(), strict=True)),
        mean_f=observed_f,
        p_mean_f=p_value(observed_f, np.concatenate(mean_f)),
        largest_t=np.sort(top),
    )


def _cell(seen: Contrasts, at: tuple[int, int, int], top: FloatArray) -> CellTest:
    t = float(seen.t[at])
    degrees = float(seen.degrees[0, at[2]])
    return CellTest(float(seen.log_ratio[at]), float(seen.error[at]), degrees, t, p_value(abs(t), top))
