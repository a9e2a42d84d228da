"""A study's jobs in batches, in order: what has no batched form is rendered by processes meanwhile."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import tee
from typing import Final

from augment.batched.renderer import BatchedRenderer
from augment.chain import Condition, Rendering, Source
from augment.errors import ConditionError, NoActiveSpeechError
from augment.flac_cache import FlacCache
from augment.jobs import Failure, Job, Outcome, RenderingError, Trial, _name, _source
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
                kept = self._cache.get(_name(trial)) if self._cache and trial.condition in self._covered else None
                if kept is not None:
                    made[number, place] = kept
                elif trial.condition in self._covered:
                    asked.setdefault((trial.condition, trial.probe), []).append((number, place))
        wanted = {number for places in asked.values() for number, _ in places}
        sources = {number: _source(batch[number]) for number in sorted(wanted)}
        for places in asked.values():
            made |= self._under_one_condition(batch, places, sources)
        return made
