"""Every number on the card, typed, beside the key of the cell it belongs to and what stands behind it.

A ``Key`` with an empty field is about all values of that field; a wholly empty key is about the run. Rates are
shares (0.12, not 12), differences of rates too. A missing number is None, which is ``null`` in JSON.
"""

from pydantic import Field

from pipeline.card.acoustic_measures import (
    Delivered,
    Invented,
    InventedText,
    Sound,
    SoundFormat,
    StartingPoint,
)
from pipeline.card.audit_measures import DataAssociation, DataCell, DataDuplicates, DataTexts
from pipeline.card.content_measures import AdjustedGap, SameUtterances
from pipeline.card.explained_measures import Confidence, Confusion
from pipeline.card.figure_measures import Rung, SpeakerCounts
from pipeline.card.keys import Frozen, Number, Rate
from pipeline.card.normalizer_measures import NormalizerChange
from pipeline.card.power_measures import Detectable, SnrShift
from pipeline.card.publication import Publication
from pipeline.card.regression_measures import Regression
from pipeline.card.repeat_measures import Variability
from pipeline.card.standing_measures import Standing
from pipeline.card.study_measures import Analysis, Intersection
from pipeline.card.word_measures import Hallucination, TagError, Term
from pipeline.card.wording import Shown


class Rules(Number):
    """What was fixed before looking at any number."""

    min_speakers: int
    confidence: float
    gap_limit: float
    reference_condition: str
    reference_accent: str
    material_gap_points: float
    equivalence_margin: float
    equivalence_level: float


class Cell(Number):
    """WER of one accent (or of all) under one condition and normalizer."""

    n_speakers: int
    k_eff: float
    n_utterances: int
    n_ref_words: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    wer: Rate
    ci_low: Rate
    ci_high: Rate
    # a card of before these intervals can still be read
    borrowed_low: Rate = None
    borrowed_high: Rate = None
    bootstrap_low: Rate = None
    bootstrap_high: Rate = None
    bootstrap_replicates: Rate = None
    speaker_mean_wer: Rate
    f1: Rate
    support: str
    unit: str
    ranked: bool
    synthetic: bool


class CellRates(Number):
    """Every rate of a cell beside its WER, from the same counts; none has an interval of its own."""

    n_speakers: int
    n_utterances: int
    n_ref_words: int
    n_hyp_words: int
    wer: Rate
    substitution_rate: Rate
    deletion_rate: Rate
    insertion_rate: Rate
    precision: Rate
    recall: Rate
    f1: Rate
    mer: Rate
    wil: Rate
    n_ref_characters: int
    character_errors: int
    cer: Rate
    capped_errors: int
    capped_wer: Rate
    n_above_one: int
    n_mostly_inserted: int
    mostly_inserted_share: Rate
    n_empty_hypotheses: int
    n_not_delivered: int
    n_failed: int
    n_unrendered: int
    n_no_reference_words: int
    no_reference_inserted_words: int
    note: Shown
    synthetic: bool


class Disparity(Number):
    """One summary across accents within one condition; speakers and words are those it rests on."""

    statistic: str
    n_speakers: int
    n_ref_words: int
    value: Rate
    ci_low: Rate
    ci_high: Rate
    null_mean: Rate
    null_p95: Rate
    p: Rate
    worst: str
    best: str
    n_groups: int
    note: Shown
    synthetic: bool


class Interaction(Number):
    """Extra degradation of one accent under one condition; the omnibus test where the accent is empty."""

    n_speakers: int
    n_ref_words: int
    log_ratio: Rate
    ratio: Rate
    ci_low: Rate
    ci_high: Rate
    extra_points: Rate
    points_ci_low: Rate
    points_ci_high: Rate
    statistic: Rate
    p_adjusted: Rate
    detectable_ratio: Rate = None
    note: Shown
    synthetic: bool


class Coverage(Number):
    """From loaded to scored, for one accent under one condition."""

    n_loaded: int
    n_planned: int
    n_scored: int
    n_speakers: int
    n_ref_words: int
    support: str


class Floor(Number):
    """The bound that holds for every ranked group, under one condition or (empty) under all of them."""

    n_groups: int
    n_below_floor: int
    n_speakers: int
    n_ref_words: int
    lowest_f1: Rate
    highest_wer: Rate


class Sensitivity(Number):
    """What another normalizer (the key's) does to the order of the groups under one condition."""

    n_groups: int
    n_speakers: int
    n_ref_words: int
    worst: str
    worst_main: str
    n_places_changed: int
    gap: Rate
    gap_main: Rate


class Degradation(Number):
    """WER minus WER under the reference condition, on the utterances scored under both."""

    n_speakers: int
    n_utterances: int
    n_ref_words: int
    errors: int
    errors_reference: int
    difference: Rate
    ratio: Rate


class WorstCase(Number):
    """Each utterance judged by its worst condition; only utterances scored under all of them."""

    n_conditions: int
    n_speakers: int
    n_utterances: int
    n_ref_words: int
    n_all_right: int
    all_right_share: Rate
    errors: int
    wer: Rate


class Dropped(Number):
    """How many rows left the study at one stage for one reason."""

    stage: str
    reason: str
    rows: int


class Unheard(Number):
    """Transcripts that were never delivered and count as all deletions."""

    status: str
    rows: int


class Speed(Number):
    """Seconds of audio transcribed in one second."""

    n_trials: int
    audio_s: float
    decode_s: float
    rtfx: Rate


class Corpus(Number):
    """How much was evaluated."""

    n_speakers: int
    n_utterances: int
    n_ref_words: int
    hours: Rate = Field(description="missing where there is no audio")
    n_speakers_missing: int = Field(description="utterances without a speaker")


class SpeakerMedian(Number):
    """Median over speakers of each speaker's own WER."""

    n_speakers: int
    n_ref_words: int
    median_wer: Rate


class Utterance(Number):
    """One of the utterances with the most word errors. Missing texts were withheld."""

    utterance_id: str
    n_ref_words: int
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    wer: Rate
    reference: Shown | None
    hypothesis: Shown | None


class Numbers(Frozen):
    """All of them."""

    rules: Rules
    corpus: Corpus
    speed: Speed | None
    cells: list[Cell]
    rates: list[CellRates]
    disparities: list[Disparity]
    interactions: list[Interaction]
    variability: list[Variability]
    regressions: list[Regression]
    standings: list[Standing]
    detectable: list[Detectable]
    snr_shifts: list[SnrShift]
    hallucinations: list[Hallucination]
    terms: list[Term]
    tag_errors: list[TagError]
    coverage: list[Coverage]
    floors: list[Floor]
    sensitivity: list[Sensitivity]
    normalizer_changes: list[NormalizerChange]
    degradation: list[Degradation]
    worst_case: list[WorstCase]
    speaker_medians: list[SpeakerMedian]
    delivered: list[Delivered]
    sounds: list[Sound]
    sound_formats: list[SoundFormat]
    starting_points: list[StartingPoint]
    invented: list[Invented]
    invented_texts: list[InventedText]
    dropped: list[Dropped]
    unheard: list[Unheard]
    worst_utterances: list[Utterance]
    same_utterances: list[SameUtterances]
    adjusted_gaps: list[AdjustedGap]
    intersections: list[Intersection]
    publication: Publication
    analysis: Analysis
    # a card of before the audit can still be read
    data_associations: list[DataAssociation] = Field(default_factory=list)
    data_texts: list[DataTexts] = Field(default_factory=list)
    data_cells: list[DataCell] = Field(default_factory=list)
    data_duplicates: DataDuplicates | None = None
    # and one of before the figures that need these
    speakers: list[SpeakerCounts] = Field(default_factory=list)
    rungs: list[Rung] = Field(default_factory=list)
    # nor need it have what section 10 tells of words and confidence
    confusions: list[Confusion] = Field(default_factory=list)
    confidence: list[Confidence] = Field(default_factory=list)
