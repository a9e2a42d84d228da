"""How many dB an accent is behind at equal WER; which conditions are one ladder."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression

from pipeline.config import build
from pipeline.stats.ladders import Ladder, ladders
from pipeline.stats.settings import StatsSettings
from pipeline.stats.snr_shift import Accent, falling, mean_snr_db, shift, snr_shifts

SNRS_DB = np.array([0.0, 5.0, 10.0, 15.0, 20.0])
LADDER = Ladder("babble", tuple((f"babble_{snr_db:g}", snr_db) for snr_db in SNRS_DB))
WORDS = 300


def curve(snr_db):
    """Log WER that falls from .7 to a floor of .06."""
    return np.log(0.06 + 0.8 / (1 + np.exp((np.asarray(snr_db) - 4) / 3.5)))


def drawn(rng, *, shift_db, speakers=10, accents=6, snrs_db=SNRS_DB):
    """Accents of log-normal speakers (SD .45), speaker by SNR (.1), phi 3; the first is moved by ``shift_db``."""
    found = []
    for accent in range(accents):
        level = rng.normal(-(0.45**2) / 2, 0.45, speakers)[:, None] + rng.normal(0, 0.1, (speakers, len(snrs_db)))
        mean = WORDS * np.exp(level + curve(snrs_db - shift_db * (accent == 0)))
        found.append(Accent(rng.negative_binomial(mean / 2, 1 / 3), np.full(speakers, WORDS)))
    return found


def exact(shift_db, slope=-0.1, level=-0.5):
    """Five speakers who all have the same straight curve; errors in whole numbers of a million words."""
    words = np.full(5, 1_000_000)
    rates = np.exp(level + slope * (SNRS_DB - shift_db))
    return Accent(np.tile(np.rint(rates * 1_000_000).astype(np.int64), (5, 1)), words)


@pytest.mark.parametrize("moved", [4.0, 0.0, -6.5])
def test_a_straight_curve_moved_sideways_is_moved_by_exactly_that(moved):
    found = shift(exact(moved), [exact(0.0)] * 3, SNRS_DB, confidence=0.95)
    assert found.shift_db == pytest.approx(moved, abs=1e-3)


def test_a_planted_shift_of_four_db_is_recovered_and_covered():
    rng, found = np.random.default_rng(11), []
    for _ in range(250):
        first, *others = drawn(rng, shift_db=4.0)
        found.append(shift(first, others, SNRS_DB, confidence=0.95))
    assert np.mean([one.shift_db for one in found]) == pytest.approx(4.0, abs=0.5)
    covered = [one.interval.low <= 4.0 <= one.interval.high for one in found]
    # nominal .95 with a Monte Carlo error of .014; 400 runs each of 5, 10 and 30 speakers gave .945, .938 and .948
    assert np.mean(covered) >= 0.91
    assert np.mean([one.interval.low > 0 for one in found]) > 0.5


def test_where_accents_do_not_differ_zero_is_covered():
    rng, covered = np.random.default_rng(12), []
    for _ in range(200):
        first, *others = drawn(rng, shift_db=0.0, speakers=6)
        found = shift(first, others, SNRS_DB, confidence=0.95)
        covered.append(found.interval.low <= 0 <= found.interval.high)
    assert np.mean(covered) >= 0.91


def test_the_falling_fit_is_that_of_isotonic_regression():
    curves = np.random.default_rng(1).normal(size=(200, 6))
    expected = [isotonic_regression(one, increasing=False).x for one in curves]
    np.testing.assert_allclose(falling(curves), expected, atol=1e-12)


def test_the_mean_snr_of_a_curve_by_hand():
    # from 2 at 0 dB to 1 at 10 dB and to 0 at 40 dB; between 0.5 and 1.5 half of the band on each segment
    found = mean_snr_db(np.array([[2.0, 1.0, 0.0]]), np.array([0.0, 10.0, 40.0]), 0.5, 1.5)
    assert found[0] == pytest.approx(0.5 * (5 + 10) / 2 + 0.5 * (10 + 25) / 2)


def test_two_snrs_are_no_curve():
    found = shift(exact(4.0), [exact(0.0)], np.array([0.0, 5.0]), confidence=0.95)
    assert found.shift_db is None
    assert "2 SNRs" in found.note


def test_curves_that_share_no_wer_have_no_shift():
    found = shift(exact(0.0, level=-0.1, slope=-0.01), [exact(0.0, level=-4.0)], SNRS_DB, confidence=0.95)
    assert found.shift_db is None
    assert "share no band" in found.note


def test_without_errors_somewhere_log_wer_does_not_exist():
    silent = exact(0.0)
    silent.errors[:, -1] = 0
    assert "no errors" in shift(silent, [exact(0.0)], SNRS_DB, confidence=0.95).note
    assert "no errors" in shift(exact(0.0), [silent], SNRS_DB, confidence=0.95).note


def scores_of(accents):
    rows = []
    for name, one in accents.items():
        for s in range(len(one.words)):
            for rung, (condition, _) in enumerate(LADDER.rungs):
                wrong = min(int(one.errors[s, rung]), int(one.words[s]))
                rows.append(
                    {
                        "utterance_id": f"{name}/{s}", "condition": condition, "backend": "e", "normalizer": "v",
                        "speaker_id": f"s{s}", "accent": name, "hits": int(one.words[s]) - wrong,
                        "substitutions": wrong, "deletions": 0, "insertions": int(one.errors[s, rung]) - wrong,
                        "normalized_reference": "", "normalized_hypothesis": "",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def scores():
    made = drawn(np.random.default_rng(5), shift_db=6.0, speakers=20, accents=4)
    few = drawn(np.random.default_rng(6), shift_db=0.0, speakers=2, accents=1)
    return scores_of(dict(zip(("null", "a, b", "c\nd", "\U0001f442"), made, strict=True)) | {"few": few[0]})


def table_of(scores, ladder=LADDER):
    return snr_shifts(scores, [ladder], StatsSettings(), synthetic=False).set_index("accent")


def test_every_accent_has_a_row_whatever_it_is_called(scores):
    table = table_of(scores)
    assert sorted(table.index) == sorted(["null", "a, b", "c\nd", "\U0001f442", "few"])
    assert table.loc["null", "ci_low_db"] < 6 < table.loc["null", "ci_high_db"]
    assert table.loc["null", "n_ref_words"] == 20 * WORDS
    assert "fewer than 5 named speakers" in table.loc["few", "note"]
    assert math.isnan(table.loc["few", "shift_db"])


def test_rows_may_come_in_any_order(scores):
    assert table_of(scores.sample(frac=1, random_state=3)).equals(table_of(scores))


def test_only_utterances_heard_at_every_snr_count(scores):
    extra = scores.iloc[:40].assign(utterance_id=lambda rows: "once " + rows["utterance_id"], deletions=500)
    extra = extra[extra["condition"] == "babble_0"]
    assert table_of(pd.concat([scores, extra], ignore_index=True)).equals(table_of(scores))


def test_an_snr_that_was_not_scored_leaves_a_shorter_ladder(scores):
    table = table_of(scores[scores["condition"] != "babble_20"])
    assert set(table["n_snrs"]) == {4}
    assert set(table["snr_high_db"]) == {15.0}


def test_one_accent_is_compared_with_nobody(scores):
    table = table_of(scores[scores["accent"] == "null"])
    assert "no other accent" in table.loc["null", "note"]


def test_without_a_ladder_the_table_is_empty(scores):
    assert snr_shifts(scores, [], StatsSettings(), synthetic=False).empty
    other = Ladder("street", (("street_0", 0.0), ("street_5", 5.0)))
    assert snr_shifts(scores, [other], StatsSettings(), synthetic=False).empty


def noise(snr_db, **source):
    return {"kind": "add_noise", "source": {"kind": "pink", **source}, "snr_db": snr_db}


def test_a_ladder_differs_in_the_snr_and_in_nothing_else():
    phone = {"kind": "handset", "curve": "irs_send"}
    found = ladders(
        {
            "clean": [], "pink_20": [noise(20)], "pink_5": [noise(5)], "pink_10": [noise(10)],
            "slow_5": [noise(5, tilt=1)], "call_5": [noise(5), phone], "call_0": [noise(0), phone],
            "two": [noise(5), noise(0)],
        }
    )  # fmt: skip
    assert found == (
        Ladder("call", (("call_0", 0.0), ("call_5", 5.0))),
        Ladder("pink", (("pink_5", 5.0), ("pink_10", 10.0), ("pink_20", 20.0))),
    )


def test_ladders_whose_names_begin_alike_keep_whole_names():
    found = ladders({"x_0": [noise(0)], "x_5": [noise(5)], "x2_0": [noise(0, tilt=1)], "x2_5": [noise(5, tilt=1)]})
    assert sorted(one.noise for one in found) == ["x2_0+x2_5", "x_0+x_5"]
    assert ladders({"0": [noise(0)], "5": [noise(5)]})[0].noise == "0+5"


def test_the_ladders_of_this_project_are_found(composed):
    study = build(composed("conditions=[core,babble_ladder,street_ladder]"))
    found = ladders({condition.name: condition.parameters for condition in study.conditions})
    assert {one.noise: len(one.rungs) for one in found} == {"babble": 5, "street": 5}
