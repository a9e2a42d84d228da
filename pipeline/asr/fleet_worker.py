"""A recognizer's process: how it is started, what it inherits, and the line over which it is handed batches.

A fresh interpreter (spawn: CUDA does not survive a fork) that prepares and loads one copy of the backend and then
answers batch after batch. One thread of it does nothing but read, so that the next batch is there when the last is
done, and so that the process ends at once when the program has died.
"""

import logging
import multiprocessing
import os
import pickle
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, Final, Self

from augment.spawning import Bug, no_interrupts, threads_each
from pipeline.asr.base import Backend, Hypothesis, Request
from pipeline.errors import BackendError, StudyError

_LAST_WORDS_S: Final = 5.0
"""So long a process that has hung up may take to be gone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a process says first: from now on it is the batch that decides whether it lives."""


class WorkerDiedError(Exception):
    """A recognizer's process is gone; the message says how: ``signal 9`` or ``exit code 1``."""


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """A recognizer's process as the program sees it."""

    process: BaseProcess
    line: "Connection[Any, Any]"
    outbox: ThreadPoolExecutor
    """Its one thread writes to the line, so that a process slow to read holds up no other."""

    @classmethod
    def start(cls, packed: bytes, *, processors: frozenset[int] | None) -> Self:
        """Start a process that loads a backend; it is not waited for.

        Args:
            packed: the pickled, unloaded backend. It is unpacked in there, where an error can be told.
            processors: all that it may use; None: as many as this process.

        Raises:
            OSError: if the machine can start no more processes.
        """
        context = multiprocessing.get_context("spawn")
        line, its_end = context.Pipe()
        process = context.Process(target=_serve, args=(its_end, packed), name="recognizer", daemon=True)
        try:
            with ExitStack() as inherited:
                inherited.enter_context(no_interrupts())
                if processors is not None:
                    inherited.enter_context(threads_each(len(processors)))
                    inherited.enter_context(_pinned(processors))
                process.start()
        finally:
            its_end.close()  # so that the line breaks when the process dies
        return cls(process, line, ThreadPoolExecutor(1, thread_name_prefix="batches"))

    def hand(self, batch: Sequence[Request] | None) -> None:
        """Hand over a batch without waiting; None: there are no more, and the process may close its backend."""
        self.outbox.submit(self._send, pickle.dumps(batch, protocol=pickle.HIGHEST_PROTOCOL))

    def _send(self, packed: bytes) -> None:
        with suppress(OSError):  # it has died, which shows where its answer is read
            self.line.send_bytes(packed)

    def receive(self) -> Loaded | list[Hypothesis]:
        """Return what the process says next: once that it has loaded, then the answers to each batch in turn.

        Raises:
            StudyError: the one that the backend raised.
            RuntimeError: with the traceback of a bug.
            WorkerDiedError: if the process is gone.
        """
        try:
            said: Loaded | list[Hypothesis] | StudyError | Bug = self.line.recv()
        except (EOFError, OSError):
            raise WorkerDiedError(self._how_it_ended()) from None
        if isinstance(said, StudyError):
            raise said
        if isinstance(said, Bug):
            raise RuntimeError(f"a bug in a recognizer's process:\n{said.traceback}")
        return said

    def _how_it_ended(self) -> str:
        self.process.join(_LAST_WORDS_S)
        self.end()
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def end(self) -> None:
        """End the process at once, whatever it is doing, and release what it held here."""
        self.process.kill()
        self.outbox.shutdown(cancel_futures=True)
        self.process.join()
        self.line.close()


def shares(copies: int) -> list[frozenset[int] | None]:
    """Return which processors each copy on the CPU has to itself; None: one copy alone keeps them all."""
    if copies < 2:
        return [None] * copies
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    cuts = [number * len(mine) // copies for number in range(copies + 1)]
    return [
        frozenset(mine[start:stop] or [mine[number % len(mine)]]) for number, (start, stop) in enumerate(pairwise(cuts))
    ]


def answers(backend: Backend, batch: Sequence[Request]) -> list[Hypothesis]:
    """Return a loaded backend's hypotheses for a batch; there is nothing to ask about an empty one.

    Raises:
        RuntimeError: if they are not as many as were asked for, which is a bug of the backend.
    """
    said = backend.transcribe(batch) if batch else []
    if len(said) != len(batch):
        raise RuntimeError(f"{backend.name} gave {len(said)} hypotheses for a batch of {len(batch)}")
    return said


def _serve(line: "Connection[Any, Any]", packed: bytes) -> None:
    inbox: SimpleQueue[Sequence[Request] | None] = SimpleQueue()
    threading.Thread(target=_read, args=(line, inbox), daemon=True).start()
    failure: StudyError | Bug
    try:
        _work(line, inbox, pickle.loads(packed))
    except StudyError as error:
        failure = _sendable(error)
    except Exception as error:
        failure = Bug.of(error)
    else:
        return
    with suppress(OSError):  # nobody is left to be told
        line.send(failure)


def _work(line: "Connection[Any, Any]", inbox: "SimpleQueue[Sequence[Request] | None]", backend: Backend) -> None:
    with closing(backend):
        logging.disable(logging.WARNING)  # the program has prepared this backend before, and said what there is to say
        backend.prepare()
        logging.disable(logging.NOTSET)
        backend.load()
        line.send(Loaded())
        while (batch := inbox.get()) is not None:
            line.send(answers(backend, batch))


def _read(line: "Connection[Any, Any]", inbox: "SimpleQueue[Sequence[Request] | None]") -> None:
    try:
        while True:
            inbox.put(line.recv())
    except (EOFError, OSError):  # the program has ended: there is nobody to answer, even in the middle of a batch
        os._exit(1)


def _sendable(error: StudyError) -> StudyError:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error of a plug-in whose constructor wants more than the message
        return BackendError(str(error))
    return error


@contextmanager
def _pinned(processors: frozenset[int]) -> Iterator[None]:
    """Let processes that this thread starts meanwhile have some processors alone, from their first instruction on."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)  # in Linux that of the calling thread
    with suppress(OSError):  # taken away since: then the system shares out what is left
        os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
