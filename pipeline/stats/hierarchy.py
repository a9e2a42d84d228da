"""How far accents lie apart once chance is taken off: a normal-normal model on log WER (statistics: 3.2).

    y_a | mu_a ~ N(mu_a, v_a),   mu_a ~ N(mu, tau^2),   flat mu,   tau ~ half-normal(0.5)

The largest of several noisy WERs is too large, so the gap between raw WERs grows with the number of accents and shrinks
with that of speakers even where all accents are alike. Here each log WER y_a carries its sampling variance v_a.
No Markov chain: tau lies on a grid with mu integrated out, and tau, mu, mu_a are drawn from what the grid gives.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.stats.counts import FloatArray, Group, effective_speakers
from pipeline.stats.jackknife import variance

DRAWS = 10_000
"""Draws from the posterior; the ends of a 95% interval then wander by about 3% of a posterior SD (statistics: 2.5)."""
PRIOR_SCALE = 0.5
"""Of the half-normal prior on tau, the SD of log WER between accents."""
GRID = np.linspace(0.0, 2.0, 401)
PRIOR_DEGREES = 4.0
"""Weight of the pooled variance, as degrees of freedom, in each accent's v_a."""
HALF_ERROR = 0.5
NO_SPREAD = 1e-12
"""A pooled variance below this is none: the speakers of every accent all err alike."""
FEW_ACCENTS = 5
MODEL = f"normal-normal model on log WER, half-normal({PRIOR_SCALE}) prior; never 0, so it is no test of a difference"


@dataclass(frozen=True, slots=True)
class Estimates:
    """log WER of each accent and its variance, arrays of length A in the order of the accents; empty if refused.

    ``note`` says how they were made, or why they were not.
    """

    log_wer: FloatArray
    variance: FloatArray
    note: str

    @property
    def usable(self) -> bool:
        """Whether a model can stand on these."""
        return len(self.log_wer) > 0


@dataclass(frozen=True, slots=True)
class Posterior:
    """Median and equal-tailed interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """What the model says of one condition; the tuples follow the order of ``accents``. WERs and gaps are fractions."""

    accents: tuple[str, ...]
    tau: Posterior
    gap: Posterior
    ratio: Posterior
    p_gap_above: float
    wer: tuple[Posterior, ...]
    p_worst: tuple[float, ...]
    p_best: tuple[float, ...]
    note: str


def estimates(groups: Sequence[Group]) -> Estimates:
    """Return y_a and v_a of each accent (each with two speakers or more), or the reason why there are none.

    v_a = (4 pooled + d_a k_eff_a V_a) / ((4 + d_a) k_eff_a) with d_a = k_eff_a - 1 and the pooled variance of one
    effective speaker, sum d_a k_eff_a V_a / sum d_a (statistics: 3.2). Where an accent, or an accent less one speaker,
    has no errors, its logarithm does not exist: half an error is then added to each accent, as in the omnibus test,
    and no v_a falls below that of a Poisson count, 1 / (errors + 1/2).
    """
    if len(groups) < 2:
        return _refused("fewer than two accents can be compared")
    totals = np.array([one.errors.sum() for one in groups], dtype=np.float64)
    if not totals.any():
        return _refused("no accent has any errors")
    bare = [one.accent for one in groups if int(one.errors.sum()) == int(one.errors.max())]
    added = HALF_ERROR if bare else 0.0
    k_eff = np.array([effective_speakers(one.words) for one in groups])
    moves = k_eff * np.array([_log_variance(one, added) for one in groups])
    pooled = float(((k_eff - 1) * moves).sum() / (k_eff - 1).sum())
    if pooled < NO_SPREAD:
        return _refused("the speakers of each accent all err alike: chance cannot be told from difference")
    used = (PRIOR_DEGREES * pooled + (k_eff - 1) * moves) / ((PRIOR_DEGREES + k_eff - 1) * k_eff)
    logs = np.log((totals + added) / np.array([one.words.sum() for one in groups]))
    if not bare:
        return Estimates(logs, used, "")
    few = f"half an error added to each accent: {', '.join(bare)} would have none with one speaker less"
    return Estimates(logs, np.maximum(used, 1 / (totals + added)), few)


def _refused(why: str) -> Estimates:
    return Estimates(np.empty(0), np.empty(0), why)


def _log_variance(one: Group, added: float) -> float:
    """Return the delete-one-speaker jackknife variance of log WER with ``added`` errors (statistics: 2.1)."""
    errors, words = one.errors.sum() + added, one.words.sum()
    return variance(np.log((errors - one.errors) / (words - one.words)), math.log(errors / words))


def posterior_of_tau(log_wer: FloatArray, variances: FloatArray) -> FloatArray:
    """Return the posterior density of tau at each point of ``GRID``, up to a factor, mu integrated out."""
    total = variances + np.square(GRID)[:, None]
    precision = (1 / total).sum(axis=1)
    mean = (log_wer / total).sum(axis=1) / precision
    misfit = (np.square(log_wer - mean[:, None]) / total).sum(axis=1)
    logs = -0.5 * (np.log(total).sum(axis=1) + np.log(precision) + misfit + np.square(GRID / PRIOR_SCALE))
    return np.asarray(np.exp(logs - logs.max()))


def draws(log_wer: FloatArray, variances: FloatArray, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw (tau, mu_a) from the posterior: shapes (DRAWS,) and (DRAWS, accents)."""
    density = posterior_of_tau(log_wer, variances)
    cumulative = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    # one draw in each of DRAWS equal slices: the same distribution, less noise
    slices = (np.arange(DRAWS) + rng.random(DRAWS)) / DRAWS
    tau = np.interp(slices * cumulative[-1], cumulative, GRID)
    total = variances + np.square(tau)[:, None]
    precision = (1 / total).sum(axis=1)
    center = (log_wer / total).sum(axis=1) / precision
    mu = (center + rng.standard_normal(DRAWS) / np.sqrt(precision))[:, None]
    shrink = variances / total
    spread = np.sqrt((1 - shrink) * variances)
    return tau, shrink * mu + (1 - shrink) * log_wer + spread * rng.standard_normal(shrink.shape)


def fit(
    groups: Sequence[Group], given: Estimates, *, confidence: float, material_gap: float, rng: np.random.Generator
) -> Model:
    """Return the posterior of tau, gap, ratio and each accent's WER, from usable ``given`` of ``groups``.

    ``material_gap`` is the gap (fraction) whose exceedance gets a probability. A range is positive by construction:
    whether accents differ at all is a question for the omnibus permutation test, never for this interval.
    """
    tau, logs = draws(given.log_wer, given.variance, rng=rng)
    rates = np.exp(logs)
    high, low = rates.max(axis=1), rates.min(axis=1)
    notes = [given.note] if given.note else []
    if len(groups) < FEW_ACCENTS:
        notes.append(f"fewer than {FEW_ACCENTS} accents: leans on the prior")
    return Model(
        accents=tuple(one.accent for one in groups),
        tau=_posterior(tau, confidence),
        gap=_posterior(high - low, confidence),
        ratio=_posterior(high / low, confidence),
        p_gap_above=float((high - low > material_gap).mean()),
        wer=tuple(_posterior(column, confidence) for column in rates.T),
        p_worst=_shares(rates == high[:, None]),
        p_best=_shares(rates == low[:, None]),
        note="; ".join(notes),
    )


def _posterior(drawn: FloatArray, confidence: float) -> Posterior:
    low, median, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5, 0.5 + confidence / 2])
    return Posterior(float(median), float(low), float(high))


def _shares(extreme: np.ndarray) -> tuple[float, ...]:
    """Return each accent's share of being extreme; accents that tie in a draw share it."""
    shares = (extreme / extreme.sum(axis=1, keepdims=True)).mean(axis=0)
    return tuple(float(share) for share in shares)
