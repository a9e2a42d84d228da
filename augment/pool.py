"""Rendering in processes, ahead of its need: results come in order, and memory is bounded whatever the corpus.

Plans are integers and noise tracks lie on a shelf that all processes share, so neither the number of processes nor
the order in which they work can change a sample.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

from augment.chain import Condition
from augment.jobs import Job, JobRenderer, Outcome, RenderingError, Trial
from augment.resources import Resources
from augment.shared_folder import shared_folder
from augment.worker import Orders, Worker

_AHEAD_S: Final = 3600.0
"""Renderings that wait to be used hold no more seconds than this (115 MB), beyond one job a process."""

Waiting = deque[tuple[Job, Future[tuple[Outcome, ...]]]]


class RenderPool:
    """Renders jobs in ``workers`` processes, or in this one; a context manager that leaves nothing behind."""

    def __init__(
        self, conditions: Iterable[Condition], resources: Resources, *, workers: int, cache: Path | None = None
    ) -> None:
        """Take note of everything; processes start when the context is entered.

        Args:
            conditions: all that a trial may name.
            resources: seed, slots and talkers; each process makes its own from these, this one too.
            workers: number of processes; 0 renders in this process, one job at a time, when it is asked for.
            cache: a folder in which renderings are kept as FLAC; None keeps none.
        """
        self._conditions = tuple(conditions)
        self._resources = resources
        self._count = workers
        self._cache = cache
        self._here: JobRenderer | None = None
        self._workers: list[Worker] = []
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        # one thread a process, which waits for its answers: without it a process could not go on to its next job
        self._threads = ThreadPoolExecutor(max(1, workers), thread_name_prefix="render")
        self._folders = ExitStack()

    def __enter__(self) -> Self:
        """Start the processes.

        Raises:
            RenderingError: if there is no room for what they share.
        """
        try:
            self._begin()
        except OSError as error:
            self._end()
            raise RenderingError(f"{error}: rendering must write here; make room, or let it.") from error
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the processes at once, whatever they are doing, and remove what they shared."""
        self._end()

    def render(self, jobs: Iterable[Job], *, ahead: int) -> Iterator[tuple[Trial, Outcome]]:
        """Yield the trials of ``jobs`` in order, each with what became of it.

        Args:
            jobs: taken from the iterable as they are needed.
            ahead: number of trials to render before they are asked for.

        Raises:
            RenderingError: if rendering cannot go on; the message names the utterance.
        """
        pieces = (piece for job in jobs for piece in job.pieces())
        if self._here is not None:
            for piece in pieces:
                yield from zip(piece.trials, self._here(piece), strict=True)
            return
        waiting: Waiting = deque()
        for piece in pieces:
            waiting.append((piece, self._threads.submit(self._ask, piece)))
            while len(waiting) > self._count and _enough(waiting, ahead):
                yield from _first(waiting)
        while waiting:
            yield from _first(waiting)

    def _begin(self) -> None:
        if self._cache:
            self._cache.mkdir(parents=True, exist_ok=True)
        orders = Orders.of(
            self._conditions,
            self._resources,
            shelf=self._folders.enter_context(shared_folder("asr-render-")),
            cache=self._cache,
            staging=self._folders.enter_context(shared_folder(".partial-", self._cache)) if self._cache else None,
        )
        if self._count:
            # in a thread: Ctrl-C can interrupt this one anywhere, even between a process and its orders
            self._threads.submit(self._start, orders).result()
        else:
            self._here = orders.renderer()

    def _start(self, orders: Orders) -> None:
        for _ in range(self._count):
            worker = Worker.start(orders)
            self._workers.append(worker)
            self._idle.put(worker)

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.process.kill()  # one that was being started until now
            worker.process.join()
            worker.line.close()
        self._folders.close()

    def _ask(self, job: Job) -> tuple[Outcome, ...]:
        worker = self._idle.get()
        try:
            return worker.ask(job)
        finally:
            self._idle.put(worker)


def _enough(waiting: Waiting, ahead: int) -> bool:
    trials = sum(len(job.trials) for job, _ in waiting)
    return trials > ahead or sum(job.rendered_s for job, _ in waiting) > _AHEAD_S


def _first(waiting: Waiting) -> Iterator[tuple[Trial, Outcome]]:
    job, answer = waiting.popleft()
    return zip(job.trials, answer.result(), strict=True)
