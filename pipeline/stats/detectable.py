"""Which ratio between accents a study of these speakers would have shown. *In*: scores. *Out*: detectable ratios.

A test that shows nothing says as much as it could have shown. The standard error is the observed one, of speakers and
not of words (statistics: 8), so that no formula's sigma or phi is assumed.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.result_tables import Detectable
from pipeline.stats import standings
from pipeline.stats.contrasts import contrast
from pipeline.stats.counts import Group, Tallies, Tally, group, ranked_groups, tallies
from pipeline.stats.power import POWER, detectable_log_ratio
from pipeline.stats.settings import StatsSettings

MAX_LOG = 700.0
"""Beyond e^700 a double overflows; such a ratio says that nothing could have been seen."""


def detectable(
    scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool, counted: Tallies | None = None
) -> pd.DataFrame:
    """Return the table of detectable ratios, a row for every accent and condition that was scored.

    exp((t[1 - alpha/2] + t[.8]) * standard error of the log ratio), with the error and the degrees of freedom of the
    interval of ``ratio_to_rest`` or ``ratio_to_reference``: a difference of that size or more, up or down, would have
    been shown in four of five such studies. ``detectable_ratio_holm`` asks for it beyond alpha / ``n_cells``.
    ``counted``: the ``tallies`` of the scores where they are at hand.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, counts in tallies(scores) if counted is None else counted:
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        rows.extend(row | key for row in _study(counts, settings))
    return tables.build(rows, Detectable, where="detectable")


def _study(counts: Tally, settings: StatsSettings) -> Iterator[dict[str, Any]]:
    found = [(name, ranked_groups(counts, name, settings.min_speakers)) for name in counts.conditions]
    asked = [(name, groups, standings.reference(counts, name, settings)[0] or "") for name, groups in found]
    n_cells = sum(len(groups) - (reference != "") for _, groups, reference in asked if len(groups) > 1)
    for condition, groups, reference in asked:
        column = counts.conditions.index(condition)
        for accent in counts.accents:
            if accent != reference and counts.rows[counts.members([accent]), column].any():
                here = group(counts, accent, condition)
                yield _row(here, groups, reference, n_cells, settings) | {"condition": condition}


def _row(here: Group, groups: Sequence[Group], reference: str, n_cells: int, settings: StatsSettings) -> dict[str, Any]:
    row: dict[str, Any] = {"accent": here.accent, "against": reference, "n_speakers": here.n_speakers}
    row |= {"n_cells": n_cells, **dict.fromkeys(("log_error", "degrees", "detectable_ratio", "detectable_ratio_holm"))}
    others = [one for one in groups if one.accent != here.accent and reference in ("", one.accent)]
    if not any(one.accent == here.accent for one in groups):
        return row | {"note": f"not compared: fewer than {settings.min_speakers} named speakers, or one outweighs all"}
    if not others:
        return row | {"note": "not compared: there is no other accent with enough speakers"}
    found = contrast(here, others, confidence=settings.confidence)
    if found.log_variance is None:
        return row | {"note": "not computed: too few speakers or errors for an interval"}
    error, degrees, alpha = math.sqrt(found.log_variance), found.log_degrees, 1 - settings.confidence
    told = {"log_error": error, "degrees": degrees, "note": f"power {POWER:g}"}
    for name, level in (("detectable_ratio", alpha), ("detectable_ratio_holm", alpha / n_cells)):
        log_ratio = detectable_log_ratio(error, degrees, power=POWER, alpha=level)
        told[name] = math.exp(log_ratio) if log_ratio < MAX_LOG else None
    return row | told
