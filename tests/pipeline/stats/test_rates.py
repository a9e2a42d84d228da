"""Rates of a cell: worked by hand from statistics 1, against jiwer's own figures, and what holds for any counts."""

import jiwer
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import tables
from pipeline.stats.cells import cells
from pipeline.stats.rates import none_left_out, rates
from pipeline.stats.settings import StatsSettings
from pipeline.text.alignment import count_characters, count_errors


def scored(make_scores, pairs, **labels):
    """Scores of (reference, hypothesis) pairs as the stage would make them."""
    rows = []
    for reference, hypothesis in pairs:
        counts, (characters, wrong) = count_errors(reference, hypothesis), count_characters(reference, hypothesis)
        rows.append(
            {"hits": counts.hits, "substitutions": counts.substitutions, "deletions": counts.deletions,
             "insertions": counts.insertions, "ref_characters": characters, "character_errors": wrong} | labels
        )  # fmt: skip
    return make_scores(rows)


def of(table, accent="a"):
    [row] = tables.rows(table[table["accent"] == accent])
    return row


def test_the_rates_are_those_worked_by_hand(make_scores):
    # 10 words: 6 hits, 3 substitutions, 1 deletion; 5 insertions; so 14 words heard
    counts = {"hits": 6, "substitutions": 3, "deletions": 1, "insertions": 5}
    row = of(rates(make_scores([counts]), none_left_out(), synthetic=False))
    assert row["n_ref_words"] == 10
    assert row["n_hyp_words"] == 14
    expected = {
        "wer": 0.9, "substitution_rate": 0.3, "deletion_rate": 0.1, "insertion_rate": 0.5, "precision": 6 / 14,
        "recall": 0.6, "f1": 12 / 24, "mer": 9 / 15, "wil": 1 - (6 / 10) * (6 / 14), "capped_wer": 0.9,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_rates_are_ratios_of_sums_and_agree_with_jiwer(make_scores):
    pairs = [("the cat sat on the mat", "the cat sat mat"), ("yes", "yes oh yes"), ("a b c d", "x y c d e"), ("no", "")]
    row = of(rates(scored(make_scores, pairs), none_left_out(), synthetic=False))
    references, hypotheses = [list(texts) for texts in zip(*pairs, strict=True)]
    words = jiwer.process_words(references, hypotheses)
    assert row["wer"] == pytest.approx(words.wer)
    assert row["mer"] == pytest.approx(words.mer)
    assert row["wil"] == pytest.approx(words.wil)
    assert row["cer"] == pytest.approx(jiwer.process_characters(references, hypotheses).cer)


def test_where_nothing_was_heard_f1_is_zero_and_precision_is_missing(make_scores):
    row = of(rates(scored(make_scores, [("a b c", ""), ("d", "")]), none_left_out(), synthetic=False))
    assert pd.isna(row["precision"])
    assert (row["f1"], row["recall"], row["wer"], row["mer"], row["wil"], row["cer"]) == (0, 0, 1, 1, 1, 1)
    assert (row["n_empty_hypotheses"], row["n_utterances"]) == (2, 2)
    assert "no precision" in row["note"]


def test_a_loop_of_wer_28_is_never_capped_but_in_the_column_that_says_so(make_scores):
    pairs = [("yes", " ".join(["no"] * 28)), ("one two three", "one two three")]
    row = of(rates(scored(make_scores, pairs), none_left_out(), synthetic=False))
    assert row["wer"] == 28 / 4
    assert row["capped_wer"] == 1 / 4
    assert (row["n_above_one"], row["n_mostly_inserted"], row["mostly_inserted_share"]) == (1, 1, 0.5)


def test_as_many_insertions_as_words_are_not_more(make_scores):
    row = of(rates(make_scores([{"hits": 2, "insertions": 2}, {"hits": 2, "insertions": 3}]), none_left_out(),
                   synthetic=False))  # fmt: skip
    assert row["n_mostly_inserted"] == 1


def test_what_was_left_out_is_counted_and_moves_no_rate(make_scores):
    scores = scored(make_scores, [("a b c d", "a b c x")])
    key = {"condition": "clean", "backend": "engine", "normalizer": "verbatim"}
    lost = {"n_failed": 2, "n_unrendered": 1, "n_not_delivered": 0, "n_no_reference_words": 3,
            "no_reference_inserted_words": 7}  # fmt: skip
    left_out = pd.DataFrame([{"accent": "a"} | key | lost, {"accent": "b"} | key | lost])
    table = rates(scores, left_out, synthetic=False)
    assert of(table)["wer"] == of(rates(scores, none_left_out(), synthetic=False))["wer"] == 0.25
    assert {name: of(table, "ALL")[name] for name in lost} == {name: 2 * value for name, value in lost.items()}
    nothing_scored = of(table, "b")
    assert pd.isna(nothing_scored["wer"])
    assert nothing_scored["n_failed"] == 2
    assert nothing_scored["note"].startswith("nothing was scored")


def test_scores_without_characters_have_no_cer_and_say_why(make_scores):
    row = of(rates(make_scores([{"hits": 3}]), none_left_out(), synthetic=False))
    assert pd.isna(row["cer"])
    assert "characters were not counted" in row["note"]


def test_cutting_an_utterance_in_two_changes_no_rate_but_those_of_utterances(make_scores):
    whole = rates(scored(make_scores, [("a b c d e f", "a x c d e")]), none_left_out(), synthetic=False)
    parts = rates(scored(make_scores, [("a b c", "a x c"), ("d e f", "d e")]), none_left_out(), synthetic=False)
    kept = ["n_ref_words", "wer", "substitution_rate", "deletion_rate", "insertion_rate", "precision", "recall", "f1",
            "mer", "wil"]  # fmt: skip
    pd.testing.assert_frame_equal(whole[kept], parts[kept])


counts = st.tuples(st.sampled_from("ab"), st.sampled_from([None, "s1", "s2"]), *[st.integers(0, 9)] * 3,
                   st.integers(0, 40))  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(counts, min_size=1, max_size=20))
def test_any_counts_agree_with_the_cells_and_stay_in_their_ranges(make_scores, drawn):
    scores = make_scores(
        [
            {"accent": a, "speaker_id": s, "hits": h, "substitutions": sub, "deletions": d, "insertions": i}
            for a, s, h, sub, d, i in drawn
        ]
    )
    table = rates(scores, none_left_out(), synthetic=False).set_index("accent")
    beside = cells(scores, StatsSettings(), synthetic=False).set_index("accent")
    for accent, row in table.iterrows():
        cell = beside.loc[accent]
        assert row["n_speakers"] == cell["n_speakers"]
        assert row["n_utterances"] == cell["n_utterances"]
        assert pd.isna(row["wer"]) == pd.isna(cell["wer"])
        if row["n_ref_words"]:
            assert row["wer"] == pytest.approx(cell["wer"])
            assert row["f1"] == pytest.approx(cell["f1"])
            assert row["capped_wer"] <= min(1, row["wer"])
            rest = row["substitution_rate"] + row["deletion_rate"] + row["insertion_rate"]
            assert rest == pytest.approx(row["wer"])
            assert row["recall"] == pytest.approx(1 - row["substitution_rate"] - row["deletion_rate"])
