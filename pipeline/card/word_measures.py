"""The numbers about single words: signs of invented text, key terms, tagged words."""

from pydantic import Field

from pipeline.card.keys import Number, Rate


class Hallucination(Number):
    """One sign of invented text, counted over one accent (or all) under one condition: candidates, not findings."""

    measure: str
    count: int
    base: int
    value: Rate
    ci_low: Rate
    ci_high: Rate
    n_speakers: int
    k_eff: float
    support: str
    unit: str
    note: str
    synthetic: bool


class Term(Number):
    """Recall and false insertions of one listed term, or (``term`` empty) of all of them."""

    term: str
    n_trials: int
    n_said: int
    n_found: int
    recall: Rate
    recall_ci_low: Rate
    recall_ci_high: Rate
    recall_support: str
    n_speakers: int = Field(description="who said a term")
    k_eff: float
    n_ref_words: int
    n_false: int
    false_rate: Rate
    false_ci_low: Rate
    false_ci_high: Rate
    false_support: str
    unit: str
    note: str
    synthetic: bool


class TagError(Number):
    """Errors on the reference words that carry a tag; inserted words are left out."""

    tag: str
    n_speakers: int
    k_eff: float
    n_words: int
    hits: int
    substitutions: int
    deletions: int
    error_rate: Rate
    ci_low: Rate
    ci_high: Rate
    support: str
    unit: str
    n_unplaced: int
    note: str
    synthetic: bool
