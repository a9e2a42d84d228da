"""The tables of results by name: what the stage ``summarize`` makes, and every later room reads.

A result that came after the first four has its schema here.
"""

from pipeline import screening_tables, tables

RESULTS: dict[str, tables.Schema] = {
    "cells": tables.Cells,
    "disparities": tables.Disparities,
    "interactions": tables.Interactions,
    "variability": tables.Variability,
    "hallucinations": screening_tables.Hallucinations,
    "candidates": screening_tables.Candidates,
    "terms": screening_tables.Terms,
    "tag_errors": screening_tables.TagErrors,
}
"""In the order in which they are made; each is written as Parquet and exported as CSV."""
