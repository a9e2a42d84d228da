"""What a study says of transcripts made elsewhere: where they are, how they are written, whose they are."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.asr.imported.found import Choice, Columns

MAX_PATTERN = 200
"""Characters of a pattern."""

Format = Literal[
    "auto", "csv", "tsv", "jsonl", "nemo", "kaldi", "trn", "ctm",
    "aws_transcribe", "google", "azure", "deepgram", "assemblyai", "openai", "whisper_cli",
]  # fmt: skip
ONE_EACH = ("aws_transcribe", "azure", "deepgram", "assemblyai", "openai", "whisper_cli")
"""Formats of one recording a file, which the file's name can identify; so can Google's, outside a batch."""
WITH_COLUMNS = ("auto", "csv", "tsv", "jsonl")
"""Formats whose columns, or keys, have names of the user's choice."""
WITH_CHANNELS = ("auto", "ctm", "aws_transcribe", "google", "azure", "deepgram", "assemblyai")


def _no_reference_format(value: Any) -> Any:
    if value == "stm":
        raise ValueError("stm holds references, not hypotheses; export what the recognizer said as ctm, trn or csv")
    return value


def _a_pattern(value: str) -> str:
    """Refuse what is no pattern of one group, and what could search for ever."""
    try:
        groups = re.compile(value).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"{value!r} must have one group, which is what counts, not {groups}; others are (?:...)")
    plain = re.sub(r"\[\^?\]?[^]]*\]", "x", re.sub(r"\\.", "x", value, flags=re.DOTALL))
    if re.search(r"\)[*+{]", plain):  # (a+)+ takes twice as long with every further character
        raise ValueError(f"{value!r} repeats a group, which may search for ever; repeat single characters or classes")
    return value


Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN), AfterValidator(_a_pattern)]


class TranscriptsSettings(BaseModel):
    """Which files, in which format, whose transcripts they hold, and what to do where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = None
    """a file, or a folder that is searched to its bottom"""
    format: Annotated[Format, BeforeValidator(_no_reference_format)] = "auto"
    """``auto``: by the suffix and, of JSON, by its keys"""
    id_from: Literal["auto", "stem", "field"] = "auto"
    """``stem``: the file's name; ``field``: what stands in it (AWS: jobName, Azure: source, AssemblyAI: audio_url)"""
    id_pattern: Pattern | None = None
    """its one group is the utterance_id in that name (the whole path below ``path``, or the whole field)"""
    condition: str = Field("clean", min_length=1)
    """what files that do not say it were heard under, with ``condition_from: setting``; others are then missing"""
    condition_from: Literal["setting", "folder", "pattern"] = "setting"
    """``folder``: the first folder below ``path``"""
    condition_pattern: Pattern | None = None
    """its one group is the condition in the same name"""
    id_column: str = Field("utterance_id", min_length=1)
    """of CSV and TSV; in JSON lines, the key"""
    hypothesis_column: str = Field("hypothesis", min_length=1)
    system_column: str = Field("system", min_length=1)
    system: str | None = Field(None, min_length=1)
    """of a table with rows of several recognizers: whose rows count; None: all rows are one recognizer's"""
    channel: int | str | None = None
    """label, as the file has it, of the channel that holds the utterance; None: files must have one channel"""
    azure_text: Literal["lexical", "display"] = "lexical"
    missing: Literal["error", "deletions"] = "error"
    label: str | None = None
    """name of the recognizer in tables; the file's or folder's where none is given"""
    batch_size: int = Field(1000, ge=1)

    @cached_property
    def choice(self) -> Choice:
        """What readers are told to choose."""
        columns = Columns(self.id_column, self.hypothesis_column, self.system_column, self.system)
        return Choice(self.azure_text, None if self.channel is None else str(self.channel), columns)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.path:
            raise ValueError("asr.path is needed: the file with columns utterance_id and hypothesis, or a folder")
        if (self.condition_from == "pattern") != (self.condition_pattern is not None):
            raise ValueError("asr.condition_pattern belongs to asr.condition_from=pattern: give both or neither")
        if self.id_from == "stem" and self.format not in ("auto", "google", *ONE_EACH):
            raise ValueError(f"asr.id_from: a {self.format} file holds many recordings, so its name is no id")
        if self.system is not None and self.format not in WITH_COLUMNS:
            raise ValueError(f"asr.system: {self.format} files are of one recognizer; leave it null")
        if self.channel is not None and self.format not in WITH_CHANNELS:
            raise ValueError(f"asr.channel: {self.format} files know no channels; leave it null")
        return self
