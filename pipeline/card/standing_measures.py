"""The numbers about where one group stands: shrunken WER, its place, and its distance to the reference or the rest."""

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class Standing(Number):
    """One group under one condition; groups that are not ranked have only their WER and a note."""

    n_speakers: int
    k_eff: float
    n_ref_words: int
    wer: Rate
    ranked: bool
    shrunken_wer: Rate
    shrunken_low: Rate
    shrunken_high: Rate
    p_worst: Rate
    p_best: Rate
    against: str = Field(description="the reference group, or 'rest'")
    log_ratio: Rate
    ratio: Rate
    ratio_low: Rate = Field(description="ends of the interval at 1 - 2 equivalence_level")
    ratio_high: Rate
    p_equivalent: Rate
    p_worse_holm: Rate
    verdict: str
    note: Shown
    synthetic: bool
