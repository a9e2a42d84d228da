"""The numbers about the same utterances heard twice, and about gaps freed from what was read."""

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class SameUtterances(Number):
    """One condition against the reference condition on the same utterances, for one accent or for all pooled."""

    n_speakers: int
    k_eff: float
    n_utterances: int
    n_ref_words: int
    errors_reference: int
    errors: int
    wer_reference: Rate
    wer: Rate
    difference: Rate
    ci_low: Rate
    ci_high: Rate
    ratio: Rate
    p: Rate = Field(description="primary: sign flips of the speakers' differences")
    p_adjusted: Rate
    n_family: int
    n_segments: int
    mapsswe_z: Rate = Field(description="customary; takes segments as independent")
    mapsswe_p: Rate
    unit: str
    note: Shown
    synthetic: bool


class AdjustedGap(Number):
    """The gap of one accent to the reference or the rest, by one method; ``adjustment`` names it as the table does."""

    adjustment: str
    n_speakers: int
    n_ref_words: int
    n_texts: int
    kept_share: Rate
    text_overlap: Rate
    gap: Rate
    gap_ci_low: Rate
    gap_ci_high: Rate
    ratio: Rate
    ratio_ci_low: Rate
    ratio_ci_high: Rate
    strata_missing: Shown
    confounded: bool
    note: Shown
    synthetic: bool
