"""How often the omnibus test finds a disparity where there is none, at a nominal 5%.

Published for 12 accents (400 studies, SE .011): .065 with 10 speakers each; with 5 or 20 speakers .030 where the small
groups vary less and .072 where they vary more; moderated variances .055 where groups have 2 to 30 speakers.
"""

import numpy as np
import pytest

from pipeline.stats.omnibus import needs_half_error, q_statistic
from pipeline.stats.permutation import p_value, rearrangements

pytestmark = pytest.mark.slow

STUDIES = 300
EQUAL = [10] * 12
TWO_SIZES = [5, 20] * 6
MANY_SIZES = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30]


def p_of(rng, errors, words, sizes, *, own_variance):
    sizes = np.array(sizes)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    batches = [labels[None, :], *rearrangements(labels, 199, rng=rng)]
    half = needs_half_error(errors, sizes)
    q = [q_statistic(errors, words, each, sizes=sizes, own_variance=own_variance, half_error=half) for each in batches]
    every = np.concatenate(q)
    return p_value(every[0], every[1:])


@pytest.mark.parametrize(
    ("name", "sizes", "spread", "wer", "limit"),
    [
        ("equal", EQUAL, 0.45, 0.2, 0.09),
        ("small_vary_less", TWO_SIZES, {5: 0.25, 20: 0.65}, 0.2, 0.07),
        ("small_vary_more", TWO_SIZES, {5: 0.65, 20: 0.25}, 0.2, 0.12),
        ("moderated", MANY_SIZES, 0.45, 0.2, 0.09),
        ("hardly_any_errors", [5] * 8, 0.45, 0.004, 0.09),
    ],
)
def test_a_world_without_disparity_is_rarely_accused(draw, show, name, sizes, spread, wer, limit):
    rng, found = np.random.default_rng(31), []
    sds = np.repeat([spread[k] if isinstance(spread, dict) else spread for k in sizes], sizes)
    for _ in range(STUDIES):
        errors, words = draw(rng, sum(sizes), speaker_sd=sds, wer=wer)
        found.append(p_of(rng, errors, words, sizes, own_variance=min(sizes) >= 5))
    show(np.mean(np.array(found) <= 0.05))
    assert np.mean(np.array(found) <= 0.05) <= limit


def test_an_accent_spread_of_a_fifth_is_found_in_about_two_studies_of_three(draw, show):
    # published power of the own-variance Q at tau = .2 with 12 x 10 speakers: .63
    rng, found = np.random.default_rng(32), []
    for _ in range(STUDIES):
        parts = [draw(rng, 10, wer=0.2 * np.exp(level)) for level in rng.normal(0, 0.2, 12)]
        errors, words = (np.concatenate(each) for each in zip(*parts, strict=True))
        found.append(p_of(rng, errors, words, EQUAL, own_variance=True))
    show(np.mean(np.array(found) <= 0.05))
    assert 0.5 <= np.mean(np.array(found) <= 0.05) <= 0.8
