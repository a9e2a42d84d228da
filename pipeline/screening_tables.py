"""The schemas of what is looked for in single words: invented text, key terms, tagged words."""

from typing import ClassVar

import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables

SUPPORTS = ["ok", "thin", "insufficient", "zero_errors", "no_words"]
VERDICTS = ("hallucination", "no_hallucination", "unsure")
"""What a reviewer may say of a trial; the first confirms it."""
EMPTIED = "nothing is left of this term after normalization"
UNSAID = "no scored reference holds this term"
"""Notes of ``Terms``."""
UNITS = ["speaker", "utterance"]


class Hallucinations(tables._Table):
    """One sign of invented text, counted over one accent (``ALL`` pools them) under one condition.

    ``value`` is ``count`` over ``base``; ``note`` says what they are. In ``text_without_speech`` nobody spoke: it has
    neither accent (``ALL``) nor normalizer (empty). Whatever is counted is a candidate that nobody reviewed, but for
    the two measures that begin with ``reviewed``.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    measure: Series[str]
    count: Series[int] = pa.Field(ge=0)
    base: Series[int] = pa.Field(ge=0)
    value: Series[float] = pa.Field(nullable=True, ge=0)
    ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    n_speakers: Series[int] = pa.Field(ge=0, description="named, with something to be counted of")
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers")
    support: Series[str] = pa.Field(isin=SUPPORTS, description="zero_errors: none was counted")
    unit: Series[str] = pa.Field(isin=UNITS, description="what the interval takes as independent")
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique: ClassVar[list[str]] = ["accent", "condition", "backend", "normalizer", "measure"]


class Candidates(tables._Table):
    """A trial in which at least one sign of invented text was found: to be listened to, not yet a finding.

    ``criteria`` are the measures of ``Hallucinations`` that fired, with spaces between. Texts are missing where the
    corpus does not let its own be passed on. ``accent`` and ``normalizer`` are empty where nobody spoke.
    """

    trial_key: Series[str]
    utterance_id: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    accent: Series[str]
    criteria: Series[str] = pa.Field(str_length={"min_value": 1})
    n_ref_words: Series[int] = pa.Field(ge=0)
    n_hyp_words: Series[int] = pa.Field(ge=0)
    insertions: Series[int] = pa.Field(ge=0)
    insertion_run: Series[int] = pa.Field(ge=0, description="inserted words in a row, the longest such run")
    text_sha256: Series[str] = pa.Field(description="of the hypothesis as heard; a verdict on another text is not used")
    reference: Series[str] = pa.Field(nullable=True)
    hypothesis: Series[str] = pa.Field(nullable=True, description="as heard, before any normalizer")
    verdict: Series[str] = pa.Field(isin=["", *VERDICTS], description="of a reviewer; empty: not reviewed")
    synthetic: Series[bool]

    class Config:
        unique: ClassVar[list[str]] = ["trial_key", "backend", "normalizer"]


class Terms(tables._Table):
    """How often a listed term that was said is also heard, and heard where it was not said.

    ``term`` is empty in the rows over all terms, one a cell; each term's own rows pool every accent (``ALL``).
    """

    term: Series[str]
    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_trials: Series[int] = pa.Field(ge=0, description="scored trials")
    n_said: Series[int] = pa.Field(ge=0, description="occurrences in references")
    n_found: Series[int] = pa.Field(ge=0, description="of these, heard at the aligned place in any of the term's forms")
    recall: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    recall_ci_low: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    recall_ci_high: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    recall_support: Series[str] = pa.Field(isin=SUPPORTS, description="zero_errors: none was missed")
    n_speakers: Series[int] = pa.Field(ge=0, description="named, who said a term")
    k_eff: Series[float] = pa.Field(ge=0)
    n_ref_words: Series[int] = pa.Field(ge=0)
    n_false: Series[int] = pa.Field(ge=0, description="occurrences in hypotheses that no reference has there")
    false_rate: Series[float] = pa.Field(nullable=True, ge=0, description="false insertions per reference word")
    false_ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    false_ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    false_support: Series[str] = pa.Field(isin=SUPPORTS)
    unit: Series[str] = pa.Field(isin=UNITS)
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique: ClassVar[list[str]] = ["term", "accent", "condition", "backend", "normalizer"]


class TagErrors(tables._Table):
    """Errors on the reference words that carry a tag. Inserted words are on no reference word and are left out."""

    tag: Series[str]
    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    k_eff: Series[float] = pa.Field(ge=0)
    n_words: Series[int] = pa.Field(ge=0, description="tagged reference words, after normalization")
    hits: Series[int] = pa.Field(ge=0)
    substitutions: Series[int] = pa.Field(ge=0)
    deletions: Series[int] = pa.Field(ge=0)
    error_rate: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="substitutions + deletions, per word")
    ci_low: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    ci_high: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    support: Series[str] = pa.Field(isin=SUPPORTS)
    unit: Series[str] = pa.Field(isin=UNITS)
    n_unplaced: Series[int] = pa.Field(ge=0, description="tags that fit no word of the normalized reference")
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique: ClassVar[list[str]] = ["tag", "accent", "condition", "backend", "normalizer"]
