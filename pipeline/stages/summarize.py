"""Scores to every table of results: cells, disparities, interactions, variability.

In: Scores and what a summary needs beside them. Out: one table for each entry of ``RESULTS``. Excludes nothing: a
cell too thin for an interval or a rank is shown, and says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline import tables
from pipeline.result_tables import RESULTS
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.hallucination import Signs, hallucinations
from pipeline.stats.interaction import interactions
from pipeline.stats.settings import StatsSettings
from pipeline.stats.tags import TaggedErrors, tag_errors
from pipeline.stats.terms import FoundTerms, term_table
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
    words: "Words"
    """what was looked for in single words"""


@dataclass(frozen=True, eq=False)
class Words:
    """What was found in the words of the scored trials, and of those without speech; None: it was not looked for."""

    nonspeech: pd.DataFrame
    signs: Signs | None
    candidates: pd.DataFrame
    terms: FoundTerms | None
    tagged: TaggedErrors | None


def _cells(of: Material) -> pd.DataFrame:
    return cells(of.scores, of.settings, synthetic=of.synthetic, voices=of.voices)


def _disparities(of: Material) -> pd.DataFrame:
    return disparities(of.scores, of.settings, synthetic=of.synthetic)


def _interactions(of: Material) -> pd.DataFrame:
    return interactions(of.scores, of.settings, synthetic=of.synthetic)


def _variability(of: Material) -> pd.DataFrame:
    return variability(of.repeated, of.settings, synthetic=of.synthetic, voices=of.voices)


def _hallucinations(of: Material) -> pd.DataFrame:
    varied = _variability(of)
    return hallucinations(
        of.scores,
        of.words.signs,
        of.words.nonspeech,
        varied,
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
    "hallucinations": _hallucinations,
    "candidates": _candidates,
    "terms": _terms,
    "tag_errors": _tag_errors,
}


def summarize(of: Material) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give every table of results, checked, under its name."""
    for name, schema in RESULTS.items():
        yield name, tables.check(SUMMARIES[name](of), schema, where=f"{NAME}: {name}")
