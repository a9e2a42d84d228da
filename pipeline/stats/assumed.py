"""What a plan takes for granted: from the scores of an earlier run where there is one, else from the settings.

*In*: accents, conditions, scores. *Out*: how errors scatter by condition, the WER of each cell, and where that is from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import has_words
from pipeline.stats.plan import Assumed
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import Spread
from pipeline.stats.settings import StatsSettings
from pipeline.stats.spread import Scatter, scatter, slope

MIN_ERRORS = 10
"""A cell of an earlier run with fewer errors says too little of its WER; that of all accents stands in."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """The scores of an earlier run, of one backend and normalizer, and its name."""

    run_name: str
    scores: pd.DataFrame


def assume(
    accents: Sequence[str],
    conditions: Sequence[str],
    earlier: Earlier | None,
    settings: StatsSettings,
    asked: PlanSettings,
) -> Assumed:
    """Return what is assumed of every accent under every condition."""
    default = Spread(asked.sigma, asked.phi, asked.slope_sd, asked.phi)
    wer = {(accent, condition): asked.wer for accent in accents for condition in conditions}
    told = Assumed(dict.fromkeys(conditions, default), wer, dict.fromkeys(conditions, "assumed"))
    if earlier is None:
        return told
    spread, basis = dict(told.spread), dict(told.basis)
    scatters = {str(name): scatter(rows, assumed_phi=asked.phi) for name, rows in earlier.scores.groupby("condition")}
    for condition in conditions:
        if condition not in scatters:
            basis[condition] = f"assumed: run {earlier.run_name} did not hear this condition"
            continue
        paired = None
        if condition != settings.reference_condition:
            paired = slope(earlier.scores, settings.reference_condition, condition)
        found = Scatter(_common_sigma(scatters.values()), scatters[condition].phi)
        spread[condition], lacking = _completed(found, paired, default)
        lacking -= {"slope"} if condition == settings.reference_condition else set()
        said = f"; {', '.join(sorted(lacking))} assumed: it cannot be told from that run" if lacking else ""
        basis[condition] = f"run {earlier.run_name}{said}"
        wer |= _rates(earlier.scores, accents, condition, default=asked.wer)
    return Assumed(spread, wer, basis)


def _common_sigma(scatters: Iterable[Scatter]) -> float | None:
    """Return the root mean square of sigma over conditions: the same speakers, and one condition alone says little."""
    known = [one.sigma for one in scatters if one.sigma is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None


def _completed(found: Scatter, paired: tuple[float, float] | None, default: Spread) -> tuple[Spread, set[str]]:
    """Return what was estimated with what is assumed in its gaps, and the names of those."""
    slope_sd, paired_phi = paired if paired is not None else (default.slope_sd, default.paired_phi)
    sigma = default.sigma if found.sigma is None else found.sigma
    phi = default.phi if found.phi is None else found.phi
    known = {"sigma": found.sigma, "phi": found.phi, "slope": paired}
    return Spread(sigma, phi, slope_sd, paired_phi), {name for name, value in known.items() if value is None}


def _rates(
    scores: pd.DataFrame, accents: Sequence[str], condition: str, *, default: float
) -> dict[tuple[str, str], float]:
    rows = scores[(scores["condition"] == condition) & has_words(scores)]
    errors = rows["substitutions"] + rows["deletions"] + rows["insertions"]
    words = rows["hits"] + rows["substitutions"] + rows["deletions"]
    pooled = float(errors.sum()) / float(words.sum()) if errors.sum() else default
    by_accent = {
        accent: (errors[rows["accent"] == accent].sum(), words[rows["accent"] == accent].sum()) for accent in accents
    }
    return {
        (accent, condition): float(e) / float(n) if e >= MIN_ERRORS else pooled for accent, (e, n) in by_accent.items()
    }
