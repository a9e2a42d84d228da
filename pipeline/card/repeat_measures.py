"""The numbers about repeats: how much a recognizer that samples varies, and how right it is when it does."""

from pydantic import Field

from pipeline.card.keys import Number, Rate


class Variability(Number):
    """Repeats of the trials of one accent (or of all) under one condition, at one temperature."""

    temperature: float
    n_speakers: int
    k_eff: float
    n_trials: int = Field(description="scored trials with two repeats or more; everything else here is of them")
    n_left_out: int = Field(description="scored trials with fewer than two repeats")
    n_repeats: int
    n_alike: int = Field(description="trials whose repeats all have one normalized text")
    n_ref_words: int
    pair_words: int
    pair_errors: int
    disagreement: Rate
    ci_low: Rate
    ci_high: Rate
    repeat_ref_words: int
    repeat_errors: int
    repeat_wer: Rate
    scored_errors: int
    scored_wer: Rate
    support: str
    unit: str
    synthetic: bool
