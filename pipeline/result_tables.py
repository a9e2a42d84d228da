"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

from pipeline import tables
from pipeline.regression_table import Regressions

RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "regressions": Regressions,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
