"""From where on a transcript looks invented: the thresholds of the screen, each with its source."""

from pydantic import BaseModel, ConfigDict, Field


class HallucinationSettings(BaseModel):
    """The ``stats.hallucination`` section. A trial beyond any threshold is a candidate for review, never a verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    insertion_run: int = Field(default=5, ge=2, le=1000)
    """inserted words in a row from which a trial is a candidate; our judgment: a phrase, not a stray word"""
    length_ratio: float = Field(default=1.5, gt=1, le=100)
    """words of the hypothesis per word of the reference above which a trial is a candidate; customary"""
    loop_words: int = Field(default=5, ge=1, le=50)
    """longest group of words that is looked for in a row"""
    loop_times: int = Field(default=4, ge=2, le=100)
    """times in a row from which a group of words is a loop"""
    compression_ratio: float = Field(default=2.4, ge=1.5, le=100)
    """bytes of the normalized hypothesis per byte of its zlib form above which it is a loop; Whisper's own limit"""
    repeat_disagreement: float = Field(default=0.5, gt=0, le=100)
    """words in which repeats of one trial differ, per word, above which it is a candidate; our judgment"""
    phrases: str | None = None
    """a file of phrases that recognizers say where nobody does; null: the list that ships with the program"""
    reviewed: str | None = None
    """a CSV with the columns trial_key and verdict: what people who listened decided of candidates"""
