"""How many dB of SNR an accent is behind the others at equal WER. *In*: scores, ladders. *Out*: SNR shifts.

A shift of +4 dB: the noise must be 4 dB weaker for this accent to have the WER that the others have. It says the same
of a clinic's noise as of a street's, which a ratio of WERs does not, because it does not depend on where one looks.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import Interval
from pipeline.result_tables import SnrShifts
from pipeline.stats.counts import FloatArray, IntArray, effective_speakers, has_words, is_ranked, studies, tally
from pipeline.stats.jackknife import interval, logarithm, variance, welch_degrees
from pipeline.stats.ladders import Ladder
from pipeline.stats.settings import StatsSettings

MIN_RUNGS = 3
"""A curve through fewer SNRs is a guess."""
MIN_BAND = 0.1
"""Least height, in log WER, of the band that both curves pass through."""


@dataclass(frozen=True, slots=True)
class Accent:
    """Named speakers of one accent who were heard at every SNR: errors (k, rungs), lowest SNR first, and words (k,)."""

    errors: IntArray
    words: IntArray

    @property
    def rates(self) -> FloatArray:
        """WER at each SNR, shape (rungs,)."""
        return np.asarray(self.errors.sum(axis=0) / self.words.sum(), dtype=np.float64)

    @property
    def rates_without(self) -> FloatArray:
        """The same without each speaker in turn, shape (k, rungs)."""
        rest = self.words.sum() - self.words
        return np.asarray((self.errors.sum(axis=0) - self.errors) / rest[:, None], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift in dB, its interval, and the WERs between which it was read; or why there is none."""

    shift_db: float | None = None
    interval: Interval | None = None
    wer_low: float | None = None
    wer_high: float | None = None
    note: str = ""


def snr_shifts(
    scores: pd.DataFrame, ladders: Sequence[Ladder], settings: StatsSettings, *, synthetic: bool
) -> pd.DataFrame:
    """Return the table of shifts, one row an accent and ladder; empty where no ladder was run.

    Only utterances heard at every SNR of the ladder enter, and only ranked accents are compared, each with the mean WER
    of the others (equal weights). SNRs are those that the conditions ask for.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, part in studies(scores):
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        rows.extend(row | key for ladder in ladders for row in _ladder(part, ladder, settings))
    return tables.build(rows, SnrShifts, where="snr_shifts")


def _ladder(part: pd.DataFrame, ladder: Ladder, settings: StatsSettings) -> Iterator[dict[str, Any]]:
    heard = set(part["condition"])
    rungs = [(name, snr_db) for name, snr_db in ladder.rungs if name in heard]
    if not rungs:
        return
    accents, speakers = _accents(part, [name for name, _ in rungs], settings)
    snrs_db = np.array([snr_db for _, snr_db in rungs])
    for name in sorted(set(part["accent"])):
        found = Shift(note=f"not compared: fewer than {settings.min_speakers} named speakers heard at every SNR")
        if name in accents:
            others = [one for other, one in accents.items() if other != name]
            found = shift(accents[name], others, snrs_db, confidence=settings.confidence)
        yield {
            "accent": name,
            "noise": ladder.noise,
            "conditions": ", ".join(condition for condition, _ in rungs),
            "n_snrs": len(rungs),
            "snr_low_db": float(snrs_db.min()),
            "snr_high_db": float(snrs_db.max()),
            "n_speakers": speakers.get(name, (0, 0))[0],
            "n_ref_words": speakers.get(name, (0, 0))[1],
            "shift_db": found.shift_db,
            "ci_low_db": found.interval.low if found.interval else None,
            "ci_high_db": found.interval.high if found.interval else None,
            "wer_low": found.wer_low,
            "wer_high": found.wer_high,
            "note": found.note,
        }


def _accents(
    part: pd.DataFrame, conditions: Sequence[str], settings: StatsSettings
) -> tuple[dict[str, Accent], Mapping[str, tuple[int, int]]]:
    """Return the ranked accents, and of every accent its named speakers and reference words at each SNR."""
    worded = part[part["condition"].isin(conditions) & has_words(part)]
    times = worded.groupby("utterance_id")["condition"].nunique()
    everywhere = worded[worded["utterance_id"].isin(times.index[times == len(conditions)])]
    if everywhere.empty:
        return {}, {}
    counts = tally(everywhere)
    columns = [counts.conditions.index(name) for name in conditions]
    found, speakers = {}, {}
    for name in counts.accents:
        places = np.flatnonzero(counts.members([name]))
        words, named = counts.words[places, columns[0]], [counts.units[place].named for place in places]
        speakers[name] = (sum(named), int(words.sum()))
        if is_ranked(words, all_named=all(named), min_speakers=settings.min_speakers):
            found[name] = Accent(counts.errors[places][:, columns], words)
    return found, speakers


def shift(one: Accent, others: Sequence[Accent], snrs_db: FloatArray, *, confidence: float) -> Shift:
    """Return by how many dB the curve of WER over SNR of ``one`` lies to the right of that of ``others``.

    Estimator: log WER over SNR is made falling (pool adjacent violators) and joined by straight lines, for the accent
    and for the mean WER of the others. Both curves pass through a common band of WERs; the shift is the mean over that
    band, on the log scale, of the SNR of the one less the SNR of the other: the area between the curves over the
    band's height. Where one curve is the other moved sideways, that is by how much. Interval: delete-one-speaker
    jackknife over all accents with the band held fixed, t with Welch degrees of freedom on k_eff - 1 an accent.

    Args:
        one: the accent.
        others: those it is compared with.
        snrs_db: SNR of each rung, rising, shape (rungs,).
        confidence: level of the interval.
    """
    if len(snrs_db) < MIN_RUNGS:
        return Shift(note=f"not computed: {len(snrs_db)} SNRs, and a curve needs {MIN_RUNGS}")
    if not others:
        return Shift(note="not compared: no other accent has enough speakers heard at every SNR")
    against = np.mean([other.rates for other in others], axis=0)
    if not (one.rates.min() > 0 and against.min() > 0):
        return Shift(note="not computed: no errors at one of the SNRs, so that log WER does not exist")
    mine, theirs = falling(np.log(one.rates)[None]), falling(np.log(against)[None])
    low, high = max(mine.min(), theirs.min()), min(mine.max(), theirs.max())
    if high - low < MIN_BAND:
        return Shift(note="not computed: the curves share no band of WERs over these SNRs")
    place, rest = (float(mean_snr_db(curve, snrs_db, low, high)[0]) for curve in (mine, theirs))
    replicates = [mean_snr_db(falling(logarithm(one.rates_without)), snrs_db, low, high)]
    for other in others:
        moved = against + (other.rates_without - other.rates) / len(others)
        replicates.append(mean_snr_db(falling(logarithm(moved)), snrs_db, low, high))
    variances = np.array([variance(r, at) for r, at in zip(replicates, [place] + [rest] * len(others), strict=True)])
    degrees = np.array([effective_speakers(each.words) for each in (one, *others)]) - 1
    bounds = interval(place - rest, float(variances.sum()), welch_degrees(variances, degrees), confidence=confidence)
    note = "pointwise interval, not corrected for the number of accents" if bounds else "no interval: too few errors"
    return Shift(place - rest, bounds, math.exp(low), math.exp(high), note)


def falling(curves: FloatArray) -> FloatArray:
    """Return the least-squares non-increasing fit of each row, shape (rows, rungs).

    The max-min formula of pool adjacent violators (Robertson, Wright & Dykstra, "Order restricted statistical
    inference", 1988), which needs no loop over rows.
    """
    rungs = curves.shape[1]
    sums = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(curves, axis=1)], axis=1)
    out = np.empty_like(curves)
    for at in range(rungs):
        # min over starts of max over ends of the mean: falling, where the formula for rising has them exchanged
        means = [
            [(sums[:, end + 1] - sums[:, start]) / (end + 1 - start) for end in range(at, rungs)]
            for start in range(at + 1)
        ]
        out[:, at] = np.array(means).max(axis=1).min(axis=0)
    return out


def mean_snr_db(curves: FloatArray, snrs_db: FloatArray, low: float, high: float) -> FloatArray:
    """Return each falling curve's mean SNR over the log WERs from ``low`` to ``high``, shape (rows,).

    Beyond its ends a curve stays at its last SNR; the bands that are read do not go there but for a single speaker.
    """
    top, bottom = np.clip(curves[:, :-1], low, high), np.clip(curves[:, 1:], low, high)
    drop = curves[:, :-1] - curves[:, 1:]
    share = np.zeros_like(drop)
    # where in its segment the clipped piece has its middle, 0 at the left end
    np.divide(curves[:, :-1] - (top + bottom) / 2, drop, out=share, where=drop > 0)
    middle = snrs_db[:-1] + share * np.diff(snrs_db)
    area = ((top - bottom) * middle).sum(axis=1)
    area += (high - np.clip(curves[:, 0], low, high)) * snrs_db[0] + (
        np.clip(curves[:, -1], low, high) - low
    ) * snrs_db[-1]
    return np.asarray(area / (high - low), dtype=np.float64)
