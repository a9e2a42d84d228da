"""The keys of a description that say which rows are no utterances, which are left out, and where stretches lie."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _regex(value: str | None) -> str | None:
    try:
        re.compile(value or "")
    except re.error as error:
        raise ValueError(f"'{value}' is not a regular expression: {error}") from None
    return value


Regex = Annotated[str, BeforeValidator(_regex)]


class Frozen(BaseModel):
    """A part of a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pattern(Frozen):
    """A column of the corpus, and a regular expression that is searched for in it."""

    column: str
    pattern: Regex


class LeftOut(Pattern):
    """Utterances that are excluded, with the reason that the exclusion states."""

    because: str = Field(min_length=1)


class Segments(Frozen):
    """Of strategy segments: what lists the stretches, and where the recordings are."""

    format: Literal["kaldi", "table", "nemo", "lhotse"]
    """folders of Kaldi; tables with times; manifests of NeMo; lhotse's manifests of supervisions"""
    files: tuple[str, ...] = Field(min_length=1)
    """those folders or files, below the root; may hold ``*``, also ``**/`` for any depth"""
    recording: str | None = None
    """the file of a recording, built of columns in braces; ``**/`` before it: in whatever folder. null: as listed"""
    recordings: tuple[str, ...] = ()
    """of lhotse: its manifests of recordings"""
    start: str = "start_s"
    """of a table: the column with the start in seconds"""
    end: str = "end_s"
    """of a table: the column with the end in seconds"""
    no_speech: Pattern | None = None
    """of a table: lines that are no utterances, such as pauses; how many there are is said"""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format == "table" and self.recording is None:
            raise ValueError("segments.recording: a table needs it, such as 'audio/{file}.wav'")
        if self.format == "lhotse" and not self.recordings:
            raise ValueError("segments.recordings: lhotse's manifests of recordings are needed")
        return self
