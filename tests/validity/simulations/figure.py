"""One simulated figure with its Monte Carlo error, and what it is held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A share (or a mean) over ``n`` simulated studies. ``required`` is in words, ``published`` where there is one."""

    study: str
    design: str
    measure: str
    value: float
    standard_error: float
    n: int
    required: str = ""
    published: float | None = None

    def is_at_most(self, limit: float) -> bool:
        """Return whether the figure lies below ``limit``, three Monte Carlo errors allowed at the limit."""
        return self.value <= limit + 3 * math.sqrt(limit * (1 - limit) / self.n)

    def is_at_least(self, limit: float) -> bool:
        """Return whether the figure lies above ``limit``, three Monte Carlo errors allowed at the limit."""
        return self.value >= limit - 3 * math.sqrt(limit * (1 - limit) / self.n)


def share(study: str, design: str, measure: str, found: Sequence[bool] | np.ndarray, **held: object) -> Figure:
    """Return how often something was found."""
    value, n = float(np.mean(found)), len(found)
    return Figure(study, design, measure, value, math.sqrt(value * (1 - value) / n), n, **held)


def mean(study: str, design: str, measure: str, values: Sequence[float] | np.ndarray, **held: object) -> Figure:
    """Return the mean of a number."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Figure(study, design, measure, float(np.mean(values)), error, len(values), **held)
