"""The model's rows in the table of disparities: how far accents lie apart, less what chance adds (statistics: 3.2)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.stats.counts import Group
from pipeline.stats.heterogeneity import paule_mandel, q_profile
from pipeline.stats.hierarchy import MODEL, Estimates, Model, Posterior, estimates, fit
from pipeline.stats.permutation import generator
from pipeline.stats.settings import StatsSettings
from pipeline.stats.summary_row import summary_row

MODEL_STATISTICS = ("between_accent_sd", "model_gap", "model_ratio", "model_gap_above", "paule_mandel")
POINTS = 100.0


def model_of(
    groups: Sequence[Group], settings: StatsSettings, names: tuple[str, str, str]
) -> tuple[Estimates, Model | None]:
    """Return the estimates and the model of one (backend, normalizer, condition); no model where it is refused.

    The draws are keyed by the seed and ``names``: whoever asks for the same model gets the same numbers.
    """
    given = estimates(groups)
    if not given.usable:
        return given, None
    rng = generator(settings.seed, "hierarchy", *names)
    material = settings.material_gap_points / POINTS
    return given, fit(groups, given, confidence=settings.confidence, material_gap=material, rng=rng)


def model_rows(
    groups: Sequence[Group], settings: StatsSettings, names: tuple[str, str, str]
) -> Iterator[dict[str, Any]]:
    """Yield one row for each of ``MODEL_STATISTICS``, without values where the model is refused."""
    given, model = model_of(groups, settings, names)
    n_groups = len(groups)
    if model is None:
        yield from (summary_row(name, n_groups, f"no model: {given.note}") for name in MODEL_STATISTICS)
        return
    note = "; ".join(filter(None, (MODEL, model.note)))
    yield summary_row("between_accent_sd", n_groups, note, **_values(model.tau))
    yield summary_row("model_gap", n_groups, note, **_values(model.gap))
    yield summary_row("model_ratio", n_groups, note, **_values(model.ratio))
    above = f"probability that the gap exceeds {settings.material_gap_points:g} points; {note}"
    yield summary_row("model_gap_above", n_groups, above, value=model.p_gap_above)
    yield _check(given, n_groups, settings)


def _values(of: Posterior) -> dict[str, float]:
    return {"value": of.median, "ci_low": of.low, "ci_high": of.high}


def _check(given: Estimates, n_groups: int, settings: StatsSettings) -> dict[str, Any]:
    value = math.sqrt(paule_mandel(given.log_wer, given.variance))
    found = q_profile(given.log_wer, given.variance, confidence=settings.confidence)
    note = "check of between_accent_sd without a prior: square root of Paule-Mandel's tau^2, Q-profile interval"
    if found is None:
        note += "; no interval: the accents lie closer together than chance gives for any SD"
    ends = {"ci_low": found.low if found else None, "ci_high": found.high if found else None}
    return summary_row("paule_mandel", n_groups, "; ".join(filter(None, (note, given.note))), value=value, **ends)
