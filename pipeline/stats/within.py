"""A group against the rest of its accent: gap, ratio, and a p-value adjusted over every such comparison of a study.

Where no speaker is in two groups, speakers are permuted over the groups of their accent and each p is adjusted by the
largest |T| of the family (Westfall & Young's single-step max-T; statistics: 4.4), each T on the scale of a normal
deviate with its tail under Student's t: a T of five speakers has heavy tails, and would hide those of many. Where an
attribute varies within a speaker (domain, say) there is nothing to permute: both sides lose a speaker together in the
jackknife, p is that of Student's t, and the adjustment is Holm's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from pipeline.records import Interval
from pipeline.stats.contrasts import Contrast, contrast
from pipeline.stats.counts import BoolArray, FloatArray, Group, IntArray, Unit, effective_speakers
from pipeline.stats.crossings import Crossed, moments
from pipeline.stats.jackknife import interval, leave_one_out, log_interval, logarithm, variance, welch_degrees
from pipeline.stats.multiplicity import holm
from pipeline.stats.permutation import generator, p_value, rearrangements

HALF_ERROR = 0.5
LEAST_VARIANCE = 1e-6
"""Of log WER: keeps T finite where all speakers err alike; the permutation test stays exact."""

LEAST_TAIL = 1e-300
"""Of a t distribution: keeps the deviate finite."""

Place = tuple[str, str, str, str]
"""Crossing, accent, group, condition."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One group less, and over, the rest of its accent; ``t`` and ``degrees`` of the log ratio, NaN where undefined."""

    gap: float
    gap_interval: Interval | None
    ratio: float | None
    ratio_interval: Interval | None
    t: float
    degrees: float


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The statistic (max-T: as a normal deviate) and adjusted p of one comparison, and in words how p was adjusted."""

    statistic: float
    p: float
    method: str


def compare(one: Group, rest: Group, *, confidence: float) -> Compared:
    """Compare two sides, each with at least two named speakers; speakers on both sides are deleted from both."""
    if set(one.units) & set(rest.units):
        return _together(one, rest, confidence)
    apart: Contrast = contrast(one, [rest], confidence=confidence)
    sides = (one, rest)
    variances = np.array([_log_variance(side) for side in sides])
    degrees = welch_degrees(variances, np.array([effective_speakers(side.words) for side in sides]) - 1)
    t = _t(one.wer, rest.wer, float(variances.sum()))
    return Compared(apart.gap, apart.gap_interval, apart.ratio, apart.ratio_interval, t, degrees)


def _log_variance(side: Group) -> float:
    return variance(logarithm(leave_one_out(side.errors, side.words)), float(logarithm(side.wer)))


def _t(wer: float, against: float, total_variance: float) -> float:
    if not (wer > 0 and against > 0 and total_variance > 0):
        return math.nan
    return math.log(wer / against) / math.sqrt(total_variance)


def _together(one: Group, rest: Group, confidence: float) -> Compared:
    units = sorted({*one.units, *rest.units})
    left, right = (_without_each(side, units) for side in (one, rest))
    degrees = min(effective_speakers(side.words) for side in (one, rest)) - 1
    gap, ratio = one.wer - rest.wer, one.wer / rest.wer if rest.wer > 0 else None
    logs = math.nan
    gap_interval = ratio_interval = None
    if one.wer > 0 and rest.wer > 0 and ratio is not None:
        logs = variance(logarithm(left) - logarithm(right), math.log(ratio))
        gap_interval = interval(gap, variance(left - right, gap), degrees, confidence=confidence)
        ratio_interval = log_interval(ratio, logs, degrees, confidence=confidence)
    return Compared(gap, gap_interval, ratio, ratio_interval, _t(one.wer, rest.wer, logs), degrees)


def _without_each(side: Group, units: Sequence[Unit]) -> FloatArray:
    """Return the WER of ``side`` without each of ``units`` in turn; without one who is not there it is what it was."""
    own = dict(zip(side.units, leave_one_out(side.errors, side.words).tolist(), strict=True))
    return np.array([own.get(unit, side.wer) for unit in units])


def by_holm(compared: Mapping[Place, Compared]) -> dict[Place, Adjusted]:
    """Return Holm's step-down adjustment of the two-sided p of each T that is defined (statistics: 4.4)."""
    raw = {
        place: 2 * float(stdtr(one.degrees, -abs(one.t)))
        for place, one in compared.items()
        if math.isfinite(one.t) and one.degrees > 0
    }
    method = f"Holm over {len(raw)}; jackknife t, because an attribute varies within speakers"
    adjusted = holm(list(raw.values())).tolist()
    return {place: Adjusted(compared[place].t, p, method) for place, p in zip(raw, adjusted, strict=True)}


def max_t(
    parts: Sequence[Crossed], *, min_speakers: int, permutations: int, seed: int, names: Sequence[str]
) -> dict[Place, Adjusted]:
    """Permute speakers over the groups of their accent and adjust every |T| by the largest of the family.

    A speaker keeps all of its counts: whole rows of conditions move, and under several crossings of one accent the same
    permutation is used, so that what is correlated stays so. Accents are permuted independently.
    """
    largest = np.zeros(permutations)
    seen: dict[Place, float] = {}
    for accent in sorted({one.accent for one in parts}):
        own = [(one, members) for one in parts if one.accent == accent
               if (members := one.members(min_speakers)).any()]  # fmt: skip
        if not own:
            continue
        for one, members in own:
            z = _deviates(one, one.labels[None, :], members)[0]
            for g, c in np.argwhere(members).tolist():
                seen[one.crossing, accent, one.groups[g], one.conditions[c]] = float(z[g, c])
        largest = np.maximum(largest, _largest(own, permutations, generator(seed, "intersections", *names, accent)))
    method = f"max-T over {len(seen)}; speakers permuted within their accent"
    return {place: Adjusted(z, p_value(abs(z), largest), method) for place, z in seen.items()}


def _largest(own: Sequence[tuple[Crossed, BoolArray]], permutations: int, rng: np.random.Generator) -> FloatArray:
    # the crossings of one accent are of the same scores, so they have the same speakers in the same order
    speakers = np.arange(len(own[0][0].speakers), dtype=np.int64)
    found = []
    for order in rearrangements(speakers, permutations, rng=rng):
        tops = [np.abs(_deviates(one, one.labels[order], members)).max(axis=(1, 2)) for one, members in own]
        found.append(np.max(tops, axis=0))
    return np.concatenate(found)


def _deviates(one: Crossed, labels: IntArray, members: BoolArray) -> FloatArray:
    """Return z of each group against the rest for arrangements (batch, speakers): (batch, groups, conditions).

    T is the log ratio of WER over the root of the summed linearized variances of log WER, each side with half an error
    more, so that it always exists; z has its tail under Student's t (Welch degrees of freedom). 0 where it is not
    tested or a side has fewer than two speakers.
    """
    stack = moments(one)
    flat = stack.reshape(len(one.speakers), -1)
    total = stack.sum(axis=0)
    sums = np.stack([(labels == g).astype(np.float64) @ flat for g in range(len(one.groups))], axis=1)
    inside = sums.reshape(len(labels), len(one.groups), len(one.conditions), -1)
    left, right = (_log_wer(side) for side in (inside, total - inside))
    both = left.variance + right.variance
    degrees = np.square(both) / (np.square(left.variance) / left.degrees + np.square(right.variance) / right.degrees)
    t = (left.log_wer - right.log_wer) / np.sqrt(both)
    z = np.sign(t) * -ndtri(np.maximum(stdtr(degrees, -np.abs(t)), LEAST_TAIL))
    enough = (inside[..., 0] > 1.5) & ((total - inside)[..., 0] > 1.5)
    return np.where(members & enough, z, 0.0)


@dataclass(frozen=True, slots=True)
class _Side:
    """Log WER of one side of each contrast, its linearized variance and degrees of freedom."""

    log_wer: FloatArray
    variance: FloatArray
    degrees: FloatArray


def _log_wer(sums: FloatArray) -> _Side:
    """Return log WER and its linearized variance from the sums of ``moments``."""
    heard, e, n, ee, en, nn = np.moveaxis(sums, -1, 0)
    e, n, k = e + HALF_ERROR, np.maximum(n, 1.0), np.maximum(heard, 2.0)
    rate = e / n
    residual = np.maximum(ee - 2 * rate * en + np.square(rate) * nn, 0.0)
    return _Side(np.log(rate), np.maximum(k / (k - 1) * residual / np.square(e), LEAST_VARIANCE), k - 1)
