"""The numbers about what a study could have shown, and about shifts in dB."""

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class Detectable(Number):
    """Which ratio of WERs, accent against the others or the reference accent, would have been shown."""

    against: str
    n_speakers: int
    log_error: Rate
    degrees: Rate
    detectable_ratio: Rate
    n_cells: int
    detectable_ratio_holm: Rate
    note: Shown
    synthetic: bool


class SnrShift(Number):
    """By how many dB of SNR an accent is behind the others at equal WER, in one noise."""

    noise: str
    conditions: Shown
    n_snrs: int
    snr_low_db: float
    snr_high_db: float
    n_speakers: int
    n_ref_words: int = Field(description="at each SNR")
    shift_db: Rate
    ci_low_db: Rate
    ci_high_db: Rate
    wer_low: Rate
    wer_high: Rate
    note: Shown
    synthetic: bool
