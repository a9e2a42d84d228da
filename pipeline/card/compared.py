"""The values of a comparison: how each job of a sweep ended, and its numbers under each condition, side by side.

Rates are shares, a missing number is None. The numbers are those of each run's own card; only the count over the trials
that all recognizers answered, and the tests of every two recognizers, are made for the comparison.
"""

from typing import Literal

from pydantic import Field

from pipeline.card.gate_measures import Outcome
from pipeline.card.keys import Frozen, Key, Number, Rate
from pipeline.card.measures import Cell, Disparity, Interaction
from pipeline.card.wording import Shown

KIND: Literal["comparison of runs"] = "comparison of runs"
"""Stands in ``comparison.json``: a folder with another one, or with none, is somebody else's."""


class Common(Frozen):
    """Word errors on the trials that every compared recognizer answered; no interval."""

    n_trials: int
    n_ref_words: int
    errors: int
    wer: Rate


class Compared(Number):
    """One run under one condition and the main normalizer; the key's accent is empty."""

    run_name: str
    n_trials: int
    """scored under this condition"""
    n_unscored: int
    """utterances of the corpus that were not"""
    pooled: Cell | None
    """all accents together, on the trials that this run scored"""
    worst: Cell | None
    """the ranked accent with the highest WER; None where fewer than two are ranked, or all have the same"""
    best: Cell | None
    gap: Disparity | None
    omnibus: Disparity | None
    interaction: Interaction | None
    """omnibus test of accent x condition; None under the reference condition"""
    common: Common


class Pair(Number):
    """Two runs under one condition on the trials that both scored; differences are the second's less the first's.

    The key's accent is that of the speakers compared; it is empty where all are pooled.
    """

    first: str
    second: str
    n_trials: int
    n_speakers: int
    n_ref_words: int
    wer_first: Rate = None
    wer_second: Rate = None
    difference: Rate = None
    ci_low: Rate = None
    ci_high: Rate = None
    ratio: Rate = None
    p: Rate = None
    """primary: sign flips of speakers' differences"""
    p_adjusted: Rate = None
    """Holm over all pairs and conditions, and where the key has an accent over these too"""
    n_family: int = 0
    n_segments: int = 0
    mapsswe_z: Rate = None
    """customary; takes segments as independent, not adjusted"""
    mapsswe_p: Rate = None
    unit: str
    note: Shown


class GapChange(Number):
    """The naive gap of two runs under one condition, on the trials that both scored: the second's less the first's."""

    first: str
    second: str
    n_groups: int
    """ranked in both"""
    n_trials: int
    n_speakers: int
    n_ref_words: int
    gap_first: Rate = None
    worst_first: str = ""
    best_first: str = ""
    gap_second: Rate = None
    worst_second: str = ""
    best_second: str = ""
    same_groups_second: Rate = None
    """WER of the second run: the first's worst accent less the first's best one"""
    change: Rate = None
    ci_low: Rate = None
    ci_high: Rate = None
    p: Rate = None
    p_adjusted: Rate = None
    """Holm over all pairs and conditions"""
    n_family: int = 0
    replicates: int = 0
    model_first: Rate = None
    """the model's gap (median), as the run's own card tells it"""
    model_second: Rate = None
    note: Shown


class GroupGap(Number):
    """The gap of one accent to the others in two runs under one condition, on the trials that both scored."""

    first: str
    second: str
    against: str
    """the reference accent; empty: the mean WER of the other ranked accents, each with equal weight"""
    n_speakers: int
    """of the accent itself"""
    n_ref_words: int
    gap_first: Rate
    gap_second: Rate
    change: Rate
    ci_low: Rate = None
    ci_high: Rate = None
    p: Rate = None
    p_adjusted: Rate = None
    """Holm over all pairs, conditions and accents"""
    n_family: int = 0
    note: Shown


class Unpaired(Number):
    """Two runs that did not answer the same trials of one accent under one condition."""

    first: str
    second: str
    n_first: int
    """trials that the first run answered"""
    n_second: int
    n_both: int
    """0: nothing is said of this accent and condition in the two runs"""


class Ended(Frozen):
    """How one job ended, whether or not it could be compared."""

    run_name: str
    recognizer: str
    """name in the tables, exact; empty where the configuration of the job could not be built"""
    label: str
    """unique in the comparison: the recognizer, or the run where several are of one recognizer"""
    exit_code: int
    gate: Outcome | Literal[""] = ""
    """what its gates ended in: kept, broken or not_decided; empty: it had none"""
    differs: list[Shown]
    """what was asked of this job and not of all"""
    not_compared: Shown
    """why there are no numbers, in a sentence; empty where there are"""
    confidence: Rate = None
    """level of its intervals"""
    n_failed: int | None = None
    """trials that could not be heard"""
    n_excluded: int | None = None
    """rows of the exclusions"""
    n_missing: int | None = None
    """imported transcripts that were not there and count as all deletions"""
    audio_s_per_s: Rate = None
    """seconds of audio transcribed in one second, of what this run did not remember from earlier ones"""
    interaction: Interaction | None = None
    """omnibus test of accent x condition over all conditions"""


class Comparison(Frozen):
    """All jobs of one sweep, or stored runs in the order in which they were named."""

    kind: Literal["comparison of runs"] = KIND
    schema_version: Literal["1"] = "1"
    name: str
    synthetic: bool
    normalizer: str
    conditions: list[str]
    reference_condition: str
    jobs: list[Ended]
    rows: list[Compared]
    pairs: list[Pair] = Field(default_factory=list)
    """every two compared runs under every condition, tested on the same trials"""
    cells: list[Pair] = Field(default_factory=list)
    """the same for each accent"""
    gaps: list[GapChange] = Field(default_factory=list)
    group_gaps: list[GroupGap] = Field(default_factory=list)
    suppressed: list[Key] = Field(default_factory=list)
    """accent and condition of what one of the runs does not publish: it is in no number of two runs"""
    unpaired: list[Unpaired] = Field(default_factory=list)
    """where of two runs one lost trials that the other answered, those of which all are lost first"""
    in_order: bool = False
    """the runs were named from the earlier to the later one, so that something can have got better or worse"""
    cards: dict[str, str] = Field(default_factory=dict)
    """of compared runs whose folder lies beside the comparison, where their page is, by run name"""
    n_common: int
    """trials that every compared run answered"""
    n_answered: dict[str, int]
    """trials that each compared run answered, by run name"""
    card_warnings: dict[Shown, list[str]]
    """what the runs' own cards warn of in their summaries, and the runs whose cards say so"""
    also_differ: dict[str, list[str]]
    """settings beside the recognizer in which the compared runs differ, with the values"""

    @property
    def compared(self) -> list[Ended]:
        """The jobs that have numbers."""
        return [job for job in self.jobs if not job.not_compared]

    @property
    def same_trials(self) -> bool:
        """Whether every compared run answered the same trials."""
        return set(self.n_answered.values()) == {self.n_common}
