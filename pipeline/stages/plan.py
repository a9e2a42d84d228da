"""Corpus to plan: what this corpus can show, and what it would take; hears nothing.

In: what the corpus says of its utterances, and the scores of an earlier run if one is named. Out: Plan. Excludes
nothing: an accent that cannot be compared has its rows, which say why.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from pipeline.stats.assumed import Earlier, assume
from pipeline.stats.plan import Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.settings import StatsSettings

NAME = "plan"


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
    assumed = assume(sorted(accents), conditions, earlier, settings, asked)
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
