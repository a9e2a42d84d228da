"""Progress of long steps: a rich bar on a terminal, plain log lines elsewhere."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LOG_EVERY_S = 10.0


class Advance(Protocol):
    """Tell the progress display that ``done`` more items are finished."""

    def __call__(self, done: int = 1) -> None:
        """Advance by ``done`` items."""


@contextmanager
def track(description: str, total: int, logger: logging.Logger) -> Iterator[Advance]:
    """Show the progress of ``total`` items; call the yielded function as they finish."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _log_lines(description, total, logger)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done=1: bar.advance(task, done)


def _log_lines(description: str, total: int, logger: logging.Logger) -> Advance:
    count, last = 0, time.monotonic()

    def advance(done: int = 1) -> None:
        nonlocal count, last
        count += done
        now = time.monotonic()
        if count >= total or now - last >= LOG_EVERY_S:
            logger.info("%s: %d of %d", description, count, total)
            last = now

    return advance
