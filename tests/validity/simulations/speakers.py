"""Simulated speakers: errors negative binomial about WER times words times a log-normal speaker effect.

The worlds are those of the published figures: WER 0.2, speaker log-SD 0.45, theta 2, 20 utterances a speaker of about
fifteen words; "unbalanced" speakers have 1 to 100 utterances, median 6.
"""

import numpy as np

from pipeline.stats.counts import Group, Unit

MEAN_WORDS = float(np.exp(2.6 + 0.5**2 / 2))
BURST_WORDS = 30
UNIT = Unit("a", "s", True)


def drawn(
    rng: np.random.Generator,
    speakers: int,
    *,
    wer: float | np.ndarray = 0.2,
    speaker_sd: float | np.ndarray = 0.45,
    utterances: np.ndarray | int = 20,
    bursts: float = 0.0,
    theta: float = 2.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return errors and words per speaker. ``bursts`` is the share of utterances with thirty more inserted words."""
    owner = np.repeat(np.arange(speakers), np.broadcast_to(utterances, speakers))
    spread = np.broadcast_to(np.asarray(speaker_sd, dtype=float), speakers)
    level = rng.normal(-(spread**2) / 2, spread) + np.log(np.broadcast_to(wer, speakers))
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, len(owner)))).astype(int)
    mean = words * np.exp(level[owner])
    errors = rng.negative_binomial(theta, theta / (theta + mean)) + BURST_WORDS * (rng.random(len(owner)) < bursts)
    return (
        np.bincount(owner, weights=errors, minlength=speakers).astype(np.int64),
        np.bincount(owner, weights=words, minlength=speakers).astype(np.int64),
    )


def unbalanced(rng: np.random.Generator, speakers: int) -> np.ndarray:
    """Return utterances per speaker: log-normal, median 6, 1 to 100."""
    return np.clip(np.rint(rng.lognormal(np.log(6), 1.0, speakers)), 1, 100).astype(int)


def groups(errors: np.ndarray, words: np.ndarray, sizes: list[int]) -> list[Group]:
    """Cut speakers into accents of these sizes."""
    ends = np.cumsum(sizes)[:-1]
    parts = zip(np.split(errors, ends), np.split(words, ends), strict=True)
    return [Group(f"a{place}", (UNIT,) * len(e), e, w) for place, (e, w) in enumerate(parts)]
