"""The accent x condition test: false flags in a log-additive world, and power (statistics: 4.3).

12 accents (SD .25), speakers (.45), speakers by condition (.2), conditions that multiply errors by 1.8 and 1.3, 20
paired utterances of fifteen words.
"""

import itertools
import math

import numpy as np

from pipeline.stats.counts import Unit
from pipeline.stats.maxt import Tested, family, max_t
from pipeline.stats.paired import Changes, null_weights
from simulations.figure import Figure, share

FACTORS = {"babble": math.log(1.8), "codec": math.log(1.3)}
UTTERANCES, UTTERANCE_WORDS, THETA = 20, 15, 2.0
DESIGNS = {
    "12 accents x 10 speakers": ([10] * 12, 0, 0.048),
    "12 accents x 5 speakers": ([5] * 12, 0, 0.042),
    "5 or 20 speakers": ([5, 20] * 6, 0, 0.040),
    "10 speakers, a third not heard through the codec": ([10] * 12, 4, None),
}


def study(rng: np.random.Generator, sizes: list[int], *, harm: float = 0.0, without_codec: int = 0) -> Tested:
    """Draw and test one study. Accent 0 is harmed by babble; the first ``without_codec`` accents miss the codec."""
    accents = np.repeat(np.arange(len(sizes)), sizes)
    level = rng.normal(0, 0.25, len(sizes))[accents] + rng.normal(0, 0.45, len(accents))
    units = tuple(Unit(f"a{accent:02d}", f"s{place:04d}", True) for place, accent in enumerate(accents))
    before = _errors(rng, level) + 0.5
    every = []
    for name, factor in FACTORS.items():
        planted = harm * ((accents == 0) & (name == "babble"))
        after = _errors(rng, level + factor + planted + rng.normal(0, 0.2, len(accents))) + 0.5
        change = np.log(after / before)
        heard = accents >= (without_codec if name == "codec" else 0)
        weights = null_weights(change[heard], (1 / after + 1 / before)[heard])
        every.append(Changes(name, tuple(itertools.compress(units, heard)), change[heard], weights))
    return max_t(family(every), 199, rng=rng)


def _errors(rng, level):
    mean = np.repeat(0.15 * UTTERANCE_WORDS * np.exp(level)[:, None], UTTERANCES, axis=1)
    return rng.negative_binomial(THETA, THETA / (THETA + mean)).sum(axis=1)


def size(studies: int, *, designs: tuple[str, ...] = tuple(DESIGNS), seed: int = 5) -> list[Figure]:
    """Return how often a world without interaction is accused: any cell of the family, and by the omnibus test."""
    figures = []
    for design in designs:
        sizes, without_codec, published = DESIGNS[design]
        rng = np.random.default_rng([seed, *design.encode()])
        tested = [study(rng, sizes, without_codec=without_codec) for _ in range(studies)]
        flags = [any(cell.p_adjusted <= 0.05 for cell in one.cells.values()) for one in tested]
        held = {"required": "<= .07", "published": published}
        figures.append(share("interaction, max-T", design, "any false flag at 5%", flags, **held))
        omnibus = [one.p_mean_f <= 0.05 for one in tested]
        figures.append(share("interaction, omnibus over conditions", design, "size at 5%", omnibus, required="<= .07"))
    return figures


def power(studies: int, *, speakers: tuple[int, ...] = (10, 30), seed: int = 6) -> list[Figure]:
    """Return how often a harm of 1.4 times is found in the accent that has it."""
    figures = []
    for k, wanted, published in ((10, "", 0.39), (30, ">= .85", 0.93)):
        if k not in speakers:
            continue
        rng = np.random.default_rng([seed, k])
        cells = [study(rng, [k] * 12, harm=math.log(1.4)).cells["a00", "babble"] for _ in range(studies)]
        design, held = f"12 accents x {k} speakers, harm 1.4", {"required": wanted, "published": published}
        found = [cell.p_adjusted <= 0.05 for cell in cells]
        figures.append(share("interaction, max-T", design, "harmed accent found", found, **held))
    return figures
