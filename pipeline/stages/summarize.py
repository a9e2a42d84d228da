"""Scores to every table of results: cells, disparities, interactions, variability.

In: Scores and what a summary needs beside them. Out: one table for each entry of ``RESULTS``. Excludes nothing: a
cell too thin for an interval or a rank is shown, and says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline import tables
from pipeline.result_tables import RESULTS
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.interaction import interactions
from pipeline.stats.rates import none_left_out, rates
from pipeline.stats.sensitivity import sensitivity
from pipeline.stats.settings import StatsSettings
from pipeline.stats.variability import RepeatedTrial, variability

NAME = "summarize"


@dataclass(frozen=True, eq=False)
class Material:
    """What the summaries are made of: tables of earlier stages and settings that were fixed before."""

    utterances: pd.DataFrame
    scores: pd.DataFrame
    repeated: Sequence[RepeatedTrial]
    settings: StatsSettings
    synthetic: bool
    voices: Mapping[tuple[str, str], str]
    """by accent and speaker: which speakers of different accents are one voice"""
    left_out: pd.DataFrame = field(default_factory=none_left_out)
    """by cell: what the scores do not hold"""
    made: dict[str, pd.DataFrame] = field(default_factory=dict)
    """the tables of results so far"""

    def result(self, name: str) -> pd.DataFrame:
        """Return a table of results, made when it is first asked for: one may be about the others."""
        if name not in self.made:
            self.made[name] = tables.check(SUMMARIES[name](self), RESULTS[name], where=f"{NAME}: {name}")
        return self.made[name]


def _cells(of: Material) -> pd.DataFrame:
    return cells(of.scores, of.settings, synthetic=of.synthetic, voices=of.voices)


def _disparities(of: Material) -> pd.DataFrame:
    return disparities(of.scores, of.settings, synthetic=of.synthetic)


def _interactions(of: Material) -> pd.DataFrame:
    return interactions(of.scores, of.settings, synthetic=of.synthetic)


def _variability(of: Material) -> pd.DataFrame:
    return variability(of.repeated, of.settings, synthetic=of.synthetic, voices=of.voices)


def _rates(of: Material) -> pd.DataFrame:
    return rates(of.scores, of.left_out, synthetic=of.synthetic)


def _sensitivity(of: Material) -> pd.DataFrame:
    others = {name: of.result(name) for name in RESULTS if name != "sensitivity"}
    return sensitivity(others, of.settings, synthetic=of.synthetic)


SUMMARIES: dict[str, Callable[[Material], pd.DataFrame]] = {
    "cells": _cells,
    "disparities": _disparities,
    "interactions": _interactions,
    "variability": _variability,
    "rates": _rates,
    "sensitivity": _sensitivity,
}


def summarize(of: Material) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give every table of results, checked, under its name."""
    for name in RESULTS:
        yield name, of.result(name)
