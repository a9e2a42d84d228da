"""Numbers about groups within accents, and what the study fixed before it looked at any number."""

from pipeline.artifacts import AnalysisChange
from pipeline.card.keys import Frozen, Number, Rate
from pipeline.card.wording import Shown


class Intersection(Number):
    """WER of one group within an accent against the rest; ``crossing`` and ``group`` are JSON, null: not stated."""

    crossing: str
    group: str
    n_speakers: int
    k_eff: float
    n_utterances: int
    n_ref_words: int
    errors: int
    wer: Rate
    ci_low: Rate
    ci_high: Rate
    support: str
    unit: str
    compared: bool
    rest_n_speakers: int
    rest_n_ref_words: int
    rest_wer: Rate
    gap: Rate
    gap_ci_low: Rate
    gap_ci_high: Rate
    ratio: Rate
    ratio_ci_low: Rate
    ratio_ci_high: Rate
    statistic: Rate
    p_adjusted: Rate
    adjustment: str
    rolled_up_to: str
    rolled_up_n_speakers: int
    rolled_up_wer: Rate
    rolled_up_ci_low: Rate
    rolled_up_ci_high: Rate
    note: Shown
    synthetic: bool


class Analysis(Frozen):
    """The settings that decide what is compared, how and with what floor; their hash; what was changed in them."""

    sha256: str
    settings: dict[str, str]
    changes: list[AnalysisChange]
    """made after results existed"""
