"""Hypotheses made elsewhere, read from a table: CSV, TSV or JSON lines with utterance_id and hypothesis.

Text is kept to the letter: "null", "None" and "NA" are words here. An id with no row (or, in JSON lines,
with null) is never dropped: the run stops, or the trial counts as all deletions, as ``missing`` says. An
empty hypothesis is an answer like any other: every reference word is a deletion.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.artifacts import file_sha256
from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.transcript_files import FORMATS, read
from pipeline.errors import BackendError, MissingPrerequisite, first_five
from pipeline.records import Status

logger = logging.getLogger(__name__)


class TranscriptsSettings(BaseModel):
    """Which file, and what to do where it has no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = None
    format: Literal["auto", "csv", "tsv", "jsonl"] = "auto"
    """``auto``: by the file's suffix."""
    condition: str = Field("clean", min_length=1)
    """The condition that a file without a ``condition`` column was heard under; others are then missing."""
    missing: Literal["error", "deletions"] = "error"
    label: str | None = None
    """Name of the recognizer in tables; the file's stem where none is given."""
    batch_size: int = Field(1000, ge=1)

    @model_validator(mode="after")
    def _path_is_given(self) -> Self:
        if not self.path:
            raise ValueError("asr.path is needed: the file with columns utterance_id and hypothesis")
        return self


class Transcripts:
    """A file of hypotheses in a recognizer's place."""

    Settings: ClassVar[type[BaseModel]] = TranscriptsSettings
    needs_audio: ClassVar[bool] = False

    def __init__(self, settings: TranscriptsSettings) -> None:
        self._settings = settings
        self._path = Path(settings.path or "").expanduser()
        self._sha256 = ""
        self._hypotheses: dict[tuple[str, str], str] = {}

    @property
    def name(self) -> str:
        """``transcripts:`` and the label."""
        return f"transcripts:{self._settings.label or self._path.stem}"

    @property
    def batch_size(self) -> int:
        """Rows per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``cpu``."""
        return "cpu"

    def prepare(self) -> None:
        """Read the file.

        Raises:
            MissingPrerequisite: if there is no such file.
            BackendError: if it cannot be read as described, or answers one trial twice.
        """
        if not self._path.is_file():
            raise MissingPrerequisite(f"asr.path: there is no file {self._path}. Give the file of hypotheses.")
        asked = self._settings.format
        kind = FORMATS.get(self._path.suffix.lower()) if asked == "auto" else asked
        if kind is None:
            raise BackendError(
                f"asr.path: {self._path.name} does not end in {', '.join(FORMATS)}; say which it is: asr.format=csv"
            )
        self._sha256 = file_sha256(self._path)
        self._hypotheses = read(self._path, kind, condition=self._settings.condition)

    def expect(self, trials: Sequence[tuple[str, str]]) -> None:
        """Compare the file with all (utterance_id, condition) of the run.

        Raises:
            BackendError: if no row of the file belongs to the run, or rows are missing and that is an error.
        """
        asked = set(trials)
        absent = [trial for trial in dict.fromkeys(trials) if trial not in self._hypotheses]
        if asked and len(absent) == len(asked):
            raise BackendError(
                f"asr.path: none of the {len(self._hypotheses)} hypotheses in {self._path.name} belongs to this study."
                f" In the file: {_listed(sorted(self._hypotheses))}. In the study: {_listed(absent)}."
                " Compare the ids and the conditions."
            )
        if absent:
            self._missing(absent, len(asked))
        foreign = sorted(trial for trial in self._hypotheses if trial not in asked)
        if foreign:
            logger.info(
                "%s: %d of %d hypotheses are not in this study and stay unused: %s",
                *(self._path.name, len(foreign), len(self._hypotheses), _listed(foreign)),
            )

    def _missing(self, absent: Sequence[tuple[str, str]], asked: int) -> None:
        said = f"{self._path.name} has no hypothesis for {len(absent)} of {asked} trials: {_listed(absent)}"
        if self._settings.missing == "error":
            raise BackendError(
                f"asr.path: {said}. Complete the file, or say asr.missing=deletions to count them as all deletions."
            )
        logger.info("%s; each counts as all deletions", said)

    def fingerprint(self) -> dict[str, str]:
        """Return the file by hash and how it is read; not its place or label."""
        if not self._sha256:
            raise RuntimeError("fingerprint() before prepare()")
        keys = ("format", "condition", "missing")
        return {"kind": "transcripts", "sha256": self._sha256} | {key: getattr(self._settings, key) for key in keys}

    def load(self) -> None:
        """Nothing to bring into memory: ``prepare`` has read the file."""

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Look each trial up; one without a hypothesis is MISSING, or stops the run where that is an error.

        Raises:
            BackendError: with ``missing: error``, for trials that ``expect`` was not shown.
        """
        keys = [(request.utterance_id, request.condition) for request in batch]
        absent = [key for key in keys if key not in self._hypotheses]
        if absent and self._settings.missing == "error":
            self._missing(absent, len(keys))
        return [self._answer(key) for key in keys]

    def _answer(self, key: tuple[str, str]) -> Hypothesis:
        text = self._hypotheses.get(key)
        if text is not None:
            return Hypothesis(text, Status.OK)
        return Hypothesis("", Status.MISSING, detail=f"{self._path.name} has no hypothesis for this trial")

    def close(self) -> None:
        """Nothing is held open."""


def _listed(trials: Sequence[tuple[str, str]]) -> str:
    return first_five(f"{utterance_id} ({condition})" for utterance_id, condition in trials)
