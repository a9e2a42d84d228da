"""Corpus to plan: what this corpus can show, and what it would take; hears nothing.

In: what the corpus says of its utterances, and the scores of an earlier run if one is named. Out: Plan. Excludes
nothing: an accent that cannot be compared has its rows, which say why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import has_words
from pipeline.stats.plan import Assumed, Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import Spread
from pipeline.stats.settings import StatsSettings
from pipeline.stats.spread import scatter, slope

NAME = "plan"
MIN_ERRORS = 10
"""A cell of an earlier run with fewer errors says too little of its WER; that of all accents stands in."""


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


def _speakers(listing: pd.DataFrame, normalize: Callable[[str], str]) -> dict[str, Speakers]:
    words = {text: len(normalize(text).split()) for text in listing["reference"].unique()}
    table = listing.assign(words=listing["reference"].map(words))
    found = {}
    for accent, rows in table.groupby("accent", sort=True):
        worded = rows[rows["words"] > 0]
        named = worded[worded["speaker_id"].notna()].groupby("speaker_id", sort=True)["words"].sum()
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
    heard = set(earlier.scores["condition"])
    spread, basis = dict(told.spread), dict(told.basis)
    for condition in conditions:
        if condition not in heard:
            basis[condition] = f"assumed: run {earlier.run_name} did not hear this condition"
            continue
        spread[condition], basis[condition] = _estimated(earlier, condition, default, settings)
        wer |= _rates(earlier.scores, accents, condition, default=asked.wer)
    return Assumed(spread, wer, basis)


def _estimated(earlier: Earlier, condition: str, default: Spread, settings: StatsSettings) -> tuple[Spread, str]:
    """Return what the run says of one condition, and in words which of it had to be assumed all the same."""
    scores, reference = earlier.scores, settings.reference_condition
    found = scatter(scores[scores["condition"] == condition], assumed_phi=default.phi)
    paired = slope(scores, reference, condition) if condition != reference else None
    lacking = ["sigma"] * (found.sigma is None) + ["phi"] * (found.phi is None)
    lacking += ["slope"] * (paired is None and condition != reference)
    said = f"; {', '.join(lacking)} assumed: it cannot be told from that run" if lacking else ""
    slope_sd, paired_phi = paired if paired is not None else (default.slope_sd, default.paired_phi)
    sigma = default.sigma if found.sigma is None else found.sigma
    phi = default.phi if found.phi is None else found.phi
    return Spread(sigma, phi, slope_sd, paired_phi), f"run {earlier.run_name}{said}"


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
