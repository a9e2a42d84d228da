"""A batch that does not fit the memory of the device is halved and done again; the size that fitted is remembered."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Halving:
    """Work through items in parts of at most ``size``, fewer once that was too many."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(
        self, items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Answer]], *, free: Callable[[], object]
    ) -> list[Answer]:
        """Return the answers of ``work`` in the order of ``items``; ``free`` is called before a part is tried again.

        Raises:
            RuntimeError: from ``work``, when it is not about memory, or a single item is too much.
        """
        done: list[Answer] = []
        while len(done) < len(items):
            part = items[len(done) : len(done) + self.size]
            try:
                done.extend(work(part))
            except RuntimeError as error:  # CTranslate2 and torch both say so in words only
                if "out of memory" not in str(error).lower() or len(part) == 1:
                    raise
                self.size = len(part) // 2
                free()
        return done
