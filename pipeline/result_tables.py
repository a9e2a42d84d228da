"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables


class Sensitivity(tables._Table):
    """One conclusion under one normalizer, and whether it is the same under all normalizers of the run.

    ``accent`` and ``condition`` are empty where the conclusion is about all of them. The row with the measure
    ``what_changes``, one a backend, has no normalizer: its value counts what changes, and its conclusion names it.
    """

    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    measure: Series[str]
    accent: Series[str]
    value: Series[float] = pa.Field(nullable=True, description="the number behind it: a place, a gap, a p")
    conclusion: Series[str]
    changes: Series[bool] = pa.Field(description="another normalizer of the run leads to another conclusion")
    synthetic: Series[bool]

    class Config:
        unique = ["condition", "backend", "normalizer", "measure", "accent"]


RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "sensitivity": Sensitivity,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
