"""A rendering process: how it is started, what it is told, and the line over which it is asked.

A fresh interpreter (spawn) that computes in one thread and imports neither pandas nor torch. It answers one job at a
time until the line closes; when that is because the program died, it takes the folders they shared along.
"""

import multiprocessing
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from augment.chain import Acoustics, Condition, ConditionSettings, build_condition
from augment.flac_cache import FlacCache
from augment.jobs import Job, JobRenderer, Outcome, RenderingError
from augment.resources import Resources, Talker
from augment.spawning import Bug, no_interrupts, threads_each


@dataclass(frozen=True, slots=True)
class Described:
    """A condition as another process builds it again: its steps need not survive the way there."""

    name: str
    settings: ConditionSettings
    acoustics: Acoustics
    step_types: Mapping[str, type]

    @classmethod
    def of(cls, condition: Condition) -> Self:
        """Describe a condition that was built here."""
        step_types = {kind: type(step) for kind, step in zip(condition.kinds, condition.steps, strict=True)}
        return cls(condition.name, condition.settings, condition.acoustics, step_types)

    def build(self) -> Condition:
        """Return the condition."""
        return build_condition(self.name, self.settings, step_types=self.step_types, acoustics=self.acoustics)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process needs to render any job of the study as every other would."""

    conditions: tuple[Described, ...]
    seed: int
    slots: int
    talkers: tuple[Talker, ...]
    target_level_dbov: float
    shelf: Path
    """Where processes share noise tracks."""
    cache: Path | None
    staging: Path | None
    """Where files of the cache lie until they are whole."""

    @classmethod
    def of(
        cls,
        conditions: Iterable[Condition],
        resources: Resources,
        *,
        shelf: Path,
        cache: Path | None,
        staging: Path | None,
    ) -> Self:
        """Return the orders that make a process render as this one would."""
        return cls(
            conditions=tuple(map(Described.of, conditions)),
            seed=resources.seed,
            slots=resources.slots,
            talkers=resources.talkers,
            target_level_dbov=resources.target_level_dbov,
            shelf=shelf,
            cache=cache,
            staging=staging,
        )

    def renderer(self) -> JobRenderer:
        """Return what these orders describe."""
        resources = Resources(self.seed, self.slots, self.talkers, self.target_level_dbov, shelf=self.shelf)
        cache = FlacCache(self.cache, self.staging) if self.cache else None
        return JobRenderer({one.name: one.build() for one in self.conditions}, resources, cache)


@dataclass(frozen=True, slots=True)
class Worker:
    """A rendering process as the program sees it."""

    process: BaseProcess
    line: "Connection[Any, Any]"

    @classmethod
    def start(cls, orders: Orders) -> Self:
        """Start a process; it is asked without waiting until it is ready."""
        context = multiprocessing.get_context("spawn")
        line, its_end = context.Pipe()
        process = context.Process(target=_serve, args=(its_end, orders), name="render", daemon=True)
        with threads_each(1), no_interrupts():
            process.start()
        its_end.close()  # so that the line breaks when the process dies
        return cls(process, line)

    def ask(self, job: Job) -> tuple[Outcome, ...]:
        """Return what became of a job's trials.

        Raises:
            RenderingError: if rendering cannot go on, or the process died over this job.
            RuntimeError: with the traceback of a bug.
        """
        try:
            self.line.send(job)
            answer = self.line.recv()
        except (EOFError, OSError) as error:
            raise self._death(job) from error
        if isinstance(answer, RenderingError):
            raise answer
        if isinstance(answer, Bug):
            raise RuntimeError(f"a bug in a rendering process:\n{answer.traceback}")
        outcomes: tuple[Outcome, ...] = answer
        return outcomes

    def _death(self, job: Job) -> RenderingError:
        self.process.join(timeout=5)
        code = self.process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return RenderingError(
            f"{job.utterance_id}: the process that was to render it {how}; most often the memory did not suffice. "
            "Run again with a smaller render.workers: what was transcribed is remembered."
        )


def _serve(line: "Connection[Any, Any]", orders: Orders) -> None:
    with suppress(EOFError, OSError):  # the program has ended
        render = orders.renderer()
        while True:
            line.send(_answer(render, line.recv()))
    for folder in (orders.shelf, orders.staging):
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _answer(render: JobRenderer, job: Job) -> tuple[Outcome, ...] | RenderingError | Bug:
    try:
        return render(job)
    except RenderingError as error:
        return error
    except Exception as error:
        return Bug.of(error)
