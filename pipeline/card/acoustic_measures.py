"""The numbers about sound: what was delivered, how the recordings came, and what was said where nobody spoke."""

from pydantic import Field

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class Delivered(Number):
    """What the renderings of one condition came out as."""

    n_renderings: int
    snr_weighting: str
    snr_median_db: Rate
    snr_min_db: Rate
    snr_max_db: Rate
    active_level_out_median_dbov: Rate
    clipped_share_max: Rate
    rt60_median_s: Rate
    drr_median_db: Rate
    overload_share_median: Rate
    loss_share_mean: Rate
    loss_active_share_mean: Rate
    longest_loss_max_s: Rate


class Sound(Number):
    """What the recordings of one group were like as they came; the key names the group alone."""

    n_utterances: int
    n_measured: int = Field(description="recordings with active speech; the medians are theirs")
    n_speakers: int
    n_ref_words: int
    active_level_median_dbov: Rate
    activity_median: Rate
    noise_floor_median_dbov: Rate
    snr_estimated_median_db: Rate
    bandwidth_median_hz: Rate
    speech_rate_median_words_per_s: Rate
    clipped_recordings_share: Rate
    clipped_share_max: Rate


class SoundFormat(Number):
    """How many recordings of one group came at one sample rate in one coding."""

    sample_rate_hz: int
    coding: Shown
    n_utterances: int
    share: float


class StartingPoint(Number):
    """One way in which the groups' recordings differ, or are too noisy, before any condition is applied."""

    what: str
    limit: float
    lowest: str
    lowest_value: float
    highest: str
    highest_value: float
    sample_rate_hz: int | None = None
    coding: Shown | None = None


class Invented(Number):
    """What the recognizer said where nobody spoke, under one condition."""

    noises: list[str] = Field(description="kinds of noise in the condition; none: silence")
    n_trials: int
    minutes: float
    n_with_output: int
    share_with_output: Rate
    n_words: int
    words_per_minute: Rate


class InventedText(Number):
    """One of the texts most often said where nobody spoke; missing where texts are withheld."""

    n_trials: int
    text: Shown | None
