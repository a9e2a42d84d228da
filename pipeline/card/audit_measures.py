"""The numbers of an audit: what goes with accent, and what the texts of each group were like."""

from pipeline.card.keys import Number, Rate


class DataAssociation(Number):
    """Whether one thing about speakers goes with another; see ``audit_tables.AuditAssociations``."""

    attribute: str
    against: str
    family: str
    measured: bool
    measure: str
    value: Rate
    p: Rate
    p_adjusted: Rate
    n_units: int
    unit: str
    nested: str
    shown: bool
    note: str


class DataTexts(Number):
    """What was read or said in one group; the empty accent is all of them."""

    n_utterances: int
    n_texts: int
    shared_share: Rate
    words_per_utterance: Rate
    characters_per_word: Rate
    own_word_share: Rate
    digit_share: Rate
    spelled_share: Rate
    types_per_words: Rate


class DataCell(Number):
    """Who is there of one group, and of the part of it with one value of an attribute; none under a floor."""

    attribute: str
    value: str
    n_speakers: int
    k_eff: float
    n_utterances: int
    n_ref_words: int
    minutes: Rate
    support: str


class DataDuplicates(Number):
    """How much is there twice."""

    shared_recordings: int
    near_text_pairs: int
    speakers_in_several_accents: int | None
