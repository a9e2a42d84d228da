"""Coverage of the cell interval: the log-WER jackknife with t on k_eff - 1 degrees of freedom.

The published figures (3,000 cells, Monte Carlo SE .004) are .947/.949/.935/.948 for 3/5/10/30 balanced speakers and
.974/.969/.953/.936 where utterances a speaker vary between 1 and 100.
"""

import numpy as np
import pytest

from pipeline.stats.counts import effective_speakers
from pipeline.stats.jackknife import log_interval, log_variance

pytestmark = pytest.mark.slow

CELLS = 3000
BURSTS = 0.002
LOG_NORMAL_MEAN_WORDS = np.exp(2.6 + 0.5**2 / 2)


def coverage(draw, rng, k, *, balanced):
    # the burst words are part of the truth: thirty in every 500th utterance of some fifteen words
    truth = 0.2 + BURSTS * 30 / LOG_NORMAL_MEAN_WORDS
    covered = 0
    for _ in range(CELLS):
        uneven = np.clip(np.rint(rng.lognormal(np.log(6), 1.0, k)), 1, 100).astype(int)
        errors, words = draw(rng, k, utterances=20 if balanced else uneven, bursts=BURSTS)
        estimate, degrees = errors.sum() / words.sum(), effective_speakers(words) - 1
        found = log_interval(estimate, log_variance(errors, words), degrees, confidence=0.95)
        # where the interval is undefined the program shows none: it excludes nothing
        covered += found is None or found.low <= truth <= found.high
    return covered / CELLS


@pytest.mark.parametrize(("k", "published"), [(3, 0.947), (5, 0.949), (10, 0.935), (30, 0.948)])
def test_balanced_speakers_are_covered_as_published(draw, show, k, published):
    found = coverage(draw, np.random.default_rng(k), k, balanced=True)
    show(found)
    assert found == pytest.approx(published, abs=0.02)


@pytest.mark.parametrize(("k", "published"), [(3, 0.974), (5, 0.969), (10, 0.953), (30, 0.936)])
def test_unbalanced_speakers_are_covered_as_published(draw, show, k, published):
    found = coverage(draw, np.random.default_rng(100 + k), k, balanced=False)
    show(found)
    assert found == pytest.approx(published, abs=0.025)
