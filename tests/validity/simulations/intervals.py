"""Coverage of the cell interval: the log-WER jackknife with t on k_eff - 1 degrees of freedom (statistics: 2)."""

import numpy as np

from pipeline.stats.counts import MIN_K_EFF, effective_speakers
from pipeline.stats.jackknife import MAX_FOLD, log_interval, log_variance
from simulations.figure import Figure, share
from simulations.speakers import BURST_WORDS, MEAN_WORDS, drawn, unbalanced

BURSTS = 0.002
SPEAKERS = (3, 5, 10, 30)
LOW = {"wer": 0.05, "theta": 0.45}
"""As few errors as a good recognizer makes of read speech, in bursts."""
DESIGNS = {
    "balanced": ({"bursts": BURSTS}, (0.947, 0.949, 0.935, 0.948)),
    "unbalanced": ({"bursts": BURSTS}, (0.974, 0.969, 0.953, 0.936)),
    "low WER, balanced": (LOW, (0.949, 0.920, 0.930, 0.940)),
    "low WER, unbalanced": (LOW, (0.969, 0.966, 0.936, 0.932)),
}


def coverage(cells: int, *, designs: tuple[str, ...] = tuple(DESIGNS), seed: int = 1) -> list[Figure]:
    """Return, per design and number of speakers, how often the truth lies in the interval, and in those shown."""
    figures = []
    for design in designs:
        world, published = DESIGNS[design]
        for k, known in zip(SPEAKERS, published, strict=True):
            rng = np.random.default_rng([seed, k, *design.encode()])
            figures += _figures(f"{design}, {k} speakers", *_intervals(rng, cells, k, world, design), known, k)
    return figures


def _intervals(rng, cells, k, world, design):
    even = not design.endswith("unbalanced")
    counts = drawn(rng, cells * k, utterances=20 if even else unbalanced(rng, cells * k), **world)
    truth = world.get("wer", 0.2) + world.get("bursts", 0.0) * BURST_WORDS / MEAN_WORDS
    covered, shown = np.ones(cells, dtype=bool), np.zeros(cells, dtype=bool)
    for place, (errors, words) in enumerate(zip(*(each.reshape(cells, k) for each in counts), strict=True)):
        k_eff = effective_speakers(words)
        found = log_interval(errors.sum() / words.sum(), log_variance(errors, words), k_eff - 1, confidence=0.95)
        # an interval that does not exist excludes nothing; the program shows none there
        if found is not None:
            covered[place] = found.low <= truth <= found.high
            shown[place] = k_eff >= MIN_K_EFF and found.high <= MAX_FOLD * found.low
    return covered, shown


def _figures(design, covered, shown, published, k):
    wanted = ">= .93" if k >= 5 else ""
    every = share("cell interval", design, "coverage", covered, required=wanted, published=published)
    if not shown.any():
        return [every]
    return [
        every,
        share("cell interval", design, "share of cells with a shown interval", shown),
        share("cell interval", design, "coverage of shown intervals", covered[shown]),
    ]
