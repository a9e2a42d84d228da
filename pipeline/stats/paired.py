"""Speakers heard in the reference condition and in another one, on the same utterances (statistics: 4.3).

The same utterances cancel the word counts and the speaker's own level; what is left is what the condition did.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from pipeline.stats.counts import KINDS, FloatArray, Group, Unit, group, has_words, tally

HALF_ERROR = 0.5
COUNTED_BY = ("utterance_id", "condition", "speaker_id", "accent")
"""The columns of scores that say whose a count is."""


@dataclass(frozen=True, slots=True)
class PairedAccent:
    """One accent's speakers under the reference condition and under ``condition``, in the same order."""

    before: Group
    after: Group
    ranked: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What ``condition`` did to each ranked speaker; tuple and arrays of length n, sorted by accent and speaker.

    ``log_change`` is D_s; ``weight`` is one over its variance.
    """

    condition: str
    speakers: tuple[Unit, ...]
    log_change: FloatArray
    weight: FloatArray


def paired_accents(rows: pd.DataFrame, reference: str, condition: str, *, min_speakers: int) -> dict[str, PairedAccent]:
    """Return the accents with utterances heard in both conditions, by label, from one backend and normalizer."""
    heard = rows["condition"].isin([reference, condition]).to_numpy(dtype=bool)
    worded = rows.loc[heard & has_words(rows).to_numpy(dtype=bool), [*COUNTED_BY, *KINDS]]
    utterance, utterances = pd.factorize(worded["utterance_id"])
    later = (worded["condition"] == condition).to_numpy(dtype=bool)
    times = [np.bincount(utterance[chosen], minlength=len(utterances)) for chosen in (~later, later)]
    both = worded[((times[0] > 0) & (times[1] > 0))[utterance]]
    if both.empty:
        return {}
    counts = tally(both)
    found = {}
    for accent in counts.accents:
        before, after = group(counts, accent, reference), group(counts, accent, condition)
        found[accent] = PairedAccent(before, after, ranked=after.is_ranked(min_speakers))
    return found


def changes(accents: Sequence[PairedAccent], condition: str) -> Changes:
    """Return D_s = log((E_s,c + .5) / (E_s,0 + .5)) of every speaker of ``accents``, with its weight."""
    before = np.concatenate([one.before.errors for one in accents]) + HALF_ERROR
    after = np.concatenate([one.after.errors for one in accents]) + HALF_ERROR
    log_change = np.log(after / before)
    return Changes(
        condition=condition,
        speakers=tuple(unit for one in accents for unit in one.after.units),
        log_change=log_change,
        weight=null_weights(log_change, 1 / after + 1 / before),
    )


def null_weights(log_change: FloatArray, sampling: FloatArray) -> FloatArray:
    """Return 1 / (b0 + b1 * sampling), the b by NNLS on squared residuals about the grand mean.

    The grand mean, because weights from within-accent residuals make the test liberal with few speakers.
    """
    centered = log_change - log_change.mean()
    if not centered.any():
        return np.ones_like(log_change)
    b0, b1 = variance_parts(centered, sampling)
    return np.asarray(1 / (b0 + b1 * sampling), dtype=np.float64)


def variance_parts(centered: FloatArray, sampling: FloatArray) -> tuple[float, float]:
    """Return (b0, b1) of b0 + b1 * ``sampling``, the NNLS fit of the squares of ``centered`` log changes."""
    (b0, b1), _ = nnls(np.column_stack([np.ones_like(sampling), sampling]), np.square(centered))
    return float(b0), float(b1)
