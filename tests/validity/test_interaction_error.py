"""The max-T family of the accent x condition test: false flags in a log-additive world, and power.

Published for 12 accents, 3 conditions, 20 paired utterances (SE .01): any false flag .048 with 10 speakers an accent,
.042 with 5, .040 unbalanced; a harm of 1.4 is found in .39 of studies with 10 speakers an accent and .93 with 30.
"""

import itertools
import math

import numpy as np
import pytest

from pipeline.stats.counts import Unit
from pipeline.stats.maxt import family, max_t
from pipeline.stats.paired import Changes, null_weights

pytestmark = pytest.mark.slow

FACTORS = {"babble": math.log(1.8), "codec": math.log(1.3)}
UTTERANCES, UTTERANCE_WORDS, THETA = 20, 15, 2.0


def study(rng, sizes, *, harm=0.0, without_codec=0):
    """Twelve accents that differ (SD .25), speakers (.45), speakers by condition (.2); accent 0 is harmed by babble.

    The first ``without_codec`` accents were never heard through the codec.
    """
    accents = np.repeat(np.arange(len(sizes)), sizes)
    level = rng.normal(0, 0.25, len(sizes))[accents] + rng.normal(0, 0.45, len(accents))
    units = tuple(Unit(f"a{accent:02d}", f"s{place:04d}", True) for place, accent in enumerate(accents))
    before = errors(rng, level) + 0.5
    every = []
    for name, factor in FACTORS.items():
        planted = harm * ((accents == 0) & (name == "babble"))
        after = errors(rng, level + factor + planted + rng.normal(0, 0.2, len(accents))) + 0.5
        change = np.log(after / before)
        heard = accents >= (without_codec if name == "codec" else 0)
        weights = null_weights(change[heard], (1 / after + 1 / before)[heard])
        every.append(Changes(name, tuple(itertools.compress(units, heard)), change[heard], weights))
    return max_t(family(every), 199, rng=rng)


def errors(rng, level):
    mean = np.repeat(0.15 * UTTERANCE_WORDS * np.exp(level)[:, None], UTTERANCES, axis=1)
    return rng.negative_binomial(THETA, THETA / (THETA + mean)).sum(axis=1)


@pytest.mark.parametrize(
    ("name", "sizes", "without_codec"),
    [("k10", [10] * 12, 0), ("k5", [5] * 12, 0), ("unbalanced", [5, 20] * 6, 0), ("incomplete", [10] * 12, 4)],
)
def test_a_log_additive_world_is_flagged_in_about_five_percent_of_studies(show, name, sizes, without_codec):
    rng, flags = np.random.default_rng(41), []
    for _ in range(400):
        tested = study(rng, sizes, without_codec=without_codec)
        flags.append(any(cell.p_adjusted <= 0.05 for cell in tested.cells.values()))
    show(np.mean(flags))
    assert np.mean(flags) <= 0.08


@pytest.mark.parametrize(("k", "least"), [(10, 0.25), (30, 0.80)])
def test_a_harm_of_two_fifths_is_found_as_often_as_published(show, k, least):
    rng = np.random.default_rng(42)
    found = [study(rng, [k] * 12, harm=math.log(1.4)).cells["a00", "babble"].p_adjusted <= 0.05 for _ in range(150)]
    show(np.mean(found))
    assert np.mean(found) >= least
