"""The sign-flip test against an enumeration of every pattern of signs, and the family's correction."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stats import sign_flip as module
from pipeline.stats.multiplicity import holm
from pipeline.stats.sign_flip import sign_flip


def enumerated(differences: list[int]) -> float:
    observed = abs(sum(differences))
    patterns = list(product([-1, 1], repeat=len(differences)))
    as_far = [
        abs(sum(sign * of for sign, of in zip(signs, differences, strict=True))) >= observed for signs in patterns
    ]
    return sum(as_far) / len(patterns)


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=9))
def test_the_exact_p_is_that_of_all_patterns_of_signs(differences):
    found = sign_flip(np.array(differences), 99, rng=np.random.default_rng(0))
    assert found.exact
    assert found.p == pytest.approx(enumerated(differences), abs=1e-12)


def test_five_speakers_who_all_got_worse_have_the_least_p_there_is():
    found = sign_flip(np.array([3, 1, 4, 1, 5]), 99, rng=np.random.default_rng(0))
    assert found.p == 2 / 2**5
    assert found.moved == 5


def test_speakers_without_a_difference_say_nothing():
    with_zeros = sign_flip(np.array([3, 0, -1, 0, 5, 0]), 99, rng=np.random.default_rng(0))
    assert with_zeros == sign_flip(np.array([3, -1, 5]), 99, rng=np.random.default_rng(0))
    assert sign_flip(np.zeros(4, dtype=np.int64), 99, rng=np.random.default_rng(0)).p == 1.0


def test_two_hundred_speakers_are_exact_and_random_flips_agree(monkeypatch):
    differences = np.random.default_rng(3).integers(-20, 24, 200)
    exact = sign_flip(differences, 99, rng=np.random.default_rng(0))
    monkeypatch.setattr(module, "EXACT_WORK", 0)
    drawn = sign_flip(differences, 20_000, rng=np.random.default_rng(0))
    assert exact.exact
    assert not drawn.exact
    assert 0.01 < exact.p < 0.9
    assert drawn.p == pytest.approx(exact.p, abs=4 * (exact.p * (1 - exact.p) / 20_000) ** 0.5)


def test_random_flips_need_no_more_memory_for_more_of_them(monkeypatch):
    monkeypatch.setattr(module, "EXACT_WORK", 0)
    monkeypatch.setattr(module, "BATCH_VALUES", 10)
    assert sign_flip(np.array([2, 3, -1]), 57, rng=np.random.default_rng(0)).flips == 57


def test_holm_gives_the_published_steps():
    # m p(1), then (m - 1) p(2), ..., never falling, never above 1
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_p_and_bonferroni_and_keeps_the_order(p_values):
    given_p, adjusted = np.array(p_values), holm(p_values)
    assert (adjusted >= given_p).all()
    assert (adjusted <= np.minimum(1, len(p_values) * given_p)).all()
    assert (np.diff(adjusted[np.argsort(given_p, kind="stable")]) >= 0).all()
