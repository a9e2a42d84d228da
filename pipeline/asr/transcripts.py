"""Transcripts made elsewhere, in a recognizer's place: vendors' JSON, toolkits' text files, plain tables.

Text is kept to the letter: "null", "None" and "NA" are words here. One file, or one row, is one utterance,
and nothing of it is cut. What each format is and where its text stands is in ``pipeline.asr.imported``.

Nothing is dropped, and three things that look alike are kept apart:

- An empty text is an answer like any other: every reference word is a deletion.
- A trial that no file answers, or whose file says null, stops the run, or counts as all deletions, as
  ``missing`` says.
- A trial on which the vendor failed (or had not finished) is FAILED: it was answered, so it does not stop
  the run, and it says nothing of the recognizer's words, so it is never all deletions, whatever ``missing``
  says. The stage lists it as an exclusion with the vendor's reason, and the run ends with exit code 3.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.imported.collect import Collected, collect
from pipeline.asr.imported.settings import TranscriptsSettings
from pipeline.errors import BackendError, first_five
from pipeline.records import Status

logger = logging.getLogger(__name__)

WORD_SETTINGS = (
    "condition", "condition_from", "condition_pattern", "id_from", "id_pattern", "channel", "azure_text", "missing",
)  # fmt: skip
"""What, beside the files and their format, decides which words belong to which trial."""

COLUMN_SETTINGS = ("id_column", "hypothesis_column", "system_column", "system")
"""The same, of tables."""


class Transcripts:
    """A file or folder of hypotheses in a recognizer's place."""

    Settings: ClassVar[type[BaseModel]] = TranscriptsSettings
    needs_audio: ClassVar[bool] = False

    def __init__(self, settings: TranscriptsSettings) -> None:
        self._settings = settings
        path = Path(os.path.expanduser(settings.path or ""))  # it leaves an unknown ~name as it is
        self._path = path if path.name else path.resolve()  # "." has no name to be called by
        self._read = Collected()

    @property
    def name(self) -> str:
        """``transcripts:`` and the label, else the system, else the column, else the file."""
        settings = self._settings
        column = settings.hypothesis_column if settings.hypothesis_column != _usual("hypothesis_column") else None
        return f"transcripts:{settings.label or settings.system or column or self._path.stem}"

    @property
    def batch_size(self) -> int:
        """Rows per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``cpu``."""
        return "cpu"

    def prepare(self) -> None:
        """Read the file, or all files of the format in the folder.

        Raises:
            MissingPrerequisite: if there is no such file or folder.
            BackendError: if a file cannot be read as described, or a trial is answered twice.
        """
        self._read = collect(self._path, self._settings)

    def expect(self, trials: Sequence[tuple[str, str]]) -> None:
        """Compare what was read with all (utterance_id, condition) of the run.

        Raises:
            BackendError: if nothing that was read belongs to the run, or trials are missing and that is an error.
        """
        asked, there = set(trials), self._read.hypotheses
        absent = [trial for trial in dict.fromkeys(trials) if trial not in there]
        if asked and len(absent) == len(asked):
            raise BackendError(
                f"asr.path: none of the {len(there)} hypotheses in {self._path.name} belongs to this study."
                f" In the file: {_listed(sorted(there))}. In the study: {_listed(absent)}."
                " Compare the ids (asr.id_from, asr.id_pattern) and the conditions (asr.condition_from)."
            )
        if absent:
            self._missing(absent, len(asked))
        failed = [trial for trial in self._read.failed if trial in asked]
        if failed:
            told = (self._path.name, len(failed), len(asked), _listed(failed))
            logger.warning("%s: the vendor failed on %d of %d trials, which are excluded: %s", *told)
        foreign = sorted(trial for trial in there if trial not in asked)
        if foreign:
            told = (self._path.name, len(foreign), len(there), _listed(foreign))
            logger.info("%s: %d of %d hypotheses are not in this study and stay unused: %s", *told)

    def _missing(self, absent: Sequence[tuple[str, str]], asked: int) -> None:
        said = f"{self._path.name} has no hypothesis for {len(absent)} of {asked} trials: {_listed(absent)}"
        if self._settings.missing == "error":
            raise BackendError(
                f"asr.path: {said}. Complete the file, or say asr.missing=deletions to count them as all deletions."
            )
        logger.info("%s; each counts as all deletions", said)

    def fingerprint(self) -> dict[str, str]:
        """Return the files by name and hash, and how they are read; not their place or label."""
        if not self._read.sha256:
            raise RuntimeError("fingerprint() before prepare()")
        told = {key: getattr(self._settings, key) for key in WORD_SETTINGS}
        # said only where they are not the usual ones: what was imported before keeps its fingerprint
        told |= {key: value for key in COLUMN_SETTINGS if (value := getattr(self._settings, key)) != _usual(key)}
        return {
            "kind": "transcripts",
            "sha256": self._read.sha256,
            "format": self._read.kind,
            **{key: "" if value is None else str(value) for key, value in told.items()},
        }

    def load(self) -> None:
        """Nothing to bring into memory: ``prepare`` has read the files."""

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Look each trial up; one without a hypothesis is MISSING, or stops the run where that is an error.

        Raises:
            BackendError: with ``missing: error``, for trials that ``expect`` was not shown.
        """
        keys = [(request.utterance_id, request.condition) for request in batch]
        absent = [key for key in keys if key not in self._read.hypotheses]
        if absent and self._settings.missing == "error":
            self._missing(absent, len(keys))
        return [self._read.hypotheses.get(key) or self._nothing() for key in keys]

    def _nothing(self) -> Hypothesis:
        return Hypothesis("", Status.MISSING, detail=f"{self._path.name} has no hypothesis for this trial")

    def close(self) -> None:
        """Nothing is held open."""


def _usual(key: str) -> object:
    return TranscriptsSettings.model_fields[key].default


def _listed(trials: Sequence[tuple[str, str]]) -> str:
    return first_five(f"{utterance_id} ({condition})" for utterance_id, condition in trials)
