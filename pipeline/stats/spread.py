"""How errors scatter in scores that are there: the sigma, phi and slope of a plan (statistics: 8), by moments.

Moments and not a model: they exist for any number of speakers and utterances, and say where they cannot.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import FloatArray, has_words
from pipeline.stats.paired import changes, paired_accents, variance_parts


@dataclass(frozen=True, slots=True)
class Scatter:
    """``sigma`` and ``phi`` of ``power.Spread``; None where these scores cannot tell."""

    sigma: float | None
    phi: float | None


def scatter(rows: pd.DataFrame, *, assumed_phi: float) -> Scatter:
    """Estimate sigma and phi from one backend's, normalizer's and condition's scores of named speakers.

    With e errors of an utterance of n words, E and N of its speaker, r = E / N, and variance proportional to the mean,
    sum (e - n r)^2 has expectation phi * sum r (N - sum n^2 / N); sums run over all speakers. Between speakers of an
    accent, sum (E - N theta)^2 is what phi gives plus exp(sigma^2) - 1 times the squares of the expected errors. With
    one utterance a speaker phi cannot be told from sigma: ``assumed_phi`` then stands in for it.
    """
    named = rows[has_words(rows) & rows["speaker_id"].notna()]
    if named.empty:
        return Scatter(None, None)
    table = pd.DataFrame(
        {
            "accent": named["accent"],
            "speaker": named["speaker_id"],
            "e": (named["substitutions"] + named["deletions"] + named["insertions"]).astype(np.float64),
            "n": (named["hits"] + named["substitutions"] + named["deletions"]).astype(np.float64),
        }
    )
    phi = _within(table)
    sums = table.groupby(["accent", "speaker"], sort=True)[["e", "n"]].sum()
    return Scatter(_between(sums, assumed_phi if phi is None else phi), phi)


def _within(table: pd.DataFrame) -> float | None:
    by_speaker = table.assign(square=table["n"] ** 2).groupby(["accent", "speaker"], sort=True)
    rate = by_speaker["e"].transform("sum") / by_speaker["n"].transform("sum")
    residual = float(((table["e"] - table["n"] * rate) ** 2).sum())
    sums = by_speaker[["e", "n", "square"]].sum()
    expected = float((sums["e"] / sums["n"] * (sums["n"] - sums["square"] / sums["n"])).sum())
    return residual / expected if residual > 0 and expected > 1e-9 * float(sums["e"].sum()) else None


def _between(sums: pd.DataFrame, phi: float) -> float | None:
    """Return sigma; None where no accent has two speakers and an error."""
    found, scale = 0.0, 0.0
    for _, accent in sums.groupby(level="accent", sort=True):
        errors, words = accent["e"].to_numpy(), accent["n"].to_numpy()
        if len(words) < 2 or not errors.sum():
            continue
        theta = errors.sum() / words.sum()
        squares = float(np.square(errors - words * theta).sum())
        # in units of expected errors, so that an accent with many errors does not decide alone
        found += (squares - phi * theta * _spread_of(words, words)) / theta**2
        scale += _spread_of(words, np.square(words))
    return math.sqrt(math.log1p(max(found, 0.0) / scale)) if scale > 0 else None


def _spread_of(words: FloatArray, variances: FloatArray) -> float:
    """Return the expectation of sum (X - w sum X)^2 for independent X with ``variances``, w each one's share of words.

    X_s - w_s T has variance V_s (1 - 2 w_s) + w_s^2 sum V: the accent's own rate is made of the same errors.
    """
    share = words / words.sum()
    return float((variances * (1 - 2 * share)).sum() + np.square(share).sum() * variances.sum())


def slope(rows: pd.DataFrame, reference: str, condition: str) -> tuple[float, float] | None:
    """Return (slope_sd, paired_phi) of the speakers' log changes, or None where nothing can be told.

    The two parts of the variance that the test of the interaction weighs speakers by (statistics: 4.3), about each
    accent's own mean: what a condition does to an accent is not scatter.
    """
    found = paired_accents(rows, reference, condition, min_speakers=2)
    accents = [one for one in found.values() if one.after.all_named and len(one.after.units) >= 2]
    if not accents:
        return None
    centered, sampling = [], []
    for accent in accents:
        one = changes([accent], condition)
        k = len(one.log_change)
        centered.append((one.log_change - one.log_change.mean()) * math.sqrt(k / (k - 1)))
        sampling.append(1 / (accent.before.errors + 0.5) + 1 / (accent.after.errors + 0.5))
    b0, b1 = variance_parts(np.concatenate(centered), np.concatenate(sampling))
    return (math.sqrt(b0), b1) if b0 + b1 > 0 else None
