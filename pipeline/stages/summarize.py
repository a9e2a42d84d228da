"""Scores to cells, disparities and interactions.

In: Scores. Out: Cells, Disparities, Interactions. Excludes nothing: a cell too thin for an interval or a
rank is shown, and says so.
"""

import pandas as pd

from pipeline import tables
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.interaction import interactions
from pipeline.stats.settings import StatsSettings

NAME = "summarize"


def summarize(
    scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the checked Cells, Disparities and Interactions."""
    return (
        tables.check(cells(scores, settings, synthetic=synthetic), tables.Cells, where=NAME),
        tables.check(disparities(scores, settings, synthetic=synthetic), tables.Disparities, where=NAME),
        tables.check(interactions(scores, settings, synthetic=synthetic), tables.Interactions, where=NAME),
    )
