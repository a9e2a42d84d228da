"""Simulated speakers for the long checks of what the statistics promise.

Run them alone, and see the figures, with::

    python -m pytest tests/validity -m slow -s

Errors of an utterance are negative binomial (theta 2) about WER times its words times a log-normal speaker effect;
speakers are drawn anew in each study, so a figure is what a reader may expect of a published table.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

THETA = 2.0


def drawn(
    rng: np.random.Generator,
    speakers: int,
    *,
    wer: float = 0.2,
    speaker_sd: float | np.ndarray = 0.45,
    utterances: np.ndarray | int = 20,
    bursts: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return errors and words per speaker. ``bursts`` is the share of utterances with thirty more inserted words."""
    counts = np.broadcast_to(utterances, speakers)
    owner = np.repeat(np.arange(speakers), counts)
    spread = np.broadcast_to(np.asarray(speaker_sd, dtype=float), speakers)
    level = rng.normal(-(spread**2) / 2, spread)
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, len(owner)))).astype(int)
    mean = wer * words * np.exp(level[owner])
    errors = rng.negative_binomial(THETA, THETA / (THETA + mean)) + 30 * (rng.random(len(owner)) < bursts)
    return (
        np.bincount(owner, weights=errors, minlength=speakers).astype(np.int64),
        np.bincount(owner, weights=words, minlength=speakers).astype(np.int64),
    )


@pytest.fixture
def draw() -> Callable[..., Any]:
    return drawn


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Callable[[float], None]:
    """Print a measured figure beside the test's name; seen with ``-s``."""

    def print_figure(value: float) -> None:
        print(f"\n{request.node.name}: {value:.3f}")

    return print_figure
