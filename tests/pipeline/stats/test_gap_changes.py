"""How a gap between accents changed from one run to another, on speakers counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from pipeline.stats.counts import Unit
from pipeline.stats.gap_changes import changes_to_others, gap_change
from pipeline.stats.same_utterances import Paired

WORDS = 100
ERRORS = st.lists(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=5, max_size=8), min_size=2, max_size=4
)


def group(accent: str, errors: list[tuple[int, int]]) -> Paired:
    """Speakers of 100 words each, with their errors in both runs."""
    sums = np.zeros((len(errors), 8), dtype=np.int64)
    sums[:, :2], sums[:, 2:4], sums[:, 4] = errors, WORDS, 1
    return Paired(tuple(Unit(accent, f"s{place}", True) for place in range(len(errors))), sums)


def groups(errors: list[list[tuple[int, int]]]) -> dict[str, Paired]:
    return {f"a{place}": group(f"a{place}", own) for place, own in enumerate(errors)}


def change(given: dict[str, Paired], replicates: int = 200):
    rng = {accent: np.random.default_rng(place) for place, accent in enumerate(sorted(given))}
    return gap_change(given, confidence=0.95, replicates=replicates, rng=rng)


def swapped(given: dict[str, Paired]) -> dict[str, Paired]:
    return {accent: Paired(one.units, one.sums[:, [1, 0, 3, 2, 4, 5, 6, 7]]) for accent, one in given.items()}


def test_the_naive_gaps_are_highest_less_lowest_and_name_their_accents():
    found = change(groups([[(10, 20)] * 5, [(30, 10)] * 5, [(20, 50)] * 5]))
    assert (found.first.gap, found.first.worst, found.first.best) == (pytest.approx(0.2), "a1", "a0")
    assert (found.second.gap, found.second.worst, found.second.best) == (pytest.approx(0.4), "a2", "a1")
    assert found.change.value == pytest.approx(0.2)
    # no speaker is like another one in nothing: without scatter there is nothing to go by
    assert found.change.interval is None
    assert found.change.p is None


def test_a_gap_that_closed_by_far_more_than_speakers_scatter_is_shown():
    wide = [[(20 + s % 3, 20 + s % 2) for s in range(10)], [(60 + s % 4, 21 + s % 2) for s in range(10)]]
    found = change(groups(wide))
    assert found.change.value == pytest.approx(-0.395, abs=0.01)
    assert found.change.interval.high < -0.3
    assert found.change.p < 0.001


def test_without_replicates_there_is_no_interval():
    found = change(groups([[(1, 2), (3, 9), (4, 4)], [(5, 5), (1, 8), (3, 3)]]), replicates=0)
    assert (found.change.interval, found.change.p, found.replicates) == (None, None, 0)


@given(ERRORS)
def test_the_other_run_first_gives_the_opposite_change(errors):
    there, back = change(groups(errors), 50), change(swapped(groups(errors)), 50)
    assert there.change.value == pytest.approx(-back.change.value)
    assert (there.change.interval is None) == (back.change.interval is None)
    if there.change.interval is not None:
        assert there.change.interval.low == pytest.approx(-back.change.interval.high)
        assert there.change.p == pytest.approx(back.change.p)


@given(ERRORS)
def test_the_same_answers_twice_are_no_change(errors):
    same = [[(first, first) for first, _ in own] for own in errors]
    found = change(groups(same), 50)
    assert (found.change.value, found.change.interval) == (0.0, None)
    for first, second, one in changes_to_others(groups(same), reference=None, confidence=0.95).values():
        assert first == second
        assert (one.value, one.interval) == (0.0, None)


def test_the_gap_to_a_reference_is_a_difference_of_differences_with_welch_degrees():
    one, other = [(10, 14), (20, 21), (30, 36), (25, 25), (5, 9)], [(10, 10), (12, 11), (8, 12), (14, 13), (9, 9)]
    found = changes_to_others(groups([one, other]), reference="a1", confidence=0.95)
    assert list(found) == ["a0"]
    first, second, one_change = found["a0"]
    own = [np.array([(b - a) / WORDS for a, b in side]) for side in (one, other)]
    # of equal words the jackknife variance of a mean is the usual one
    variances = [side.var(ddof=1) / 5 for side in own]
    degrees = sum(variances) ** 2 / sum(v**2 / 4 for v in variances)
    assert second - first == pytest.approx(own[0].mean() - own[1].mean())
    width = student.ppf(0.975, degrees) * np.sqrt(sum(variances))
    assert one_change.interval.high - one_change.value == pytest.approx(width)
    assert one_change.p == pytest.approx(2 * student.sf(abs(one_change.value) / np.sqrt(sum(variances)), degrees))


def test_without_a_reference_an_accent_is_held_against_the_equal_mean_of_the_others():
    found = changes_to_others(groups([[(30, 10)] * 5, [(10, 10)] * 5, [(20, 40)] * 9]), reference=None, confidence=0.95)
    assert found["a0"][:2] == (pytest.approx(0.15), pytest.approx(-0.15))
    assert found["a2"][:2] == (pytest.approx(0.0), pytest.approx(0.3))
