"""Tables of scores: written out by hand, or drawn from a known population of speakers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline import tables

Score = tuple[str, str | None, str, int, int]
"""accent, speaker, condition, reference words, errors"""


def scores_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    defaults = {
        "backend": "engine", "normalizer": "verbatim", "condition": "clean", "speaker_id": "s", "accent": "a",
        "hits": 0, "substitutions": 0, "deletions": 0, "insertions": 0,
        "normalized_reference": "", "normalized_hypothesis": "",
    }  # fmt: skip
    numbered = [defaults | {"utterance_id": f"u{place}"} | dict(row) for place, row in enumerate(rows)]
    return tables.build(numbered, tables.Scores, where="test")


def counts_of(words: int, errors: int) -> dict[str, int]:
    """Spread errors over kinds: first substitutions, then insertions, so that more errors than words are possible."""
    wrong = min(words, errors)
    return {"hits": words - wrong, "substitutions": wrong, "deletions": 0, "insertions": errors - wrong}


def speakers_of(scores: Sequence[Score]) -> pd.DataFrame:
    """One utterance a speaker, the same one under every condition."""
    rows = [
        {"utterance_id": f"{accent}/{speaker}/{place if speaker is None else ''}", "accent": accent,
         "speaker_id": speaker, "condition": condition} | counts_of(words, errors)
        for place, (accent, speaker, condition, words, errors) in enumerate(scores)
    ]  # fmt: skip
    return scores_of(rows)


def population(
    rng: np.random.Generator,
    *,
    sizes: Sequence[int],
    conditions: Mapping[str, float] | None = None,
    accent_sd: float = 0.0,
    speaker_sd: float = 0.45,
    slope_sd: float = 0.0,
    harm: Mapping[tuple[int, str], float] | None = None,
    wer: float = 0.2,
    utterances: int = 20,
) -> pd.DataFrame:
    """Speakers with log-normal effects and negative binomial errors (theta 2), summed over their utterances.

    ``conditions`` maps names to log factors on errors; ``harm`` adds log factors for one accent and condition.
    """
    accents = np.repeat(np.arange(len(sizes)), sizes)
    factors, extra = conditions or {"clean": 0.0}, harm or {}
    level = rng.normal(0, accent_sd, len(sizes))[accents] if accent_sd else 0.0
    level = level + rng.normal(-(speaker_sd**2) / 2, speaker_sd, len(accents))
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, (len(accents), utterances)))).astype(int)
    parts = []
    for name, factor in factors.items():
        slope = rng.normal(0, slope_sd, len(accents)) if factor and slope_sd else 0.0
        planted = np.array([extra.get((accent, name), 0.0) for accent in accents])
        mean = wer * np.exp(level + factor + slope + planted)[:, None] * words
        parts.append(_rows(accents, name, words.sum(axis=1), rng.negative_binomial(2, 2 / (2 + mean)).sum(axis=1)))
    return pd.concat(parts, ignore_index=True)


def _rows(accents: np.ndarray, condition: str, words: np.ndarray, errors: np.ndarray) -> pd.DataFrame:
    wrong = np.minimum(words, errors)
    ids = [f"s{place:06d}" for place in range(len(accents))]
    frame = {
        "utterance_id": ids, "condition": condition, "backend": "engine", "normalizer": "verbatim", "speaker_id": ids,
        "accent": [f"accent{accent:04d}" for accent in accents], "hits": words - wrong, "substitutions": wrong,
        "deletions": 0, "insertions": errors - wrong, "normalized_reference": "", "normalized_hypothesis": "",
    }  # fmt: skip
    return pd.DataFrame(frame)


@pytest.fixture
def make_scores() -> Callable[[Sequence[Mapping[str, Any]]], pd.DataFrame]:
    return scores_of


@pytest.fixture
def make_speakers() -> Callable[[Sequence[Score]], pd.DataFrame]:
    return speakers_of


@pytest.fixture
def draw() -> Callable[..., pd.DataFrame]:
    return population
