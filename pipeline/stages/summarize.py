"""Scores to every table of results: cells, disparities, interactions, variability, comparisons, adjusted gaps.

In: Scores and what a summary needs beside them. Out: one table for each entry of ``RESULTS``. Excludes nothing: a
cell too thin for an interval or a rank is shown, and says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from pipeline import tables
from pipeline.result_tables import RESULTS
from pipeline.screening_tables import Candidates
from pipeline.stats.adjusted import adjusted
from pipeline.stats.cells import cells
from pipeline.stats.comparisons import comparisons
from pipeline.stats.counts import Tallies, tallies
from pipeline.stats.detectable import detectable
from pipeline.stats.disparity import disparities
from pipeline.stats.hallucination import Signs, hallucinations
from pipeline.stats.interaction import interactions
from pipeline.stats.intersections import intersections
from pipeline.stats.ladders import Ladder
from pipeline.stats.rates import none_left_out, rates
from pipeline.stats.regression import regressions
from pipeline.stats.sensitivity import sensitivity
from pipeline.stats.settings import StatsSettings
from pipeline.stats.snr_shift import snr_shifts
from pipeline.stats.standings import standings
from pipeline.stats.tags import TaggedErrors, tag_errors
from pipeline.stats.terms import FoundTerms, term_table
from pipeline.stats.variability import RepeatedTrial, variability
from pipeline.text.pairs import error_slots

NAME = "summarize"


@dataclass(frozen=True, eq=False)
class Words:
    """What was found in the words of the scored trials, and of those without speech; None: it was not looked for."""

    nonspeech: pd.DataFrame = field(default_factory=lambda: tables.build([], tables.NonSpeech, where=NAME))
    signs: Signs | None = None
    candidates: pd.DataFrame = field(default_factory=lambda: tables.build([], Candidates, where=NAME))
    terms: FoundTerms | None = None
    tagged: TaggedErrors | None = None


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
    words: Words = field(default_factory=Words)
    """what was looked for in single words"""
    left_out: pd.DataFrame = field(default_factory=none_left_out)
    """by cell: what the scores do not hold"""
    ladders: Sequence[Ladder] = ()
    """which conditions are one noise at several SNRs"""
    parents: Mapping[str, str] = field(default_factory=dict)
    """the wider group of each accent, where the vocabulary knows one"""
    made: dict[str, pd.DataFrame] = field(default_factory=dict)
    """the tables of results so far"""

    @cached_property
    def counted(self) -> Tallies:
        """The counts that many tables are made of, added up once."""
        return tallies(self.scores)

    def result(self, name: str) -> pd.DataFrame:
        """Return a table of results, made when it is first asked for: one may be about the others."""
        if name not in self.made:
            self.made[name] = SUMMARIES[name](self)
        return self.made[name]


def _cells(of: Material) -> pd.DataFrame:
    return cells(of.scores, of.settings, synthetic=of.synthetic, voices=of.voices, counted=of.counted)


def _disparities(of: Material) -> pd.DataFrame:
    return disparities(of.scores, of.settings, synthetic=of.synthetic, counted=of.counted)


def _interactions(of: Material) -> pd.DataFrame:
    return interactions(of.scores, of.settings, synthetic=of.synthetic)


def _variability(of: Material) -> pd.DataFrame:
    return variability(of.repeated, of.settings, synthetic=of.synthetic, voices=of.voices)


def _rates(of: Material) -> pd.DataFrame:
    return rates(of.scores, of.left_out, synthetic=of.synthetic)


def _sensitivity(of: Material) -> pd.DataFrame:
    others = {name: of.result(name) for name in RESULTS if name != "sensitivity"}
    return sensitivity(others, of.settings, synthetic=of.synthetic)


def _regressions(of: Material) -> pd.DataFrame:
    return regressions(of.scores, of.settings, synthetic=of.synthetic)


def _standings(of: Material) -> pd.DataFrame:
    return standings(of.scores, of.settings, synthetic=of.synthetic, counted=of.counted)


def _detectable(of: Material) -> pd.DataFrame:
    return detectable(of.scores, of.settings, synthetic=of.synthetic, counted=of.counted)


def _snr_shifts(of: Material) -> pd.DataFrame:
    return snr_shifts(of.scores, of.ladders, of.settings, synthetic=of.synthetic)


def _comparisons(of: Material) -> pd.DataFrame:
    return comparisons(of.scores, of.settings, synthetic=of.synthetic, find_slots=error_slots, voices=of.voices)


def _adjusted(of: Material) -> pd.DataFrame:
    return adjusted(of.scores, of.utterances, of.settings, synthetic=of.synthetic, counted=of.counted)


def _intersections(of: Material) -> pd.DataFrame:
    return intersections(of.scores, of.utterances, of.settings, synthetic=of.synthetic, parents=of.parents)


def _hallucinations(of: Material) -> pd.DataFrame:
    return hallucinations(
        of.scores,
        of.words.signs,
        of.words.nonspeech,
        of.result("variability"),
        of.settings,
        synthetic=of.synthetic,
        voices=of.voices,
    )


def _candidates(of: Material) -> pd.DataFrame:
    return of.words.candidates


def _terms(of: Material) -> pd.DataFrame:
    return term_table(of.scores, of.words.terms, of.settings, synthetic=of.synthetic, voices=of.voices)


def _tag_errors(of: Material) -> pd.DataFrame:
    return tag_errors(of.scores, of.words.tagged, of.settings, synthetic=of.synthetic, voices=of.voices)


SUMMARIES: dict[str, Callable[[Material], pd.DataFrame]] = {
    "cells": _cells,
    "disparities": _disparities,
    "interactions": _interactions,
    "variability": _variability,
    "rates": _rates,
    "sensitivity": _sensitivity,
    "regressions": _regressions,
    "standings": _standings,
    "detectable": _detectable,
    "snr_shifts": _snr_shifts,
    "comparisons": _comparisons,
    "adjusted": _adjusted,
    "intersections": _intersections,
    "hallucinations": _hallucinations,
    "candidates": _candidates,
    "terms": _terms,
    "tag_errors": _tag_errors,
}


def summarize(of: Material) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give every table of results under its name; each is checked where it is built."""
    for name in RESULTS:
        yield name, of.result(name)
