"""Two runs on the same speakers: does the interval of the change of the naive gap cover the true one?

Accents lie evenly on the log scale about their WER. Speakers are alike in both runs but for a log-normal part of their
own, and utterances are as hard in both.
"""

import numpy as np

from pipeline.stats.counts import Unit
from pipeline.stats.gap_changes import gap_change
from pipeline.stats.same_utterances import Paired
from simulations.figure import Figure, share

REPLICATES = 300
BEFORE, AFTER = 0.2, 0.15
WORLDS = {"no gap before or after": (0.0, 0.0), "a gap that closed": (0.4, 0.0), "a gap that opened": (0.0, 0.4),
          "a gap that stayed": (0.3, 0.3)}  # fmt: skip
"""How far the lowest and the highest accent lie from the mean log WER, before and after."""


def coverage(
    studies: int,
    *,
    worlds: tuple[str, ...] = tuple(WORLDS),
    accents: tuple[int, ...] = (3, 12),
    speakers: tuple[int, ...] = (5, 10, 30),
    seed: int = 11,
) -> list[Figure]:
    """Return the share of intervals that cover the true change, and how often a change is shown where there is none."""
    figures = []
    for world in worlds:
        for a, k in ((a, k) for a in accents for k in speakers):
            rng = np.random.default_rng([seed, a, k, *map(ord, world)])
            place = np.linspace(-1, 1, a)
            rates = [
                level * np.exp(spread * place) for level, spread in zip(_levels(world), WORLDS[world], strict=True)
            ]
            true = np.ptp(rates[1]) - np.ptp(rates[0])
            found = [_interval(rng, rates, k) for _ in range(studies)]
            design = f"{world}, {a} accents x {k} speakers"
            covered = [low <= true <= high for low, high in found]
            figures.append(share("change of the naive gap", design, "coverage at 95%", covered))
            if abs(true) < 1e-9:
                shown = [not low <= 0 <= high for low, high in found]
                figures.append(share("change of the naive gap", design, "size at 5%", shown, required="<= .07"))
    return figures


def _levels(world: str) -> tuple[float, float]:
    return (BEFORE, BEFORE) if world == "a gap that stayed" else (BEFORE, AFTER)


def _interval(rng: np.random.Generator, rates: list[np.ndarray], k: int) -> tuple[float, float]:
    groups = {f"a{at:02d}": _group(rng, f"a{at:02d}", wer, k) for at, wer in enumerate(zip(*rates, strict=True))}
    seeds = {accent: np.random.default_rng(rng.integers(2**63)) for accent in groups}
    found = gap_change(groups, confidence=0.95, replicates=REPLICATES, rng=seeds).change.interval
    return (found.low, found.high)


def _group(
    rng: np.random.Generator,
    accent: str,
    wer: tuple[float, float],
    k: int,
    *,
    shared_sd: float = 0.45,
    own_sd: float = 0.15,
    utterances: int = 20,
    theta: float = 2.0,
) -> Paired:
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, (k, utterances))))
    hardness = rng.gamma(theta, 1 / theta, (k, utterances))
    shared = rng.normal(0, shared_sd, k)
    sums = np.zeros((k, 8), dtype=np.int64)
    for side, rate in enumerate(wer):
        level = shared + rng.normal(0, own_sd, k) - (shared_sd**2 + own_sd**2) / 2
        sums[:, side] = rng.poisson(words * hardness * rate * np.exp(level)[:, None]).sum(axis=1)
        sums[:, 2 + side] = words.sum(axis=1)
    sums[:, 4] = utterances
    return Paired(tuple(Unit(accent, f"s{place}", True) for place in range(k)), sums)
