"""Does a condition hurt one accent more than the others? *In*: scores. *Out*: interactions (statistics: 4.3).

The test is on the log scale: does the condition multiply this accent's errors by more than the others'? The absolute
extra points beside it say what users feel; they differ from zero whenever WERs do, and by themselves are no
interaction.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import Interval
from pipeline.stats.counts import MIN_K_EFF, effective_speakers, studies
from pipeline.stats.jackknife import interval, leave_one_out, quantile, variance, welch_degrees
from pipeline.stats.maxt import CellTest, Tested, family, max_t
from pipeline.stats.paired import Changes, PairedAccent, changes, paired_accents
from pipeline.stats.permutation import generator
from pipeline.stats.power import POWER, detectable_beyond
from pipeline.stats.settings import StatsSettings

RATIO = ("log_ratio", "ratio", "ci_low", "ci_high", "statistic", "p_adjusted", "detectable_ratio")
POINTS = ("extra_points", "points_ci_low", "points_ci_high")
EQUAL = 1e-12
"""Log changes nearer than this are the same number, rounded."""
MAX_LOG = 700.0
"""Beyond e^700 a double overflows; such a ratio says that nothing could have been seen."""
NO_SPREAD = "every speaker changed by the same factor: nothing to test"


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition against the reference: all accents, the ranked ones, and their speakers' changes if testable."""

    name: str
    every: Mapping[str, PairedAccent]
    ranked: Mapping[str, PairedAccent]
    speakers: Changes | None
    note: str


def interactions(scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool) -> pd.DataFrame:
    """Return the table of interactions.

    ``ratio`` is exp(m_a - m_rest), the factor by which the condition multiplies this accent's errors beyond what it
    does to the other ranked accents; its interval is pointwise, with the standard error and the n - A degrees of
    freedom of T (variance within accents, pooled). ``p_adjusted`` is max-T over all accents and conditions of a
    backend and normalizer. ``detectable_ratio`` would have exceeded the critical value of max-T with probability .8,
    given the scatter of these speakers (statistics: 8). ``extra_points`` is (WER_c - WER_0) of the accent less that of
    the pool of the others, as a fraction, with a delete-one-speaker jackknife interval, t with Welch degrees of
    freedom. Rows without an accent are omnibus F tests; the one without a condition tests the mean F over conditions.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, part in studies(scores):
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        rows.extend(row | key for row in _study(part, settings, (backend, normalizer)))
    return tables.build(rows, tables.Interactions, where="interactions")


def _study(part: pd.DataFrame, settings: StatsSettings, names: tuple[str, str]) -> Iterator[dict[str, Any]]:
    accents, heard = sorted(part["accent"].unique()), sorted(part["condition"].unique())
    others = [name for name in heard if name != settings.reference_condition]
    if settings.reference_condition not in heard or not others:
        yield _row("", "", 0, f"needs the reference condition '{settings.reference_condition}' and another one")
        return
    conditions = [_condition(part, name, settings) for name in others]
    speakers = [one.speakers for one in conditions if one.speakers is not None]
    tested = _test(speakers, settings, ("max_t", *names))
    for one in conditions:
        alone = _test([one.speakers] if one.speakers else [], settings, ("omnibus", *names, one.name))
        yield from (_accent_row(one, accent, tested, settings) for accent in accents)
        yield _omnibus_row(one.name, [one.speakers] if one.speakers else [], alone, one.note)
    note = f"mean F of {len(speakers)} conditions" if speakers else conditions[0].note
    yield _omnibus_row("", speakers, tested, note)


def _row(accent: str, condition: str, n_speakers: int, note: str, **values: float | None) -> dict[str, Any]:
    key = {"accent": accent, "condition": condition, "n_speakers": n_speakers, "note": note}
    return key | dict.fromkeys(RATIO + POINTS) | values


def _condition(part: pd.DataFrame, name: str, settings: StatsSettings) -> _Condition:
    every = paired_accents(part, settings.reference_condition, name, min_speakers=settings.min_speakers)
    ranked = {accent: one for accent, one in every.items() if one.ranked}
    if len(ranked) < 2:
        note = f"fewer than two accents have {settings.min_speakers} named speakers heard in both conditions"
        return _Condition(name, every, ranked, None, note)
    found = changes(list(ranked.values()), name)
    if float(np.ptp(found.log_change)) < EQUAL:
        return _Condition(name, every, ranked, None, NO_SPREAD)
    return _Condition(name, every, ranked, found, "")


def _test(speakers: Sequence[Changes], settings: StatsSettings, key: tuple[str, ...]) -> Tested | None:
    if not speakers:
        return None
    return max_t(family(speakers), settings.permutations, rng=generator(settings.seed, *key))


def _omnibus_row(condition: str, speakers: Sequence[Changes], tested: Tested | None, note: str) -> dict[str, Any]:
    n_speakers = len({speaker for one in speakers for speaker in one.speakers})
    if tested is None:
        return _row("", condition, n_speakers, note)
    said = "; ".join(filter(None, (note, "permutation of speakers over accents")))
    return _row("", condition, n_speakers, said, statistic=tested.mean_f, p_adjusted=tested.p_mean_f)


def _accent_row(one: _Condition, accent: str, tested: Tested | None, settings: StatsSettings) -> dict[str, Any]:
    here = one.every.get(accent)
    n_speakers = here.after.n_speakers if here else 0
    if accent not in one.ranked:
        named = here is None or here.after.all_named
        people = "1 speaker" if n_speakers == 1 else f"{n_speakers} speakers"
        floor = f"{people} heard in both conditions, {settings.min_speakers} needed"
        return _row(accent, one.name, n_speakers, f"not compared: {floor if named else 'speakers without names'}")
    if len(one.ranked) < 2:
        return _row(accent, one.name, n_speakers, f"not compared: {one.note}")
    points = _extra_points(one.ranked, accent, settings.confidence)
    if tested is None or one.speakers is None:
        return _row(accent, one.name, n_speakers, NO_SPREAD, log_ratio=0.0, ratio=1.0, **points)
    found = tested.cells[accent, one.name]
    critical = tested.critical_t(settings.confidence)
    return _row(accent, one.name, n_speakers, "", **_ratio(found, settings.confidence, critical), **points)


def _ratio(found: CellTest, confidence: float, critical: float) -> dict[str, float | None]:
    width = quantile(confidence, found.degrees) * found.error
    detectable = detectable_beyond(critical, found.error, found.degrees, power=POWER)
    return {
        "log_ratio": found.log_ratio,
        "ratio": math.exp(found.log_ratio),
        "ci_low": math.exp(found.log_ratio - width),
        "ci_high": math.exp(found.log_ratio + width),
        "statistic": found.t,
        "p_adjusted": found.p_adjusted,
        "detectable_ratio": math.exp(detectable) if detectable < MAX_LOG else None,
    }


@dataclass(frozen=True, slots=True)
class _Harm:
    """WER under a condition less WER under the reference one, with its jackknife variance; ``errors`` in both."""

    points: float
    variance: float
    k_eff: float
    errors: int


def _extra_points(ranked: Mapping[str, PairedAccent], accent: str, confidence: float) -> dict[str, float | None]:
    one = _harm([ranked[accent]])
    rest = _harm([other for name, other in ranked.items() if name != accent])
    extra = one.points - rest.points
    # a side without errors seems not to vary at all: its interval would be a lie
    sound = min(one.k_eff, rest.k_eff) >= MIN_K_EFF and min(one.errors, rest.errors) > 0
    variances, degrees = np.array([one.variance, rest.variance]), np.array([one.k_eff, rest.k_eff]) - 1
    found: Interval | None = None
    if sound:
        found = interval(extra, float(variances.sum()), welch_degrees(variances, degrees), confidence=confidence)
    ends = {"points_ci_low": found.low if found else None, "points_ci_high": found.high if found else None}
    return {"extra_points": extra} | ends


def _harm(accents: Sequence[PairedAccent]) -> _Harm:
    sums = [
        np.concatenate(parts)
        for parts in zip(
            *((one.before.errors, one.before.words, one.after.errors, one.after.words) for one in accents), strict=True
        )
    ]
    errors_0, words_0, errors_c, words_c = sums
    points = float(errors_c.sum() / words_c.sum() - errors_0.sum() / words_0.sum())
    replicates = leave_one_out(errors_c, words_c) - leave_one_out(errors_0, words_0)
    total = int(errors_0.sum() + errors_c.sum())
    return _Harm(points, variance(replicates, points), effective_speakers(words_0), total)
