"""How many processors there are for this process, and work that is spread over all of them."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from augment.spawning import no_interrupts, threads_each
from pipeline.errors import StudyError

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def usable() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Callable[[Part], Answer], parts: Sequence[Part]) -> list[Answer]:
    """Return ``work`` of each part, in the order of the parts, made by as many processes as there are processors.

    One part, or one processor, is worked on here: starting processes takes longer than little work. ``work`` and the
    parts must be picklable, and the answer for one part may hang on nothing but that part.

    Raises:
        StudyError: if a process died; most often the memory did not suffice.
    """
    count = min(usable(), len(parts))
    if count < 2:
        return [work(part) for part in parts]
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # spawned: a fork would copy the threads and devices that a recognizer holds
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))
    try:
        with threads_each(1), no_interrupts():
            waiting = [pool.submit(work, part) for part in parts]
        return [one.result() for one in waiting]
    except BrokenProcessPool:
        raise StudyError(
            f"a process that was to help with {len(parts)} parts of the work died; most often the memory did not "
            "suffice. Run again with the stages from this one on: what was transcribed is remembered."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
