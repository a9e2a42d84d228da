"""The accent x condition interaction once more, from a mixed model. *In*: scores. *Out*: regressions (statistics: 5).

A confirmation and no test: its likelihood-ratio test calls up to a tenth of harmless studies harmful, so p-values are
those of the permutations in ``interactions`` (statistics: 4.3). Each condition is paired with the reference condition,
on the utterances heard in both, as there.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.regression_table import Regressions
from pipeline.stats.counts import FloatArray, studies
from pipeline.stats.jackknife import log_interval
from pipeline.stats.mixed_model import ENGINE, VERSION, Fitted, check_engine, fit_poisson
from pipeline.stats.paired import PairedAccent, paired_accents
from pipeline.stats.settings import StatsSettings

CONFIRMATION = "confirmation only: p-values are those of the permutations in interactions"
NO_REACTION = "speakers' own reactions to the condition were estimated at zero, which makes an interval narrow"
VALUES = ("log_ratio", "standard_error", "ratio", "ci_low", "ci_high")
MODEL = ("speaker_sd", "speaker_condition_sd", "log_likelihood")


@dataclass(frozen=True, slots=True)
class _Model:
    """The accents of a fit, in the order of its cells: first all under the reference condition, then all under it."""

    accents: tuple[str, ...]
    n_speakers: int
    fitted: Fitted


def regressions(scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool) -> pd.DataFrame:
    """Return the table of regressions; empty unless ``settings.regression``.

    For each condition a Poisson model of errors per speaker and condition: accent x condition, random effects of the
    speaker and of the speaker within the condition, log words as offset. ``ratio`` is the factor by which the
    condition multiplies this accent's errors beyond the mean of the other accents (equal weights, log scale); in the
    row without an accent, the factor for the mean of all. Intervals are Wald, t with speakers - accents degrees of
    freedom, pointwise. The three values of the model stand in each of its rows.

    Raises:
        MissingPrerequisite: where they are asked for and the engine is not installed.
    """
    rows: list[dict[str, Any]] = []
    if settings.regression:
        check_engine()
        for backend, normalizer, part in studies(scores):
            key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
            rows.extend(row | key for row in _study(part, settings))
    return tables.build(rows, Regressions, where="regressions")


def _study(part: pd.DataFrame, settings: StatsSettings) -> Iterator[dict[str, Any]]:
    accents, heard = sorted(set(part["accent"])), sorted(set(part["condition"]))
    others = [name for name in heard if name != settings.reference_condition]
    if settings.reference_condition not in heard or not others:
        note = f"needs the reference condition '{settings.reference_condition}' and another one"
        yield _row("", "", 0, note)
        return
    for condition in others:
        paired = paired_accents(part, settings.reference_condition, condition, min_speakers=settings.min_speakers)
        why_not = {accent: _why_not(paired.get(accent), settings) for accent in accents}
        model = _model({accent: paired[accent] for accent in accents if not why_not[accent]})
        yield from _rows(model, condition, why_not, settings)


def _why_not(one: PairedAccent | None, settings: StatsSettings) -> str:
    """Return why an accent is not in the model; nothing if it is."""
    if one is None:
        return "not in the model: not heard in both conditions"
    if not one.ranked:
        return f"not in the model: fewer than {settings.min_speakers} named speakers heard in both conditions"
    if not one.before.errors.sum() or not one.after.errors.sum():
        return "not in the model: no errors in one of the two conditions, so no ratio"
    return ""


def _model(members: Mapping[str, PairedAccent]) -> _Model | None:
    """Fit the model of one condition; None with fewer than two accents."""
    if len(members) < 2:
        return None
    pairs = list(members.values())
    sizes = [len(one.before.units) for one in pairs]
    accent, speaker = np.repeat(np.arange(len(pairs)), sizes), np.arange(sum(sizes))
    sides = [[one.before for one in pairs], [one.after for one in pairs]]
    fitted = fit_poisson(
        np.concatenate([each.errors for side in sides for each in side]),
        np.concatenate([each.words for side in sides for each in side]),
        cell=np.concatenate([accent, accent + len(pairs)]),
        speaker=np.concatenate([speaker, speaker]),
    )
    return _Model(tuple(members), len(speaker), fitted)


def _rows(
    model: _Model | None, condition: str, why_not: Mapping[str, str], settings: StatsSettings
) -> Iterator[dict[str, Any]]:
    if model is None:
        too_few = "no model: fewer than two accents can be compared"
        yield from (_row(accent, condition, 0, why_not[accent] or too_few) for accent in why_not)
        yield _row("", condition, 0, too_few)
        return
    for accent in why_not:
        if accent in model.accents:
            yield _estimated(model, accent, condition, _extra(model, accent), settings)
        else:
            yield _row(accent, condition, 0, why_not[accent])
    yield _estimated(model, "", condition, _change(model, np.ones(len(model.accents))), settings)


def _change(model: _Model, weights: FloatArray) -> FloatArray:
    """Return the contrast "under the condition less under the reference" of accents with these weights, sum 1."""
    share = weights / weights.sum()
    return np.concatenate([-share, share])


def _extra(model: _Model, accent: str) -> FloatArray:
    own = np.array([name == accent for name in model.accents], dtype=np.float64)
    return _change(model, own) - _change(model, 1 - own)


def _estimated(
    model: _Model, accent: str, condition: str, contrast: FloatArray, settings: StatsSettings
) -> dict[str, Any]:
    fitted = model.fitted
    said = "; ".join(_remarks(fitted))
    if not fitted.converged:
        return _row(accent, condition, model.n_speakers, f"the model did not converge; {said}")
    log_ratio = float(contrast @ fitted.log_rate)
    error = math.sqrt(float(contrast @ fitted.covariance @ contrast))
    ratio, degrees = math.exp(log_ratio), model.n_speakers - len(model.accents)
    found = log_interval(ratio, error**2, degrees, confidence=settings.confidence)
    values = (log_ratio, error, ratio, found.low if found else None, found.high if found else None)
    of_model = {name: getattr(fitted, name) for name in MODEL}
    return (
        _row(accent, condition, model.n_speakers, said, converged=True)
        | of_model
        | dict(zip(VALUES, values, strict=True))
    )


def _remarks(fitted: Fitted) -> list[str]:
    found = [CONFIRMATION]
    if fitted.converged and fitted.speaker_condition_sd == 0:
        found.append(NO_REACTION)
    # a zero component is in the table, and said above where it matters
    return found + [f"the engine warns: {remark}" for remark in fitted.remarks if remark != "SingularFit"]


def _row(accent: str, condition: str, n_speakers: int, note: str, *, converged: bool = False) -> dict[str, Any]:
    key = {"accent": accent, "condition": condition, "n_speakers": n_speakers, "note": note, "converged": converged}
    return key | {"engine": f"{ENGINE} {VERSION}"} | dict.fromkeys(VALUES + MODEL)
