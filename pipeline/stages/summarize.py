"""Scores to cells, disparities and interactions.

In: Scores. Out: Cells, Disparities, Interactions. Excludes nothing: a cell too thin for an interval or a
rank is shown, and says so.
"""

from collections.abc import Mapping

import pandas as pd

from pipeline import tables
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.interaction import interactions
from pipeline.stats.settings import StatsSettings

NAME = "summarize"


def summarize(
    scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool, voices: Mapping[tuple[str, str], str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the checked Cells, Disparities and Interactions.

    ``voices`` tells, by accent and speaker, which speakers of different accents are one voice.
    """
    return (
        tables.check(cells(scores, settings, synthetic=synthetic, voices=voices), tables.Cells, where=NAME),
        tables.check(disparities(scores, settings, synthetic=synthetic), tables.Disparities, where=NAME),
        tables.check(interactions(scores, settings, synthetic=synthetic), tables.Interactions, where=NAME),
    )
