"""Small frozen values with behavior: error counts, intervals, exclusion reasons."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


def significance_level(confidence: float) -> float:
    """Return the p-value below which something counts as shown: .05 at .95, not .05 and a rounding error."""
    return round(1 - confidence, 12)


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Word errors of one or more trials. Counts add up; rates never do.

    There is no division and no way to build one from a rate, so that a mean of word error rates
    cannot be written by accident: sum the counts, then ask for ``wer``.
    """

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    def __post_init__(self) -> None:
        """Refuse counts that are not non-negative integers."""
        for name in ("hits", "substitutions", "deletions", "insertions"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"ErrorCounts.{name} must be a non-negative integer, not {value!r}")

    @classmethod
    def zero(cls) -> Self:
        """Return the counts of nothing at all."""
        return cls(0, 0, 0, 0)

    def __add__(self, other: Self) -> Self:
        """Return the counts of both."""
        if not isinstance(other, ErrorCounts):
            return NotImplemented
        return type(self)(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    def __radd__(self, other: object) -> Self:
        """Let ``sum(counts)`` start from its integer 0."""
        return self if other == 0 else NotImplemented

    @property
    def ref_words(self) -> int:
        """Words in the reference: hits + substitutions + deletions."""
        return self.hits + self.substitutions + self.deletions

    @property
    def hyp_words(self) -> int:
        """Words in the hypothesis: hits + substitutions + insertions."""
        return self.hits + self.substitutions + self.insertions

    @property
    def errors(self) -> int:
        """Substitutions + deletions + insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float | None:
        """Word error rate, errors / reference words; may exceed 1; None without reference words."""
        return self.errors / self.ref_words if self.ref_words else None

    @property
    def f1(self) -> float | None:
        """Word-recognition F1, 2 hits / (reference words + hypothesis words); None without reference words."""
        return 2 * self.hits / (self.ref_words + self.hyp_words) if self.ref_words else None


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval at the level the study states; ``low <= high``."""

    low: float
    high: float


class Support(StrEnum):
    """What the speakers behind a cell allow a reader to conclude (statistics: 2.4)."""

    OK = "ok"  # k_eff >= 10
    THIN = "thin"  # interval shown with a warning: 3 <= k_eff < 10
    INSUFFICIENT = "insufficient"  # no interval: one speaker, k_eff < 3, or upper/lower > 9
    ZERO_ERRORS = "zero_errors"  # log undefined
    NO_WORDS = "no_words"  # the cell holds no reference words


class Reason(StrEnum):
    """Why a row left the study. Every lost row carries exactly one."""

    MISSING_AUDIO = "missing_audio"
    UNDECODABLE_AUDIO = "undecodable_audio"
    EMPTY_AUDIO = "empty_audio"
    AUDIO_CHANGED = "audio_changed"
    EMPTY_REFERENCE = "empty_reference"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_ACCENT = "unknown_accent"
    SEVERAL_ACCENTS = "several_accents"
    MISSING_VALUE = "missing_value"
    LEFT_OUT = "left_out"
    INCOMPLETE_REFERENCE = "incomplete_reference"
    NO_ACTIVE_SPEECH = "no_active_speech"
    TOO_LONG = "too_long"
    NO_TALKER = "no_talker"
    CONDITION_NOT_APPLIED = "condition_not_applied"
    TRANSCRIPTION_FAILED = "transcription_failed"
    NO_REFERENCE_WORDS = "no_reference_words"
    NOT_IN_SUBSET = "not_in_subset"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One row that left the study. ``condition`` is empty where the whole utterance left."""

    stage: str
    utterance_id: str
    condition: str
    reason: Reason
    detail: str


class Status(StrEnum):
    """How a transcript came to be."""

    OK = "ok"
    MISSING = "missing"  # an imported transcript that was not there, counted as all deletions by declared choice
    FAILED = "failed"
