"""Corpus to plan: what this corpus can show, and what it would take; hears nothing.

In: what the corpus says of its utterances, and the scores of an earlier run if one is named. Out: Plan. Excludes
nothing: an accent that cannot be compared has its rows, which say why.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import has_words
from pipeline.stats.plan import Assumed, Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import Spread
from pipeline.stats.settings import StatsSettings
from pipeline.stats.spread import Scatter, scatter, slope
from pipeline.text.word_counts import count_words

NAME = "plan"
MIN_ERRORS = 10
"""A cell of an earlier run with fewer errors says too little of its WER; that of all accents stands in."""

MOST_TEXTS = 20_000
"""So many distinct references are normalized for a plan, in equal parts of the accents; the words of others follow."""

MIN_TEXTS = 500
"""At least so many of each accent."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """The scores of an earlier run, of one backend and normalizer, and its name."""

    run_name: str
    scores: pd.DataFrame


def plan(
    listing: pd.DataFrame,
    conditions: Sequence[str],
    normalize: Callable[[str], str],
    *,
    earlier: Earlier | None,
    settings: StatsSettings,
    asked: PlanSettings,
) -> pd.DataFrame:
    """Plan a study of ``listing`` (``tables.Listing``), every utterance under every condition."""
    accents = _speakers(listing, normalize)
    assumed = _assumed(sorted(accents), conditions, earlier, settings, asked)
    return plan_table(accents, conditions, assumed, settings=settings, plan=asked)


def estimated(listing: pd.DataFrame) -> bool:
    """Return whether the words of an accent are too many to be normalized for a plan, and are estimated."""
    share = _share(listing)
    return any(rows.nunique() > share for _, rows in listing.groupby("accent")["reference"])


def _share(listing: pd.DataFrame) -> int:
    return max(MIN_TEXTS, MOST_TEXTS // max(1, listing["accent"].nunique()))


def _speakers(listing: pd.DataFrame, normalize: Callable[[str], str]) -> dict[str, Speakers]:
    found, share = {}, _share(listing)
    for accent, rows in listing.groupby("accent", sort=True):
        table = rows.assign(words=count_words(rows["reference"], normalize, most=share))
        worded = table[table["words"] > 0]
        named = worded[worded["speaker_id"].notna()].groupby("speaker_id", sort=True)["words"].sum().round()
        n_unnamed = int(worded["speaker_id"].isna().sum())
        found[str(accent)] = Speakers(named.to_numpy(dtype=np.int64), len(rows), n_unnamed)
    return found


def _assumed(
    accents: Sequence[str],
    conditions: Sequence[str],
    earlier: Earlier | None,
    settings: StatsSettings,
    asked: PlanSettings,
) -> Assumed:
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
