"""What processes that work for the program have in common: what they inherit, and how they tell of a bug."""

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class Bug:
    """An exception that nobody foresaw, as text: not every exception can be sent between processes."""

    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return the bug that ``error`` shows."""
        return cls("".join(traceback.format_exception(error)))


@contextmanager
def threads_each(count: int) -> Iterator[None]:
    """Let numerical libraries of the processes started meanwhile take ``count`` threads each: they read this once."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Let processes started meanwhile never see Ctrl-C: a terminal sends it to all, and the program ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # starts with the first process otherwise, and unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
