"""The model of accents that differ: is the true gap in its interval, is the SD right (statistics: 3.1, 3.2)?"""

import numpy as np

from pipeline.stats.hierarchy import estimates, fit
from simulations.figure import Figure, mean, share
from simulations.speakers import drawn, groups

PUBLISHED = {
    (0.15, 5): 0.965,
    (0.15, 10): 0.959,
    (0.15, 30): 0.940,
    (0.3, 5): 0.936,
    (0.3, 10): 0.950,
    (0.3, 30): 0.953,
}


def coverage(studies: int, *, worlds: tuple[tuple[float, int], ...] = tuple(PUBLISHED), seed: int = 9) -> list[Figure]:
    """Return coverage of the 95% interval of the gap between 12 accents, its error, and that of the naive gap."""
    figures = []
    for spread, k in worlds:
        rng = np.random.default_rng([seed, round(100 * spread), k])
        found = [_study(rng, spread, k) for _ in range(studies)]
        covered, off, naive = (np.array(values) for values in zip(*found, strict=True))
        design, held = f"12 accents x {k} speakers, SD {spread:g} between accents", {"published": PUBLISHED[spread, k]}
        figures += [
            share("gap of the model", design, "coverage of the 95% interval", covered, required="about .95", **held),
            mean("gap of the model", design, "mean error of the posterior median", off),
            mean("naive gap", design, "mean error", naive),
        ]
    return figures


def _study(rng, spread, k):
    rates = 0.2 * np.exp(rng.normal(0, spread, 12))
    accents = groups(*drawn(rng, 12 * k, wer=np.repeat(rates, k)), [k] * 12)
    gap = fit(accents, estimates(accents), confidence=0.95, material_gap=0.05, rng=rng).gap
    truth, seen = rates.max() - rates.min(), [one.wer for one in accents]
    return gap.low <= truth <= gap.high, gap.median - truth, max(seen) - min(seen) - truth
