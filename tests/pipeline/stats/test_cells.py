"""Cells: estimates, intervals and refusals."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.stats.cells import cells
from pipeline.stats.counts import effective_speakers, tally
from pipeline.stats.jackknife import log_interval, log_variance
from pipeline.stats.settings import StatsSettings

SETTINGS = StatsSettings()


def cell(scores, accent="a", condition="clean", settings=SETTINGS):
    table = cells(scores, settings, synthetic=False)
    return table[(table["accent"] == accent) & (table["condition"] == condition)].iloc[0]


def speakers(make_speakers, pairs, accent="a"):
    return make_speakers([(accent, f"s{place}", "clean", words, errors) for place, (words, errors) in enumerate(pairs)])


def test_the_interval_of_three_speakers_is_the_one_worked_out_by_hand(make_speakers):
    found = cell(speakers(make_speakers, [(100, 18), (100, 20), (100, 22)]))
    # y(-s) - y is log(.21/.2), 0, log(.19/.2); k_eff = 3; the t quantile on 2 df is (2p - 1) / sqrt(2 p (1 - p))
    variance = 2 / 3 * (math.log(0.21 / 0.2) ** 2 + math.log(0.19 / 0.2) ** 2)
    quantile = 0.95 / math.sqrt(2 * 0.975 * 0.025)
    assert found["wer"] == pytest.approx(0.2)
    assert found["k_eff"] == pytest.approx(3)
    assert found["ci_low"] == pytest.approx(0.2 * math.exp(-quantile * math.sqrt(variance)), rel=1e-9)
    assert found["ci_high"] == pytest.approx(0.2 * math.exp(quantile * math.sqrt(variance)), rel=1e-9)
    assert found["support"] == "thin"


def test_wer_is_errors_over_words_and_not_a_mean_of_rates(make_speakers):
    found = cell(speakers(make_speakers, [(10, 5), (90, 9)]))
    assert found["wer"] == pytest.approx(14 / 100)
    assert found["speaker_mean_wer"] == pytest.approx((0.5 + 0.1) / 2)


def test_counts_and_f1_of_a_cell(make_scores):
    rows = [{"hits": 6, "substitutions": 2, "deletions": 2, "insertions": 1}, {"hits": 10}]
    found = cell(make_scores(rows))
    assert [found[kind] for kind in ("hits", "substitutions", "deletions", "insertions")] == [16, 2, 2, 1]
    assert found["n_ref_words"] == 20
    assert found["n_utterances"] == 2
    assert found["f1"] == pytest.approx(2 * 16 / (20 + 19))


def test_an_empty_hypothesis_counts_as_all_deletions(make_scores):
    found = cell(make_scores([{"deletions": 8, "speaker_id": f"s{place}"} for place in range(6)]))
    assert found["wer"] == 1
    assert found["f1"] == 0
    # speakers who all err alike tell nothing of how others would: no interval of width zero
    assert found["support"] == "insufficient"
    assert pd.isna(found["ci_low"])


def test_a_wer_of_28_survives(make_speakers):
    found = cell(speakers(make_speakers, [(10, 270), (10, 290)] * 3))
    assert found["wer"] == 28
    assert found["ci_high"] >= 28


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([(100, 20)], "one speaker"),
        ([(100, 20), (100, 25)], "two speakers"),
        ([(1000, 200), (10, 2), (10, 3), (10, 1)], "four speakers that count as one"),
        ([(100, 1), (100, 60), (100, 2), (100, 1)], "upper more than nine times lower"),
        ([(100, 0), (100, 20), (100, 0), (100, 0)], "all errors by one speaker"),
    ],
)
def test_too_little_support_gives_counts_without_an_interval(make_speakers, pairs, why):
    found = cell(speakers(make_speakers, pairs))
    assert found["support"] == "insufficient", why
    assert math.isnan(found["ci_low"])
    assert math.isnan(found["ci_high"])
    assert found["wer"] == pytest.approx(sum(e for _, e in pairs) / sum(n for n, _ in pairs))


def test_ten_effective_speakers_need_no_warning(make_speakers):
    assert cell(speakers(make_speakers, [(100, 20 + place) for place in range(10)]))["support"] == "ok"
    assert cell(speakers(make_speakers, [(100, 20 + place) for place in range(9)]))["support"] == "thin"


def test_a_group_below_the_floor_is_shown_and_not_ranked(make_speakers):
    assert not cell(speakers(make_speakers, [(100, 20 + place) for place in range(4)]))["ranked"]
    assert cell(speakers(make_speakers, [(100, 20 + place) for place in range(5)]))["ranked"]


def test_the_pool_of_all_accents_is_a_cell_and_never_ranked(make_speakers):
    rows = [(accent, f"s{place}", "clean", 100, 10 + place) for accent in ("a", "b") for place in range(6)]
    found = cell(make_speakers(rows), "ALL")
    assert found["n_speakers"] == 12
    assert found["n_ref_words"] == 1200
    assert found["support"] == "ok"
    assert not found["ranked"]


def test_without_errors_there_is_an_upper_bound_from_the_other_cells(make_speakers):
    rows = [("a", f"s{place}", "clean", 100, 0) for place in range(5)]
    other = [12, 25, 18, 30, 15]
    rows += [("b", f"s{place}", "clean", 100, errors) for place, errors in enumerate(other)]
    found = cell(make_speakers(rows))
    # DEFF: jackknife variance of log WER of accent b over its Poisson variance 1 / errors
    variance = 4 / 5 * sum(math.log((100 - each) / 400 / (100 / 500)) ** 2 for each in other)
    assert found["support"] == "zero_errors"
    assert (found["wer"], found["ci_low"]) == (0, 0)
    assert found["ci_high"] == pytest.approx(3.0 * variance * 100 / 500, rel=1e-9)


@pytest.mark.parametrize("k", [1, 4])
def test_without_errors_and_with_few_speakers_there_is_no_bound(make_speakers, k):
    rows = [("a", f"s{place}", "clean", 100, 0) for place in range(k)]
    rows += [("b", f"s{place}", "clean", 100, 20 + place) for place in range(5)]
    found = cell(make_speakers(rows))
    assert found["support"] == "zero_errors"
    assert math.isnan(found["ci_high"])


def test_without_errors_anywhere_there_is_no_bound_at_all(make_speakers):
    table = cells(speakers(make_speakers, [(100, 0)] * 8), SETTINGS, synthetic=False)
    assert set(table["support"]) == {"zero_errors"}
    assert table["ci_high"].isna().all()
    assert (table["wer"] == 0).all()


def test_a_cell_of_empty_references_has_no_words(make_scores):
    rows = [{"insertions": 3, "accent": "a"}, {"hits": 3, "accent": "b"}]
    found = cell(make_scores(rows))
    assert found["support"] == "no_words"
    assert math.isnan(found["wer"])
    assert found["insertions"] == 0


def test_unnamed_speakers_make_the_utterance_the_unit_and_are_never_ranked(make_scores):
    rows = [{"speaker_id": None, "hits": 80, "substitutions": 20 + place} for place in range(12)]
    found = cell(make_scores(rows))
    assert found["unit"] == "utterance"
    assert found["n_speakers"] == 0
    assert found["k_eff"] == pytest.approx(12, rel=0.01)
    assert not found["ranked"]


def test_one_unnamed_speaker_among_named_ones_is_said(make_scores):
    rows = [{"speaker_id": f"s{place}", "hits": 80, "substitutions": 20 + place} for place in range(6)]
    found = cell(make_scores([*rows, {"speaker_id": None, "hits": 5}]))
    assert (found["unit"], found["n_speakers"], found["ranked"]) == ("utterance", 6, False)


def test_a_higher_confidence_gives_a_wider_interval(make_speakers):
    scores = speakers(make_speakers, [(100, 20 + place) for place in range(8)])
    narrow = cell(scores, settings=StatsSettings(confidence=0.8))
    wide = cell(scores, settings=StatsSettings(confidence=0.99))
    assert wide["ci_low"] < narrow["ci_low"] < narrow["ci_high"] < wide["ci_high"]


def test_splitting_utterances_leaves_wer_and_interval_as_they_are(make_scores):
    whole = [(75, 25), (50, 12), (60, 30), (82, 18), (70, 21)]
    split = [[(hits // 3, wrong // 4), (hits - hits // 3, wrong - wrong // 4)] for hits, wrong in whole]
    one = [{"speaker_id": f"s{place}", "hits": h, "substitutions": e} for place, (h, e) in enumerate(whole)]
    two = [
        {"speaker_id": f"s{place}", "hits": h, "substitutions": e}
        for place, pieces in enumerate(split)
        for h, e in pieces
    ]
    before, after = cell(make_scores(one)), cell(make_scores(two))
    assert after["n_utterances"] == 2 * before["n_utterances"]
    assert [after[name] for name in ("wer", "ci_low", "ci_high", "f1")] == [
        before[name] for name in ("wer", "ci_low", "ci_high", "f1")
    ]


@pytest.mark.parametrize(("k", "seed"), [(5, 20), (10, 21)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(draw, k, seed):
    # 2,000 cells of k speakers; the population's WER is .2; statistics 2.2 found .949 and .935
    counts = tally(draw(np.random.default_rng(seed), sizes=[k] * 2000))
    covered = 0
    for errors, words in zip(counts.errors.reshape(-1, k), counts.words.reshape(-1, k), strict=True):
        degrees = effective_speakers(words) - 1
        found = log_interval(errors.sum() / words.sum(), log_variance(errors, words), degrees, confidence=0.95)
        covered += found is not None and found.low <= 0.2 <= found.high
    assert 0.92 <= covered / 2000 <= 0.975
