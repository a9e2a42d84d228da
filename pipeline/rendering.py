"""Trials to renderings: made in processes ahead of the recognizer's need, or in this one where they are few."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from augment.batched import BatchedPool, BatchedRenderer
from augment.batched.coverage import covered
from augment.chain import Condition, Probe
from augment.flac_cache import FlacCache
from augment.jobs import Job, Outcome, RenderingError, Trial
from augment.pool import RenderPool
from augment.resources import Resources
from pipeline.corpora.base import Corpus
from pipeline.errors import StudyError

logger = logging.getLogger(__name__)

Row = Mapping[str, Any]
"""A row of Trials, with the columns of its utterance."""

FEW_S: Final = 1800.0
"""So many seconds of renderings are sooner made in this process than another one starts."""


class RenderSettings(BaseModel):
    """How renderings are made; only ``device`` may change a sample, by one 16-bit step."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    workers: int = Field(default=2, ge=0, le=256)
    """processes; 0: none, renderings are made in the program itself when the recognizer asks"""
    cache: str | None = None
    """a folder in which renderings are kept as FLAC; null keeps none"""
    device: Literal["cpu", "cuda"] | None = None
    """where torch renders in batches what it can; null: the reference path renders everything"""

    @field_validator("cache")
    @classmethod
    def _a_folder(cls, value: str | None) -> str | None:
        if value is not None and Path(value).expanduser().is_file():
            raise ValueError("this is a file; name a folder, which is made where there is none")
        return value


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes what the recognizer hears of trials."""

    corpus: Corpus
    conditions: Sequence[Condition]
    resources: Resources
    settings: RenderSettings

    @contextmanager
    def renderings(
        self, rows: Sequence[Row], *, ahead: int, probe: Probe = "speech"
    ) -> Iterator[Iterator[tuple[Row, Outcome]]]:
        """Give each row, in order, with its rendering or why there is none; trials of one utterance are neighbors.

        Everything ends with the context: no process and no temporary file outlives it.

        Args:
            rows: the trials.
            ahead: number of trials to render before they are asked for.
            probe: what to make of them; renderings without speech are cached beside those with it.

        Raises:
            StudyError: if rendering as a whole cannot go on (a disk is full, a process was killed).
        """
        batched = {condition.name for condition in self.conditions if self.settings.device and covered(condition)}
        alone_s = sum(row["duration_s"] for row in rows if row["condition"] not in batched)
        workers = self.settings.workers if alone_s > FEW_S else 0
        cache = Path(self.settings.cache).expanduser() if self.settings.cache else None
        logger.debug("rendering %d trials in %s", len(rows), f"{workers} processes" if workers else "this process")
        try:
            with RenderPool(self.conditions, self.resources, workers=workers, cache=cache) as pool:
                renderer = self._batched(pool, cache) if self.settings.device else pool
                made = renderer.render(self._jobs(rows, probe), ahead=ahead)
                yield ((row, outcome) for row, (_, outcome) in zip(rows, made, strict=True))
        except RenderingError as error:
            raise StudyError(str(error)) from error

    def _batched(self, pool: RenderPool, cache: Path | None) -> BatchedPool:
        renderer = BatchedRenderer(str(self.settings.device), self.resources)
        return BatchedPool(pool, renderer, self.conditions, FlacCache(cache) if cache else None)

    def _jobs(self, rows: Sequence[Row], probe: Probe) -> Iterator[Job]:
        for utterance_id, neighbors in groupby(rows, key=lambda row: row["utterance_id"]):
            trials = list(neighbors)
            yield Job(
                utterance_id=str(utterance_id),
                place=self.corpus.audio_path(trials[0]["audio"]),
                sha256=trials[0]["audio_sha256"],
                duration_s=trials[0]["duration_s"],
                trials=tuple(Trial(t["trial_key"], t["condition"], json.loads(t["plan"]), probe) for t in trials),
            )
