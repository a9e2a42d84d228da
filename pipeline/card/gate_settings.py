"""What a release must keep: limits that a publisher fixes, the rule by which they are decided, and where they hold.

Decided in ``gates``, from the numbers of the card.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Rule = Literal["point", "upper_bound", "equivalence"]
Name = Annotated[str, Field(min_length=1)]

LIMITS = ("max_gap", "max_ratio", "min_f1", "max_wer", "max_interaction")
"""The gates, in the order in which they are told."""
SHARES = ("max_gap", "min_f1", "max_wer")
BOUNDED = ("max_gap", "max_ratio", "max_wer", "max_interaction")
"""Of these the tables hold intervals; of F1 they hold none."""
TESTED = ("max_ratio",)
"""Of these the tables hold a test of equivalence: it is about ratios of WERs."""


class GateSettings(BaseModel):
    """The ``gate`` section of a study: nothing is decided unless a limit is set."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_gap: float | None = Field(default=None, ge=0)
    """largest model gap between ranked groups, a difference of WERs as a share; never the naive gap, which chance alone
    makes large (11 points with 12 equal groups of 10 speakers)"""
    max_ratio: float | None = Field(default=None, gt=1, le=100)
    """largest model ratio of the WERs of ranked groups; under ``equivalence`` the margin, both ways"""
    min_f1: float | None = Field(default=None, ge=0)
    """smallest word-recognition F1 of every ranked group, a share"""
    max_wer: float | None = Field(default=None, ge=0)
    """largest WER of every ranked group, a share"""
    max_interaction: float | None = Field(default=None, gt=1, le=100)
    """largest factor by which a condition may multiply a ranked group's errors beyond what it does to the others'"""
    rule: Rule = "point"
    """point: the estimate is compared with the limit; upper_bound: the worse end of its interval; equivalence: the
    interval of two one-sided tests, for ``max_ratio`` alone"""
    conditions: list[Name] | None = Field(default=None, min_length=1)
    """the conditions that must keep the limits; null: every condition of the study"""

    @field_validator(*SHARES)
    @classmethod
    def _a_share(cls, value: float | None) -> float | None:
        if value is not None and value > 1:
            meant = f": did you mean {value / 100:g}?" if value <= 100 else ""
            raise ValueError(f"{value:g} is no share of 1{meant}")
        return value

    @field_validator("conditions")
    @classmethod
    def _each_once(cls, value: list[str] | None) -> list[str] | None:
        if value and len(set(value)) < len(value):
            raise ValueError(f"{value} names one of them twice")
        return value

    @model_validator(mode="after")
    def _decidable(self) -> Self:
        """Refuse what could never be decided, before a recognizer works for hours."""
        able = {"point": LIMITS, "upper_bound": BOUNDED, "equivalence": TESTED}[self.rule]
        for name in self.limits:
            if name not in able:
                raise ValueError(
                    f"rule {self.rule} can never decide {name}: it decides {', '.join(able)}. Use another rule"
                    + (", or max_wer, whose interval has an upper end" if name == "min_f1" else "")
                )
        return self

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by gate; empty: no gate."""
        values: dict[str, float | None] = {name: getattr(self, name) for name in LIMITS}
        return {name: value for name, value in values.items() if value is not None}
