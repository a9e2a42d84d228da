"""The optional mixed model in a world without interaction: how often do its intervals say that there is one?"""

import math

import numpy as np

from pipeline.stats.jackknife import quantile
from pipeline.stats.mixed_model import fit_poisson
from simulations.figure import Figure, share
from simulations.speakers import drawn

FACTOR, SLOPE_SD, ACCENT_SD, SPEAKER_SD = math.log(1.8), 0.2, 0.25, 0.45


def false_flags(studies: int, *, accents: int = 12, speakers: int = 10, seed: int = 10) -> list[Figure]:
    """Return how often the interval of an accent's extra harm excludes none, of all accents and in any of a study."""
    rng, flags = np.random.default_rng(seed), []
    for _ in range(studies):
        flags.append(_study(rng, accents, speakers))
    design = f"{accents} accents x {speakers} speakers, one condition"
    each = share("mixed model (confirmation only)", design, "an accent's 95% interval excludes 1", np.ravel(flags))
    any_one = share("mixed model (confirmation only)", design, "any of a study's intervals does", np.any(flags, axis=1))
    return [each, any_one]


def _study(rng, accents, k):
    speaker, accent = np.arange(accents * k), np.repeat(np.arange(accents), k)
    level = rng.normal(0, ACCENT_SD, accents)[accent] + rng.normal(0, SPEAKER_SD, accents * k)
    slope = rng.normal(0, SLOPE_SD, accents * k)
    sides = [drawn(rng, accents * k, wer=0.15 * np.exp(level + x), speaker_sd=0.0) for x in (0.0, FACTOR + slope)]
    errors, words = (np.concatenate(each) for each in zip(*sides, strict=True))
    fitted = fit_poisson(errors, words, cell=np.concatenate([accent, accent + accents]), speaker=np.tile(speaker, 2))
    found = []
    for own in range(accents):
        extra = np.where(np.arange(accents) == own, 1.0, -1 / (accents - 1))
        contrast = np.concatenate([-extra, extra])
        error = math.sqrt(contrast @ fitted.covariance @ contrast)
        found.append(bool(abs(contrast @ fitted.log_rate) > quantile(0.95, accents * k - accents) * error))
    return found
