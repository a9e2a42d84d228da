"""Conditions on the same utterances: counts, tests and intervals by speaker, the family, and what cannot be said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from pipeline import tables
from pipeline.stats.adjusted import adjusted
from pipeline.stats.comparisons import comparisons
from pipeline.stats.multiplicity import holm
from pipeline.stats.segments import mapsswe
from pipeline.stats.settings import StatsSettings
from pipeline.stats.sign_flip import sign_flip
from pipeline.text.alignment import count_errors
from pipeline.text.pairs import error_slots

QUICK = StatsSettings(permutations=99)


def table_of(scores: pd.DataFrame, chosen: StatsSettings = QUICK, **more) -> pd.DataFrame:
    found = comparisons(scores, chosen, synthetic=False, find_slots=error_slots, **more)
    return found.set_index(["accent", "condition"])


def test_a_row_by_hand(make_speakers):
    errors = {"clean": [2, 3, 1, 4, 2], "noise": [4, 4, 3, 9, 2]}
    scores = make_speakers(
        [("a", f"s{s}", condition, 20, errors[condition][s]) for condition in errors for s in range(5)]
    )
    row = table_of(scores).loc[("a", "noise")]
    assert (row["errors_reference"], row["errors"], row["n_ref_words"], row["n_utterances"]) == (12, 22, 100, 5)
    assert row["difference"] == pytest.approx(0.10)
    assert row["ratio"] == pytest.approx(22 / 12)
    d = np.array([2, 1, 2, 5, 0])
    left = (10 - d) / 80
    width = student.ppf(0.975, 4) * np.sqrt(4 / 5 * np.square(left - 0.1).sum())
    assert row["ci_low"] == pytest.approx(0.1 - width)
    assert row["ci_high"] == pytest.approx(0.1 + width)
    assert row["p"] == 2 / 2**4  # four speakers have a difference, all of one sign
    assert "all sign flips of speakers; 4 with a difference: no p below 0.12 is possible" in row["note"]
    assert row["unit"] == "speaker"


def test_only_utterances_scored_under_both_conditions_count(make_scores):
    rows = [
        {"utterance_id": f"u{s}", "speaker_id": f"s{s}", "condition": condition, "hits": 8, "substitutions": wrong}
        for s in range(6)
        for condition, wrong in (("clean", 1), ("noise", 2 + s % 2))
    ]
    alone = [{"utterance_id": "clean only", "speaker_id": "s0", "hits": 0, "substitutions": 90}]
    noise = [{"utterance_id": "noise only", "speaker_id": "s9", "condition": "noise", "deletions": 40}]
    row = table_of(make_scores([*rows, *alone, *noise])).loc[("a", "noise")]
    assert (row["n_utterances"], row["n_speakers"], row["errors_reference"], row["errors"]) == (6, 6, 6, 15)


def test_p_values_are_adjusted_over_every_accent_and_condition_of_one_normalizer(make_speakers):
    rng = np.random.default_rng(1)
    scores = make_speakers(
        [
            (accent, f"s{s}", condition, 50, int(rng.integers(5, 12)) + 4 * (condition == "noise"))
            for accent in "ab"
            for s in range(8)
            for condition in ("clean", "noise", "codec")
        ]
    )
    table = table_of(pd.concat([scores, scores.assign(normalizer="z", substitutions=0)], ignore_index=True))
    mine = table[table["normalizer"] == "verbatim"]
    assert mine["n_family"].tolist() == [6] * 6  # two accents and the pool, two conditions
    assert mine["p_adjusted"].tolist() == pytest.approx(holm(mine["p"]).tolist())
    assert (mine.loc[("ALL", "noise"), "p_adjusted"]) < 0.01


def test_the_customary_test_is_made_of_the_alignments(make_scores):
    said = {"clean": "a b c d e f g h", "noise": "x b c d e z g h"}  # two segments, d = 1 each, but for s0
    rows = []
    for s in range(6):
        for condition, text in said.items():
            heard = "a b c d e f g" if (s, condition) == (0, "clean") else text
            counts = count_errors(said["clean"], heard)
            rows.append(
                {"utterance_id": f"u{s}", "speaker_id": f"s{s}", "condition": condition, "hits": counts.hits,
                 "substitutions": counts.substitutions, "deletions": counts.deletions,
                 "insertions": counts.insertions, "normalized_reference": said["clean"], "normalized_hypothesis": heard}
            )  # fmt: skip
    for accent in ("a", "ALL"):
        row = table_of(make_scores(rows)).loc[(accent, "noise")]
        # five speakers with segments (1, 1), one with (1, 0), the first answer's lost h beside z: 11 ones and one zero
        assert row["n_segments"] == 12
        d = np.array([1.0] * 11 + [0.0])
        assert row["mapsswe_z"] == pytest.approx(d.mean() / (d.std(ddof=1) / np.sqrt(12)))


def test_accents_below_the_floor_have_counts_and_no_test(make_speakers):
    scores = make_speakers(
        [("many", f"s{s}", c, 20, 3 + s % 3 + 2 * (c == "noise")) for s in range(6) for c in ("clean", "noise")]
        + [("few", "s", c, 20, 1) for c in ("clean", "noise")]
        + [("elsewhere", "s", "clean", 20, 1)]
        + [("nameless", None, c, 20, 2) for c in ("clean", "noise")]
    )
    # a nameless speaker's utterances are paired by their ids
    nameless = scores["speaker_id"].isna()
    scores.loc[nameless, "utterance_id"] = "n1"
    table = table_of(scores)
    few, elsewhere, nobody = (table.loc[(accent, "noise")] for accent in ("few", "elsewhere", "nameless"))
    assert few["note"] == "not compared: 1 speaker heard in both conditions, 5 needed"
    assert few["difference"] == 0
    assert pd.isna(few["p"])
    assert pd.isna(few["ci_low"])
    assert elsewhere["note"] == "no utterance was scored under both conditions"
    assert elsewhere["n_utterances"] == 0
    assert nobody["note"] == "not compared: speakers without names"
    pooled = table.loc[("ALL", "noise")]
    assert pooled["unit"] == "utterance"
    assert "too sure of itself" in pooled["note"]
    assert pooled["n_speakers"] == 7


def test_one_voice_under_several_accents_is_one_unit_in_the_pool(make_speakers):
    scores = make_speakers(
        [
            (a, f"s{s}", c, 20, 3 + (c == "noise") * (1 + s % 2))
            for a in "ab"
            for s in range(6)
            for c in ("clean", "noise")
        ]
    )
    voices = {(accent, f"s{s}"): f"voice {s}" for accent in "ab" for s in range(6)}
    crossed, nested = table_of(scores, voices=voices), table_of(scores)
    assert crossed.loc[("ALL", "noise"), "p"] == 2 / 2**6
    assert nested.loc[("ALL", "noise"), "p"] == 2 / 2**12
    assert crossed.loc[("ALL", "noise"), "k_eff"] == pytest.approx(6)
    assert crossed.loc[("a", "noise"), "p"] == nested.loc[("a", "noise"), "p"]


def test_a_condition_that_changes_nobody_is_no_finding(make_speakers):
    scores = make_speakers([("a", f"s{s}", c, 20, s) for s in range(6) for c in ("clean", "noise")])
    row = table_of(scores).loc[("a", "noise")]
    assert (row["difference"], row["p"]) == (0, 1)
    assert row["note"] == "every speaker has as many errors both times: nothing to test"
    assert pd.isna(row["ci_low"])


def test_the_size_is_right_where_each_speaker_reacts_in_his_own_way_and_by_segments_it_is_not():
    # statistics 4.2: no mean difference, speaker-by-system log-SD .2, 40 speakers x 60 utterances; here fewer of both
    rng, by_speaker, by_segment = np.random.default_rng(5), [], []
    for _ in range(150):
        effect = rng.normal(0, 0.3, (20, 2))
        errors = rng.negative_binomial(2, 2 / (2 + 2 * np.exp(effect - 0.045))[:, None, :], (20, 30, 2))
        d = errors[..., 1] - errors[..., 0]
        by_speaker.append(sign_flip(d.sum(axis=1), 99, rng=rng).p <= 0.05)
        by_segment.append(mapsswe(600, int(d.sum()), int(np.square(d).sum())).p <= 0.05)
    assert np.mean(by_speaker) <= 0.09
    assert np.mean(by_segment) >= 0.2


def test_without_the_reference_condition_or_another_one_a_row_says_so(make_speakers):
    scores = make_speakers([("a", f"s{s}", "noise", 20, s) for s in range(6)])
    for part in (scores, scores.assign(condition="clean"), scores.assign(hits=0, substitutions=0, insertions=3)):
        table = comparisons(part, QUICK, synthetic=False, find_slots=error_slots)
        assert table["note"].tolist() == ["needs words scored under the reference condition 'clean' and another one"]
        assert table[["accent", "condition"]].to_numpy().tolist() == [["ALL", ""]]
    assert comparisons(scores.iloc[:0], QUICK, synthetic=False, find_slots=error_slots).empty


def test_labels_of_any_kind_and_any_order_of_rows(make_speakers):
    accents = ("null", "NA", "a, b", "two\nlines", "\U0001f442")
    scores = make_speakers(
        [(a, f"s{s}", c, 20, s + len(c)) for a in accents for s in range(6) for c in ("clean", "None", "noise")]
    )
    table = table_of(scores)
    assert {accent for accent, _ in table.index} == {*accents, tables.POOLED}
    assert table.equals(table_of(scores.sample(frac=1, random_state=2)))


row = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 30))
pair = st.tuples(st.sampled_from("ab"), st.sampled_from([None, "s1", "s2", "s3"]), st.sampled_from("xyz"), row, row)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(pair, min_size=1, max_size=24))
def test_any_counts_give_valid_tables(make_scores, pairs):
    rows = []
    for place, (accent, speaker, text, *counts) in enumerate(pairs):
        for condition, (hits, substitutions, deletions, insertions) in zip(("clean", "noise"), counts, strict=True):
            rows.append(
                {"utterance_id": f"u{place}", "accent": accent, "speaker_id": speaker, "condition": condition,
                 "hits": hits, "substitutions": substitutions, "deletions": deletions, "insertions": insertions,
                 "normalized_reference": text}
            )  # fmt: skip
    scores = make_scores(rows)
    chosen = StatsSettings(min_speakers=2, permutations=99, strata=["length_band"])
    utterances = scores[["utterance_id"]].drop_duplicates()
    found = [
        comparisons(scores, chosen, synthetic=False, find_slots=error_slots),
        adjusted(scores, utterances, chosen, synthetic=False),
    ]
    for table in found:
        for name in table.select_dtypes("float"):
            assert not np.isinf(table[name]).any(), name
        assert table["note"].str.len().gt(0).all()
    shown = found[0].dropna(subset=["ci_low"])
    assert (shown["ci_low"] <= shown["difference"]).all()
    assert (shown["difference"] <= shown["ci_high"]).all()
    shown = found[1].dropna(subset=["gap_ci_low"])
    assert ((shown["gap_ci_low"] <= shown["gap"]) & (shown["gap"] <= shown["gap_ci_high"])).all()
