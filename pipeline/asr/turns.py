"""Processes that hear at the same time: each begins elsewhere, so that they meet and do not hear the same.

What one has heard the others find in the store before their next batch. Two that went through the trials in one
order would still hear every batch side by side: so the first goes from the front, the second from the back, and
others begin between.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

_MOST: Final = 64
_GOLDEN: Final = 0.618
"""Multiples of it, modulo 1, lie apart from each other however many there are."""


@contextmanager
def turn(folder: Path) -> Iterator[int]:
    """Give the number of this process among those that hear now with a store in ``folder``: 0 to the first.

    The number is free again when the process ends, however it ends. Where files cannot be locked it is 0.
    """
    lock = None
    for number in range(_MOST):
        lock = FileLock(folder / f".hearing-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        except OSError:
            number, lock = 0, None
        break
    else:
        lock = None
    try:
        yield number
    finally:
        if lock is not None:
            lock.release()


def in_turn(rows: Sequence[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """Return ``rows`` in the order of process ``number``; trials of one utterance stay together."""
    if number == 0:
        return list(rows)
    if number == 1:
        return list(reversed(rows))
    start = int(len(rows) * (_GOLDEN * number % 1))
    while 0 < start < len(rows) and rows[start]["utterance_id"] == rows[start - 1]["utterance_id"]:
        start += 1
    return [*rows[start:], *rows[:start]]
