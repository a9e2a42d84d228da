"""What a gate found, as a number of the card."""

from typing import Literal

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown

Outcome = Literal["kept", "broken", "not_decided", "not_judged"]


class Gate(Number):
    """One limit under one condition, for one group or (no accent in the key) between all ranked groups."""

    gate: str = Field(description="max_gap, max_ratio, min_f1, max_wer or max_interaction")
    rule: str = Field(description="point, upper_bound or equivalence")
    statistic: str = Field(description="the number of this card that decides")
    outcome: Outcome = Field(description="not_decided is not kept; not_judged: not ranked, or suppressed")
    limit: float
    value: Rate
    ci_low: Rate
    ci_high: Rate
    compared: Rate = Field(description="what was compared with the limit: the value, or the worse end of its interval")
    n_groups: int = Field(description="ranked groups that the value is about")
    n_speakers: int
    n_ref_words: int
    note: Shown = Field(description="why there is no value or no interval, or why the group is not judged")
    sentence: Shown
