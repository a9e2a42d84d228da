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
from pipeline.text.word_counts import count_words

NAME = "plan"

MOST_TEXTS = 20_000
"""So many distinct references are normalized for a plan, in equal parts of the accents; the words of others follow."""

MIN_TEXTS = 500
"""At least so many of each accent."""


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
