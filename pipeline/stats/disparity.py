"""Summaries across accents within one condition. *In*: scores. *Out*: disparities (statistics: 3.1 to 3.6).

Only ranked accents enter: at least ``min_speakers`` named speakers. The model's gap is the one to quote. The
naive worst-minus-best gap and ratio are shown beside what they would be if accents did not matter, and carry no
interval: a bootstrap of a maximum covers a true gap in as few as 9% of cases (statistics: 3.1).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import Interval
from pipeline.stats.between import MODEL_STATISTICS, model_rows
from pipeline.stats.contrasts import contrast
from pipeline.stats.counts import FloatArray, Group, IntArray, Tallies, Tally, ranked_groups, tallies
from pipeline.stats.faas import FAULTS, OURS, faas
from pipeline.stats.inequality import gini, theil
from pipeline.stats.omnibus import OWN_VARIANCE_SPEAKERS, needs_half_error, q_statistic
from pipeline.stats.permutation import generator, group_sums, p_value, rearrangements
from pipeline.stats.settings import StatsSettings
from pipeline.stats.standings import EQUIVALENCE_STATISTICS, compared, equivalence_rows, reference
from pipeline.stats.summary_row import summary_row as _row

ONCE = ("gap_max_min", "ratio_max_min", "omnibus_q", "gini", "theil", *MODEL_STATISTICS, *EQUIVALENCE_STATISTICS)
"""Statistics that a condition has once; they are there without values where too few accents can be compared."""
BIASED = "naive: biased upward, more with many accents or few speakers; read beside null_mean; no interval is valid"
RELATIVE = (
    "each accent once; biased upward, more with few speakers: read beside null_mean; says nothing of the WER's size"
)
POINTWISE = "pointwise interval, not corrected for the number of accents"


@dataclass(frozen=True, slots=True)
class _Nulls:
    """The statistics of each arrangement, shape (arrangements,); NaN or inf where undefined."""

    gap: FloatArray
    ratio: FloatArray
    q: FloatArray
    gini: FloatArray
    theil: FloatArray


@dataclass(frozen=True, slots=True)
class _Rule:
    """How Q is computed for these speakers."""

    own_variance: bool
    half_error: bool


def disparities(
    scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool, counted: Tallies | None = None
) -> pd.DataFrame:
    """Return the table of disparities; ``counted`` are the ``tallies`` of the scores, if at hand.

    Statistics: those of ``ONCE`` once a condition (and ``faas`` where the settings ask for it); ``gap_to_reference``
    and ``ratio_to_reference``, or ``gap_to_rest`` and ``ratio_to_rest``, once an accent. Gaps are differences of WER as
    fractions. With fewer than two ranked accents those of ``ONCE`` are there without values and say why.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, counts in tallies(scores) if counted is None else counted:
        for condition in counts.conditions:
            key = {"condition": condition, "backend": backend, "normalizer": normalizer, "synthetic": synthetic}
            rng = generator(settings.seed, "disparity", backend, normalizer, condition)
            names = (backend, normalizer, condition)
            rows.extend(row | key for row in _rows(counts, condition, settings, rng, names))
    return tables.build(rows, tables.Disparities, where="disparities")


def _rows(
    counts: Tally, condition: str, settings: StatsSettings, rng: np.random.Generator, names: tuple[str, str, str]
) -> Iterator[dict[str, Any]]:
    groups = ranked_groups(counts, condition, settings.min_speakers)
    if len(groups) < 2:
        note = f"fewer than two accents have {settings.min_speakers} named speakers here"
        yield from (_row(name, len(groups), note) for name in ONCE)
        return
    rule = _rule(groups)
    null = _nulls(groups, rule, settings.permutations, rng)
    yield from _extremes(groups, null)
    omnibus = _omnibus(groups, rule, null)
    yield omnibus
    yield from _inequality(len(groups), null)
    yield from model_rows(groups, settings, names)
    against = reference(counts, condition, settings)
    yield from equivalence_rows(compared(groups, *against, settings), len(groups), settings)
    if settings.faas:
        yield _faas(groups, omnibus["p"])
    yield from _contrasts(groups, against, settings)


def _rule(groups: Sequence[Group]) -> _Rule:
    sizes = np.array([len(one.units) for one in groups], dtype=np.int64)
    errors = np.concatenate([one.errors for one in groups])
    return _Rule(bool(sizes.min() >= OWN_VARIANCE_SPEAKERS), needs_half_error(errors, sizes))


def _nulls(groups: Sequence[Group], rule: _Rule, permutations: int, rng: np.random.Generator) -> _Nulls:
    """Return the statistics of the arrangement that was observed, first, and of ``permutations`` random ones."""
    sizes = np.array([len(one.units) for one in groups], dtype=np.int64)
    observed = np.repeat(np.arange(len(groups)), sizes)
    batches = chain([observed[None, :]], rearrangements(observed, permutations, rng=rng))
    parts = [_statistics(groups, labels, sizes, rule) for labels in batches]
    return _Nulls(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _statistics(groups: Sequence[Group], labels: IntArray, sizes: IntArray, rule: _Rule) -> tuple[FloatArray, ...]:
    errors = np.concatenate([one.errors for one in groups])
    words = np.concatenate([one.words for one in groups])
    wer = group_sums(labels, errors.astype(np.float64), groups=len(groups))
    wer /= group_sums(labels, words.astype(np.float64), groups=len(groups))
    low, high = wer.min(axis=1), wer.max(axis=1)
    ratio = np.full(len(low), math.inf)
    np.divide(high, low, out=ratio, where=low > 0)
    shares = gini(wer), theil(wer)
    if not errors.any():
        return high - low, ratio, np.full(len(low), math.nan), *shares
    q = q_statistic(errors, words, labels, sizes=sizes, own_variance=rule.own_variance, half_error=rule.half_error)
    return high - low, ratio, q, *shares


def _extremes(groups: Sequence[Group], null: _Nulls) -> Iterator[dict[str, Any]]:
    rates = [one.wer for one in groups]
    names, note = {"worst": "", "best": ""}, f"{BIASED}; all accents have the same WER"
    if max(rates) > min(rates):
        # the first label wins a tie, and the note says that there was one
        names = {"worst": groups[int(np.argmax(rates))].accent, "best": groups[int(np.argmin(rates))].accent}
        ends = {"worst": rates.count(max(rates)), "best": rates.count(min(rates))}
        note = "; ".join([BIASED, *(f"{count} tie for {end}" for end, count in ends.items() if count > 1)])
    yield _row("gap_max_min", len(groups), note, **_beside_null(null.gap), **names)
    if not math.isfinite(null.ratio[0]):
        note += "; undefined: the best WER is zero"
    elif not np.isfinite(null.ratio).all():
        note += "; no null mean: some arrangements have a best WER of zero"
    yield _row("ratio_max_min", len(groups), note, **_beside_null(null.ratio), **names)


def _beside_null(values: FloatArray) -> dict[str, float | None]:
    """Return the first value, which was observed, with the mean and 95th percentile of the others; None if infinite."""
    p95 = np.quantile(values[1:], 0.95, method="higher")
    found = {"value": values[0], "null_mean": np.mean(values[1:]), "null_p95": p95}
    return {name: float(value) if math.isfinite(value) else None for name, value in found.items()}


def _omnibus(groups: Sequence[Group], rule: _Rule, null: _Nulls) -> dict[str, Any]:
    if math.isnan(null.q[0]):
        return _row("omnibus_q", len(groups), "no accent has any errors")
    note = f"rule fixed beforehand: own variances if every accent has {OWN_VARIANCE_SPEAKERS} or more speakers, "
    note += "else moderated ones; here own variances"
    if not rule.own_variance:
        note = note.replace("here own variances", "here moderated variances, liberal if small accents vary more")
    note += f"; p from {len(null.q) - 1} permutations of speakers"
    note += "; half an error added to each accent, since many speakers have none" if rule.half_error else ""
    return _row("omnibus_q", len(groups), note, **_beside_null(null.q), p=p_value(float(null.q[0]), null.q[1:]))


def _inequality(n_groups: int, null: _Nulls) -> Iterator[dict[str, Any]]:
    for name, values in (("gini", null.gini), ("theil", null.theil)):
        note = RELATIVE if math.isfinite(values[0]) else "undefined: no accent has any errors"
        yield _row(name, n_groups, note, **_beside_null(values))


def _faas(groups: Sequence[Group], p: float | None) -> dict[str, Any]:
    rates, words = np.array([one.wer for one in groups]), np.array([one.words.sum() for one in groups])
    wer = float((rates * words).sum() / words.sum())
    value = None if p is None else faas(rates, words.astype(np.float64), p=p, wer=wer)
    note = f"{FAULTS}; {OURS}" + ("" if value is not None else "; undefined: all accents alike, or no errors")
    return _row("faas", len(groups), note, value=value)


def _contrasts(
    groups: Sequence[Group], reference: tuple[str | None, str], settings: StatsSettings
) -> Iterator[dict[str, Any]]:
    name, why_not = reference
    kind = "rest" if name is None else "reference"
    against = f"reference: {name}" if name is not None else "rest: mean WER of the other accents, equal weights"
    for one in groups:
        if one.accent == name:
            continue
        others = [other for other in groups if other is not one and name in (None, other.accent)]
        found = contrast(one, others, confidence=settings.confidence)
        note = "; ".join(filter(None, (why_not, against, POINTWISE)))
        ends = (("gap", found.gap, found.gap_interval), ("ratio", found.ratio, found.ratio_interval))
        for measure, value, bounds in ends:
            said = note if bounds else f"{note}; no interval: too few speakers or errors"
            yield _row(f"{measure}_to_{kind}", len(groups), said, accent=one.accent, value=value, **_ends(bounds))


def _ends(bounds: Interval | None) -> dict[str, float | None]:
    return {"ci_low": bounds.low if bounds else None, "ci_high": bounds.high if bounds else None}
