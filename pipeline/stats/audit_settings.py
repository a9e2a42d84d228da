"""What an audit of a corpus may be told."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class AuditSettings(BaseModel):
    """The ``audit`` section of a study; it decides no number of any run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: bool = True
    """false: a corpus that can be listed is audited by its text alone, without minutes, hashes and acoustics"""
    word_list: Path | None = None
    """a file of common words, one a line, its first field; null: no share of words outside a list"""
    cross: tuple[str, ...] | None = None
    """attributes whose values the coverage plan counts within accents; null: all that part speakers otherwise than
    accents do"""
    near_text: float = Field(default=90.0, ge=50.0, le=100.0)
    """likeness, with the words sorted, from which two different texts count as nearly the same"""
