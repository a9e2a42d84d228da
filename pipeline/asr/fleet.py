"""Several copies of a recognizer at once, each in a process on a device of its own.

Batches go to whichever process has room and come back as they get done. A process that dies is started again and its
batch done again; ``fleet_parts`` finds a clip that kills. Which process hears a batch decides no word.
"""

import logging
import pickle
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import TracebackType
from typing import Final, Self

from pipeline.asr.base import Backend, Hypothesis, Request
from pipeline.asr.fleet_parts import Part, Whole
from pipeline.asr.fleet_worker import Loaded, Worker, WorkerDiedError, answers, shares
from pipeline.errors import BackendError, StudyError

logger = logging.getLogger(__name__)

Batch = Sequence[Request]

_IN_FLIGHT: Final = 2
"""Batches a process: the one it hears, and the next."""
_GOODBYE_S: Final = 5.0
"""So long idle processes may take to close their backends, all together."""


def in_process(backend: Backend, batches: Iterable[Batch]) -> Iterator[tuple[Batch, list[Hypothesis]]]:
    """Yield each batch with its hypotheses, as ``Fleet.transcribe`` does, by one loaded backend in this process."""
    for batch in batches:
        yield batch, answers(backend, batch)


@dataclass(slots=True, eq=False)
class _Seat:
    """The place of one copy: the process that works there now, if any, and what it was given."""

    label: str
    packed: bytes
    processors: frozenset[int] | None
    worker: Worker | None = None
    loaded: bool = False
    given: deque[Part] = field(default_factory=deque)
    deaths: int = 0
    """since the last answer"""
    strikes: int = 0
    """of these, the ones that the search for a deadly clip does not explain"""

    def sit(self) -> None:
        """Start a process here."""
        self.worker = Worker.start(self.packed, processors=self.processors)

    def give(self, part: Part) -> None:
        """Hand a part to the process."""
        if self.worker is None:
            raise RuntimeError("a part for a seat where no process is")
        self.given.append(part)
        self.worker.hand(part.requests)

    def clear(self) -> list[Part]:
        """Forget the process, which is gone; return what it was given and did not answer."""
        left = list(self.given)
        self.given.clear()
        self.worker, self.loaded = None, False
        return left


class Fleet:
    """Transcribes with several processes; a context manager that leaves none behind."""

    def __init__(self, copies: Sequence[Backend], *, restarts: int = 3) -> None:
        """Take note of everything; processes start when there are batches for them.

        Args:
            copies: unloaded backends, each placed on its device; one a process.
            restarts: how often in a row a process that died without an answer is started again; those that the search
                for a deadly clip takes are not counted.
        """
        if not copies:
            raise ValueError("a fleet without a recognizer")
        processors = iter(shares(sum(copy.device == "cpu" for copy in copies)))
        self._seats = [
            _Seat(label=f"{copy.name} on {copy.device}", packed=pickle.dumps(copy), processors=share)
            for copy, share in ((copy, next(processors) if copy.device == "cpu" else None) for copy in copies)
        ]
        self._restarts = restarts
        self._todo: deque[Part] = deque()

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let idle processes close their backends, unless there was an error, and end all of them."""
        if kind is None:
            self._dismiss()
        self._end()

    def transcribe(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, list[Hypothesis]]]:
        """Yield each batch once, whole, with its hypotheses, as they get done: in any order.

        Processes stay loaded for the next call. An error, also one of ``batches``, or an early end ends all of them.

        Args:
            batches: taken in the calling thread, when there is room for one.

        Raises:
            StudyError: what a copy raised; a ``BackendError`` if processes keep dying.
            RuntimeError: with the traceback of a bug in a process.
        """
        unfinished = True
        try:
            yield from self._transcribe(iter(batches))
            unfinished = False
        finally:
            if unfinished:
                self._end()

    def _transcribe(self, source: Iterator[Batch]) -> Iterator[tuple[Batch, list[Hypothesis]]]:
        room, more = _IN_FLIGHT * len(self._seats), True
        while more or room < _IN_FLIGHT * len(self._seats):
            if more and room:
                batch = next(source, None)
                if batch is None:
                    more = False
                elif len(batch) == 0:
                    yield batch, []
                else:
                    self._todo.append(Part.all_of(batch))
                    room -= 1
            self._hand_out()
            for whole in self._collect(wait_s=0 if more and room else None):
                room += 1
                yield whole.batch, whole.hypotheses

    def _hand_out(self) -> None:
        """Give what is to do to loaded processes, one each before two each, and start others for what is left."""
        for depth in range(_IN_FLIGHT):
            for seat in self._seats:
                if self._todo and seat.loaded and len(seat.given) == depth:
                    seat.give(self._todo.popleft())
        loading = sum(seat.worker is not None and not seat.loaded for seat in self._seats)
        for seat in self._seats:
            if seat.worker is None and len(self._todo) > loading:
                _start(seat)
                loading += 1

    def _collect(self, *, wait_s: float | None) -> Iterator[Whole]:
        """Yield the batches that are done by what the processes say now, before an error of one is raised."""
        if not self._todo and not any(seat.given for seat in self._seats):
            return
        by_line = {seat.worker.line: (seat, seat.worker) for seat in self._seats if seat.worker is not None}
        failures: list[StudyError | RuntimeError] = []
        for line in wait(list(by_line), wait_s):
            try:
                whole = self._heed(*by_line[line])  # type: ignore[index]  # wait() gives back what it was given
            except (StudyError, RuntimeError) as error:
                failures.append(error)
                continue
            if whole is not None:
                yield whole
        if failures:
            raise failures[0]

    def _heed(self, seat: _Seat, worker: Worker) -> Whole | None:
        """Take in what a process says, or its death; return the batch that is done by it, if one is."""
        try:
            said = worker.receive()
        except WorkerDiedError as death:
            return self._bury(seat, str(death))
        if isinstance(said, Loaded):
            seat.loaded = True
            return None
        part = seat.given.popleft()
        part.answer(said)
        seat.deaths = seat.strikes = 0
        return part.whole if part.whole.done else None

    def _bury(self, seat: _Seat, how: str) -> Whole | None:
        """Put back what a dead process had; return the batch that is done if it was the last clip that killed it."""
        during = "was idle" if seat.loaded else "loaded"
        left = seat.clear()
        seat.deaths += 1
        seat.strikes += left[0].speaks_against_recognizer if left else 1
        if left:
            self._todo.extendleft(reversed(left[1:]))  # these were only waiting
            during = f"heard {left[0].label}"
        if seat.strikes > self._restarts:
            raise BackendError(_hopeless(seat, how, during))
        logger.warning("asr: the process of %s died (%s) while it %s", seat.label, how, during)
        if not left:
            return None
        self._todo.extendleft(reversed(left[0].after_death(how)))
        return left[0].whole if left[0].whole.done else None

    def _dismiss(self) -> None:
        idle = [seat.worker for seat in self._seats if seat.worker is not None and seat.loaded and not seat.given]
        for worker in idle:
            worker.hand(None)
        deadline_s = time.monotonic() + _GOODBYE_S
        for worker in idle:
            worker.process.join(max(0.0, deadline_s - time.monotonic()))

    def _end(self) -> None:
        self._todo.clear()
        for seat in self._seats:  # all are told before one is waited for
            if seat.worker is not None:
                seat.worker.process.kill()
        for seat in self._seats:
            if seat.worker is not None:
                seat.worker.end()
                seat.clear()


def _start(seat: _Seat) -> None:
    try:
        # in a thread: Ctrl-C can interrupt this one anywhere, even between a process and its orders
        with ThreadPoolExecutor(1) as thread:
            thread.submit(seat.sit).result()
    except OSError as error:
        raise BackendError(
            f"asr: no process can be started for {seat.label}: {error}. Use fewer devices, or free what they lack."
        ) from error


def _hopeless(seat: _Seat, how: str, during: str) -> str:
    cause = "the memory did not suffice" if how == "signal 9" else "a library of the engine crashed"
    times = "once" if seat.deaths == 1 else f"{seat.deaths} times in a row"
    return (
        f"asr: the process of {seat.label} died {times} without an answer, at last ({how}) while it {during};"
        f" most often {cause}. Run again with a smaller asr.batch_size or asr.model, or fewer devices:"
        " what was transcribed is remembered."
    )
