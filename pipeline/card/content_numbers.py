"""The tables of comparisons and of adjusted gaps as numbers of the card: main normalizer, in the order of the card."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.card.content_measures import AdjustedGap, SameUtterances
from pipeline.card.keys import Key
from pipeline.card.view import View
from pipeline.tables import POOLED, rows

KEY = ("accent", "condition", "backend", "normalizer")
COMPARED = (
    "WER under the condition less WER under the reference condition, same utterances; jackknife over speakers; p by "
    "flipping the signs of speakers' differences, p_adjusted by Holm over n_family; MAPSSWE by segments, not adjusted"
)
ADJUSTED = {
    "raw": "gap to the reference accent or to the mean of the others; speakers as the sample",
    "two_way": "the same gap; two-way variance, speakers and texts as samples",
    "shared_texts": "gap on the texts that all compared accents have",
    "standardized": "gap of WERs that are reweighted to the pooled mix of the declared strata",
}
"""Methods of the table of adjusted gaps, in the order of the card."""


def same_utterances(view: View) -> list[SameUtterances]:
    """Return each condition against the reference condition, all accents pooled last."""
    found = [
        SameUtterances.model_validate(values | {"key": key, "method": COMPARED})
        for key, values in _numbers(view, view.source.comparisons)
    ]
    order = {name: place for place, name in enumerate((*view.accents, POOLED))}
    return sorted(found, key=lambda item: (view.conditions.index(item.key.condition), order[item.key.accent]))


def adjusted_gaps(view: View) -> list[AdjustedGap]:
    """Return every gap, raw and adjusted; an accent that was not compared has a raw row without a value."""
    found = [
        AdjustedGap.model_validate(
            values | {"key": key, "adjustment": values["method"], "method": ADJUSTED[values["method"]]}
        )
        for key, values in _numbers(view, view.source.adjusted)
    ]
    places = {name: place for place, name in enumerate(ADJUSTED)}

    def order(item: AdjustedGap) -> tuple[int, int, int]:
        condition, accent = view.conditions.index(item.key.condition), view.accents.index(item.key.accent)
        return condition, accent, places[item.adjustment]

    return sorted(found, key=order)


def _numbers(view: View, table: pd.DataFrame) -> Iterator[tuple[Key, dict[str, Any]]]:
    for row in rows(table):
        # a row without a condition says that there is nothing to compare: the card says so elsewhere
        if row["condition"] and (row["backend"], row["normalizer"]) == (view.backend, view.main):
            values = {name: value for name, value in row.items() if name not in KEY}
            yield Key(**{name: row[name] for name in KEY}), values
