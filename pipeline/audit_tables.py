"""The schemas of what an audit of a corpus finds, and the value that holds them all.

The stage ``audit`` writes them as CSV; the card is written from the same tables, made of what a run may publish.
"""

from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from pipeline import tables

ACCENT = "accent"
"""What an attribute is set against first of all, and the name of that column."""
NOT_STATED = ""
"""The value of an attribute where the corpus does not state it."""


class AuditCoverage(tables._Table):
    """Who is there: an accent (``attribute`` empty), or the part of it with one value of a declared attribute."""

    accent: Series[str]
    attribute: Series[str]
    value: Series[str] = pa.Field(description="empty: not stated; numbers are cut into three bands")
    n_speakers: Series[int] = pa.Field(ge=0, description="named")
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers, by words")
    n_utterances: Series[int] = pa.Field(ge=0)
    n_unnamed: Series[int] = pa.Field(ge=0, description="utterances without a named speaker")
    n_words: Series[int] = pa.Field(ge=0, description="of the references, under the main normalizer")
    minutes: Series[float] = pa.Field(nullable=True, ge=0, description="missing where no audio was opened")
    support: Series[str] = pa.Field(isin=["ok", "thin", "insufficient", "empty"])

    class Config:
        unique = ["accent", "attribute", "value"]


class AuditAssociations(tables._Table):
    """Whether an attribute or a measure of the recordings goes with accent, or with a declared attribute.

    ``value`` is Cramer's V, bias-corrected; epsilon squared of ranks; or Spearman's rho. Missing: it has none.
    """

    attribute: Series[str]
    against: Series[str] = pa.Field(description="accent, or a declared attribute")
    family: Series[str] = pa.Field(isin=["accent", "attribute"])
    measured: Series[bool] = pa.Field(description="of the recordings or texts, not declared")
    measure: Series[str] = pa.Field(isin=["cramers_v", "epsilon_squared", "spearman", ""])
    value: Series[float] = pa.Field(nullable=True, ge=-1, le=1)
    p: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    p_adjusted: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="Holm, within the family")
    n_units: Series[int] = pa.Field(ge=0)
    unit: Series[str] = pa.Field(isin=["speaker", "utterance"])
    n_mixed: Series[int] = pa.Field(ge=0, description="speakers with several values, left out")
    nested: Series[str] = pa.Field(isin=["", "constant", "in_attribute", "in_accent", "same"])
    shown: Series[bool] = pa.Field(description="adjusted p below one minus the confidence")
    note: Series[str]

    class Config:
        unique = ["attribute", "against"]


class AuditGroups(tables._Table):
    """What an association is made of: how many of a group have a value, or the median that they have."""

    attribute: Series[str]
    against: Series[str]
    group: Series[str]
    level: Series[str]
    n_units: Series[int] = pa.Field(ge=0)
    median: Series[float] = pa.Field(nullable=True)

    class Config:
        unique = ["attribute", "against", "group", "level"]


class AuditDuplicates(tables._Table):
    """Utterances whose audio has the same bytes, or whose texts are nearly but not quite the same."""

    kind: Series[str] = pa.Field(isin=["same_audio", "near_text"])
    similarity: Series[float] = pa.Field(ge=0, le=100, description="of the two texts, words sorted; 100: same bytes")
    n_utterances: Series[int] = pa.Field(ge=2)
    n_speakers: Series[int] = pa.Field(ge=0)
    n_accents: Series[int] = pa.Field(ge=1)
    utterance_ids: Series[str] = pa.Field(description="JSON: the first five")


class AuditSpeakers(tables._Table):
    """A speaker id that occurs in more than one accent."""

    speaker_id: Series[str]
    accents: Series[str] = pa.Field(description="JSON: accent to utterances")
    n_accents: Series[int] = pa.Field(ge=2)
    n_utterances: Series[int] = pa.Field(ge=2)

    class Config:
        unique = ["speaker_id"]


class AuditTexts(tables._Table):
    """What was read or said in an accent, by its references; ``ALL`` in the row of all accents."""

    accent: Series[str]
    n_utterances: Series[int] = pa.Field(ge=0)
    n_texts: Series[int] = pa.Field(ge=0, description="distinct normalized texts")
    shared_share: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="of utterances, whose text another accent reads too"
    )
    n_words: Series[int] = pa.Field(ge=0)
    words_per_utterance: Series[float] = pa.Field(nullable=True, ge=0)
    characters_per_word: Series[float] = pa.Field(nullable=True, ge=0)
    own_word_share: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="of words, that no other accent's texts hold"
    )
    out_of_list_share: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="of words, that audit.word_list lacks; missing without a list"
    )
    digit_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="of raw words, that hold a digit")
    spelled_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="of raw words: single letters")
    types_per_words: Series[float] = pa.Field(
        nullable=True, ge=0, le=1, description="expected distinct words among drawn_words, over their number"
    )
    drawn_words: Series[int] = pa.Field(ge=0, description="the words of the accent with the fewest, at most 1,000")

    class Config:
        unique = ["accent"]


class AuditLost(tables._Table):
    """What the corpus could not use, by reason; labels that the vocabulary lacks each have a row."""

    reason: Series[str]
    detail: Series[str] = pa.Field(description="of an unknown accent the label; else the first of them, as an example")
    rows: Series[int] = pa.Field(ge=1)

    class Config:
        unique = ["reason", "detail"]


class CoveragePlan(tables._Table):
    """What to collect next: a row for each accent, and each value of a declared attribute within it."""

    place: Series[int] = pa.Field(ge=1, description="in the list, what is most urgent first")
    accent: Series[str]
    attribute: Series[str] = pa.Field(description="empty: the accent as a whole")
    value: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    n_words: Series[int] = pa.Field(ge=0)
    words_per_speaker: Series[float] = pa.Field(gt=0, description="planned with: the cell's own, else the corpus's")
    more_speakers: Series[float] = pa.Field(nullable=True, ge=0, description="missing: beyond any plan")
    more_words: Series[float] = pa.Field(nullable=True, ge=0)
    how: Series[str] = pa.Field(isin=["enough", "alone", "with_others", "unreachable"])
    condition: Series[str] = pa.Field(description="that asks for most")
    detectable_ratio: Series[float] = pa.Field(nullable=True, ge=1, description="as it stands")
    ratio: Series[float] = pa.Field(gt=1)
    power: Series[float] = pa.Field(gt=0, lt=1)
    design_effect: Series[float] = pa.Field(gt=0, description="words needed, over what independent words would need")
    basis: Series[str]
    reason: Series[str]

    class Config:
        unique = ["accent", "attribute", "value"]


@dataclass(frozen=True, eq=False)
class Audit:
    """All that an audit found, each table checked."""

    coverage: pd.DataFrame
    associations: pd.DataFrame
    groups: pd.DataFrame
    duplicates: pd.DataFrame
    speakers: pd.DataFrame
    texts: pd.DataFrame
    lost: pd.DataFrame


AUDIT: dict[str, tables.Schema] = {
    "coverage": AuditCoverage,
    "associations": AuditAssociations,
    "groups": AuditGroups,
    "duplicates": AuditDuplicates,
    "speakers": AuditSpeakers,
    "texts": AuditTexts,
    "lost": AuditLost,
}
FILES = {
    "coverage": "coverage",
    "associations": "confounds",
    "groups": "confound_groups",
    "duplicates": "duplicates",
    "speakers": "speakers_in_two_accents",
    "texts": "text_difficulty",
    "lost": "exclusions",
}
"""The CSV file of each table."""


def empty() -> Audit:
    """Return an audit of nothing."""
    return Audit(**{name: tables.build([], schema, where="audit") for name, schema in AUDIT.items()})
