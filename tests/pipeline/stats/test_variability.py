"""How much repeats vary, per accent and condition: sums of pairs, the speaker as the unit, and what is left out."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from pipeline import tables
from pipeline.records import ErrorCounts
from pipeline.stats.settings import StatsSettings
from pipeline.stats.variability import RepeatedTrial, variability

SETTINGS = StatsSettings()
TEN = ErrorCounts(10, 0, 0, 0)


def trial(place: int, *, differing: int = 0, words: int = 20, **changes: Any) -> RepeatedTrial:
    """Two repeats of ten words each, ``differing`` of the twenty words of both directions wrong."""
    defaults: dict[str, Any] = {
        "utterance_id": f"u{place}", "condition": "clean", "backend": "engine", "normalizer": "verbatim",
        "speaker_id": f"s{place}", "accent": "a", "temperature": 0.4, "n_repeats": 2, "alike": differing == 0,
        "between": ErrorCounts(words - differing, differing, 0, 0), "repeated": TEN + TEN, "scored": TEN,
    }  # fmt: skip
    return RepeatedTrial(**defaults | changes)


def left_out(place: int, n_repeats: int, **changes: Any) -> RepeatedTrial:
    repeated = TEN if n_repeats else ErrorCounts.zero()
    none = ErrorCounts.zero()
    return trial(place, n_repeats=n_repeats, alike=n_repeats == 1, between=none, repeated=repeated, **changes)


def table(*trials: RepeatedTrial, **options: Any) -> pd.DataFrame:
    return variability(trials, SETTINGS, synthetic=False, **options)


def row(found: pd.DataFrame, **key: Any) -> dict[str, Any]:
    for name, value in key.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return tables.rows(found)[0]


def test_pairs_add_up_and_are_divided_last() -> None:
    found = table(trial(1, differing=4), trial(2, differing=1, words=180), trial(3, accent="b"))
    a = row(found, accent="a")
    assert (a["pair_errors"], a["pair_words"], a["disagreement"]) == (5, 200, 0.025)  # the mean of the two is 0.103
    assert (a["n_trials"], a["n_repeats"], a["n_alike"], a["n_speakers"]) == (2, 4, 0, 2)
    pooled = row(found, accent=tables.POOLED)
    assert (pooled["pair_errors"], pooled["pair_words"], pooled["n_alike"]) == (5, 220, 1)


def test_repeats_and_the_scored_transcripts_of_the_same_trials_stand_side_by_side() -> None:
    wrong, right = ErrorCounts(6, 2, 2, 1), ErrorCounts(9, 1, 0, 0)
    ignored = left_out(3, 1, scored=ErrorCounts(0, 10, 0, 0))
    a = row(table(trial(1, repeated=wrong + right, scored=right), trial(2, scored=TEN), ignored), accent="a")
    assert (a["repeat_errors"], a["repeat_ref_words"], a["repeat_wer"]) == (6, 40, 0.15)
    assert (a["scored_errors"], a["n_ref_words"], a["scored_wer"]) == (1, 20, 0.05)


@pytest.mark.parametrize("n_repeats", [0, 1])
def test_a_trial_with_fewer_than_two_repeats_is_left_out_and_counted(n_repeats: int) -> None:
    a = row(table(trial(1, differing=4), left_out(2, n_repeats)), accent="a")
    assert (a["n_trials"], a["n_left_out"], a["n_repeats"], a["n_alike"]) == (1, 1, 2, 0)
    nobody = row(table(left_out(1, n_repeats)), accent="a")
    assert (nobody["n_trials"], nobody["n_left_out"], nobody["n_speakers"]) == (0, 1, 0)
    assert nobody["support"] == "no_words"
    assert all(math.isnan(nobody[name]) for name in ("disagreement", "repeat_wer", "scored_wer"))


def test_the_interval_is_the_log_jackknife_over_speakers() -> None:
    errors, words = np.array([2, 4, 9, 1, 6, 3]), np.array([20, 20, 60, 20, 20, 40])
    trials = [trial(i, differing=int(e), words=int(w)) for i, (e, w) in enumerate(zip(errors, words, strict=True))]
    found = row(table(*trials), accent="a")
    share = errors.sum() / words.sum()
    without = np.log((errors.sum() - errors) / (words.sum() - words))
    k_eff = words.sum() ** 2 / (words**2).sum()
    half = student.ppf(0.975, k_eff - 1) * math.sqrt(5 / 6 * ((without - math.log(share)) ** 2).sum())
    assert found["support"] == "thin"
    assert found["k_eff"] == pytest.approx(k_eff)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((share * math.exp(-half), share * math.exp(half)))


def test_many_trials_of_one_speaker_are_one_speaker() -> None:
    found = row(table(*(trial(i, differing=i % 3, speaker_id="only") for i in range(12))), accent="a")
    assert (found["n_speakers"], found["n_trials"], found["support"]) == (1, 12, "insufficient")
    assert math.isnan(found["ci_low"])
    assert found["disagreement"] == 12 / 240


def test_a_voice_in_several_accents_is_one_cluster_of_the_pooled_row() -> None:
    trials = [
        trial(10 * a + s, differing=1 + s + a, accent=f"accent {a}", speaker_id=f"v{s}")
        for a in range(3)
        for s in range(6)
    ]
    voices = {(one.accent, str(one.speaker_id)): str(one.speaker_id) for one in trials}
    shared, nested = (row(table(*trials, voices=v), accent=tables.POOLED) for v in (voices, {}))
    assert shared["disagreement"] == nested["disagreement"]
    assert (shared["k_eff"], nested["k_eff"]) == (pytest.approx(6), pytest.approx(18))
    assert shared["ci_high"] - shared["ci_low"] > nested["ci_high"] - nested["ci_low"]


def test_speakers_without_names_are_said_to_be_utterances() -> None:
    found = row(table(*(trial(i, differing=1 + i % 4, speaker_id=None) for i in range(8))), accent="a")
    assert (found["unit"], found["n_speakers"]) == ("utterance", 0)


def test_repeats_that_all_agree_have_no_bound_that_would_count_a_word_many_times() -> None:
    others = [trial(20 + i, differing=1 + i, accent="b") for i in range(12)]
    found = row(table(*(trial(i) for i in range(12)), *others), accent="a")
    assert (found["disagreement"], found["support"], found["n_alike"]) == (0, "zero_errors", 12)
    assert math.isnan(found["ci_low"])
    assert math.isnan(found["ci_high"])


def test_a_trial_whose_repeats_are_all_empty_is_alike_and_has_no_words() -> None:
    silent = trial(1, between=ErrorCounts.zero(), alike=True, repeated=ErrorCounts(0, 0, 20, 0))
    found = row(table(silent), accent="a")
    assert (found["n_trials"], found["n_alike"], found["pair_words"], found["support"]) == (1, 1, 0, "no_words")
    assert math.isnan(found["disagreement"])
    assert found["repeat_wer"] == 1


def test_temperatures_conditions_and_normalizers_are_kept_apart() -> None:
    kept = {"condition": ("clean", "noise"), "normalizer": ("verbatim", "other"), "temperature": (0.2, 0.8)}
    trials = [
        trial(1, differing=1 + c + 2 * n + 4 * t, condition=condition, normalizer=normalizer, temperature=temperature)
        for c, condition in enumerate(kept["condition"])
        for n, normalizer in enumerate(kept["normalizer"])
        for t, temperature in enumerate(kept["temperature"])
    ]
    found = table(*trials)
    assert len(found) == 16
    own = row(found, accent="a", condition="noise", normalizer="other", temperature=0.8)
    assert own["pair_errors"] == 8
    assert row(found, accent="a", condition="noise", normalizer="other", temperature=0.2)["pair_errors"] == 4


def test_the_order_of_the_trials_changes_nothing() -> None:
    trials = [trial(i, differing=i % 5, accent="ab"[i % 2], temperature=0.2 + 0.2 * (i % 3)) for i in range(30)]
    pd.testing.assert_frame_equal(table(*trials), table(*trials[::-1]))


def test_without_repeats_there_is_an_empty_table_of_the_right_types() -> None:
    empty = table()
    assert empty.empty
    assert empty.dtypes.equals(table(trial(1)).dtypes)
