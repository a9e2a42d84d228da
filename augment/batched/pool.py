"""A study's jobs in batches, in order: what has no batched form is rendered by processes meanwhile."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee
from typing import Final

from augment.batched.renderer import BatchedRenderer
from augment.chain import Condition, Rendering, Source
from augment.errors import ConditionError, NoActiveSpeechError
from augment.flac_cache import FlacCache
from augment.jobs import Failure, Job, Outcome, RenderingError, Trial, read_source
from augment.pool import RenderPool

_UTTERANCES: Final = 64
_HEARD_S: Final = 900.0
_RENDERED_S: Final = 3600.0
"""A batch holds no more utterances, seconds of them, and seconds of their renderings (115 MB)."""

Place = tuple[int, int]
"""The number of a job in its batch, and of a trial in its job."""


class BatchedPool:
    """Renders as ``RenderPool`` does, which gets what is not covered."""

    def __init__(
        self, pool: RenderPool, renderer: BatchedRenderer, conditions: Iterable[Condition], cache: FlacCache | None
    ) -> None:
        """Take a pool whose context is entered, and everything that a trial may name."""
        self._pool = pool
        self._renderer = renderer
        self._conditions = {condition.name: condition for condition in conditions}
        self._covered = {name for name, condition in self._conditions.items() if renderer.covers(condition)}
        self._cache = cache

    def render(self, jobs: Iterable[Job], *, ahead: int) -> Iterator[tuple[Trial, Outcome]]:
        """Yield the trials of ``jobs`` in order, each with what became of it.

        Args:
            jobs: taken from the iterable as they are needed.
            ahead: number of trials without a batched form to render before they are asked for.

        Raises:
            RenderingError: if rendering cannot go on.
        """
        ours, theirs = tee(piece for job in jobs for piece in job.pieces())
        others = self._pool.render(self._left(theirs), ahead=ahead)
        for batch in _batches(ours):
            made = self._made(batch)
            for number, job in enumerate(batch):
                for place, trial in enumerate(job.trials):
                    yield (trial, made[number, place]) if (number, place) in made else next(others)

    def _left(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield of each job what is not covered."""
        for job in jobs:
            trials = tuple(trial for trial in job.trials if trial.condition not in self._covered)
            if trials:
                yield replace(job, trials=trials)

    def _made(self, batch: Sequence[Job]) -> dict[Place, Outcome]:
        """Return what became of the covered trials: one condition after another, all of its utterances at once."""
        made: dict[Place, Outcome] = {}
        asked: dict[tuple[str, str], list[Place]] = {}
        for number, job in enumerate(batch):
            for place, trial in enumerate(job.trials):
                kept = self._cache.get(trial.cached_as) if self._cache and trial.condition in self._covered else None
                if kept is not None:
                    made[number, place] = kept
                elif trial.condition in self._covered:
                    asked.setdefault((trial.condition, trial.probe), []).append((number, place))
        wanted = {number for places in asked.values() for number, _ in places}
        sources = {number: read_source(batch[number]) for number in sorted(wanted)}
        for places in asked.values():
            made |= self._under_one_condition(batch, places, sources)
        return made

    def _under_one_condition(
        self, batch: Sequence[Job], places: Sequence[Place], sources: Mapping[int, Source | Failure]
    ) -> dict[Place, Outcome]:
        made: dict[Place, Outcome] = {}
        readable: dict[Place, Source] = {}
        for number, place in places:
            source = sources[number]
            if isinstance(source, Failure):
                made[number, place] = source
            else:
                readable[number, place] = source
        trials = [batch[number].trials[place] for number, place in readable]
        renderings = self._rendered(list(readable.values()), trials)
        for (number, place), trial, rendering in zip(readable, trials, renderings, strict=True):
            made[number, place] = self._told(batch[number], trial, rendering)
        return made

    def _rendered(self, sources: Sequence[Source], trials: Sequence[Trial]) -> list[Rendering | ConditionError]:
        if not trials:
            return []
        first = trials[0]
        plans = [trial.plan for trial in trials]
        try:
            return self._renderer.render(self._conditions[first.condition], sources, plans, probe=first.probe)
        except RuntimeError as error:
            if type(error).__name__ != "OutOfMemoryError":  # torch's own; it cannot be named without torch
                error.add_note(f"while rendering {first.condition} in a batch")
                raise
            raise RenderingError(
                f"render.device: its memory does not hold a batch under {first.condition}. Free some of it, or set "
                "render.device to cpu or null."
            ) from error

    def _told(self, job: Job, trial: Trial, made: Rendering | ConditionError) -> Outcome:
        """Return a rendering, kept for the next time, or a failure with the sentence that ``JobRenderer`` gives it."""
        where = f"{job.utterance_id} under {trial.condition}"
        if isinstance(made, ConditionError):
            silent = isinstance(made, NoActiveSpeechError)
            return Failure("no_active_speech" if silent else "condition_not_applied", f"{where}: {made}")
        if self._cache:
            try:
                self._cache.put(trial.cached_as, made)
            except OSError as error:
                raise RenderingError(
                    f"{where}: {error}. Make room in the folder that render.cache names, or see that it can be written "
                    "to, and run again."
                ) from error
        return made


def _batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    batch: list[Job] = []
    heard_s = rendered_s = 0.0
    for job in jobs:
        heard_s, rendered_s = heard_s + job.duration_s, rendered_s + job.rendered_s
        if batch and (len(batch) == _UTTERANCES or heard_s > _HEARD_S or rendered_s > _RENDERED_S):
            yield batch
            batch, heard_s, rendered_s = [], job.duration_s, job.rendered_s
        batch.append(job)
    if batch:
        yield batch
