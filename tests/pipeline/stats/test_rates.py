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
"""Rates of any event: the interval of a cell, the same refusals, and shares that end at 1."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.records import Support
from pipeline.stats.cells import cells
from pipeline.stats.rates import Kind, Rate, layout, rates
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED

Speakers = Callable[[Sequence[tuple[str, str | None, str, int, int]]], pd.DataFrame]


def rate(scores: pd.DataFrame, events: Any, bases: Any, **options: Any) -> dict[tuple[str, str], Rate]:
    of = layout(scores, options.pop("voices", {}))
    return rates(of, of.sums(events), of.sums(bases), confidence=0.95, **options)


def words(scores: pd.DataFrame) -> pd.Series:
    return scores["hits"] + scores["substitutions"] + scores["deletions"]


def errors(scores: pd.DataFrame) -> pd.Series:
    return scores["substitutions"] + scores["deletions"] + scores["insertions"]


def test_a_rate_of_word_errors_is_the_cell_in_every_column(draw: Callable[..., pd.DataFrame]) -> None:
    scores = draw(np.random.default_rng(5), sizes=[12, 4, 2, 1, 7], conditions={"clean": 0.0, "noise": 0.4})
    wanted = cells(scores, StatsSettings(), synthetic=False).set_index(["accent", "condition"])
    found = rate(scores, errors(scores), words(scores))
    assert set(found) == set(wanted.index)
    for key, one in found.items():
        cell = wanted.loc[key]
        assert (one.count, one.base, one.n_speakers) == (errors_of(cell), cell["n_ref_words"], cell["n_speakers"])
        assert (one.value, one.k_eff, one.support) == (cell["wer"], cell["k_eff"], cell["support"])
        ends = [math.nan if end is None else end for end in (one.ci_low, one.ci_high)]
        assert ends == pytest.approx([cell["ci_low"], cell["ci_high"]], nan_ok=True)


def errors_of(cell: Mapping[str, Any]) -> int:
    return int(cell["substitutions"] + cell["deletions"] + cell["insertions"])


def test_zero_events_have_the_bound_of_a_cell_without_errors(make_speakers: Speakers) -> None:
    rows = [("good", f"g{i}", "clean", 100, 0) for i in range(8)]
    rows += [("other", f"o{i}", "clean", 100, 10 + 3 * i) for i in range(8)]
    scores = make_speakers(rows)
    wanted = cells(scores, StatsSettings(), synthetic=False).set_index("accent").loc["good"]
    found = rate(scores, errors(scores), words(scores))["good", "clean"]
    assert (found.support, found.ci_low, found.ci_high) == (Support.ZERO_ERRORS, 0, wanted["ci_high"])
    assert rate(scores, errors(scores), words(scores), kind=Kind(bounded=False))["good", "clean"].ci_high is None


def test_a_share_ends_at_one_and_a_recall_is_read_from_what_is_missed(make_speakers: Speakers) -> None:
    scores = make_speakers([("a", f"s{i}", "clean", 20, e) for i, e in enumerate([1, 2, 4, 1, 2, 3, 1, 2, 2, 1])])
    missed = rate(scores, errors(scores), words(scores))["a", "clean"]
    recall = rate(scores, words(scores) - errors(scores), words(scores), kind=Kind(of_rest=True))["a", "clean"]
    assert missed.ci_low is not None
    assert missed.ci_high is not None
    assert recall.value == pytest.approx(1 - 19 / 200)
    assert (recall.ci_low, recall.ci_high) == pytest.approx((1 - missed.ci_high, 1 - missed.ci_low))
    often = make_speakers([("a", f"s{i}", "clean", 10, e) for i, e in enumerate([10, 3, 9, 10, 8, 2, 10, 10, 9, 10])])
    share = rate(often, errors(often), words(often), kind=Kind(share=True))["a", "clean"]
    assert share.ci_high == 1
    assert share.ci_low is not None
    assert share.ci_low < 0.81


def test_one_voice_in_several_accents_is_one_cluster_of_all(make_speakers: Speakers) -> None:
    rows = [(f"accent {a}", f"v{s}", "clean", 20, 1 + s + a) for a in range(3) for s in range(6)]
    scores = make_speakers(rows)
    voices = {(accent, str(speaker)): str(speaker) for accent, speaker, *_ in rows}
    shared, nested = (rate(scores, errors(scores), words(scores), voices=v)[POOLED, "clean"] for v in (voices, {}))
    assert (shared.value, round(shared.k_eff), round(nested.k_eff)) == (nested.value, 6, 18)


def test_unnamed_speakers_are_utterances_and_nobody_is_nothing(make_speakers: Speakers) -> None:
    scores = make_speakers([("a", None, "clean", 10, 1 + i % 3) for i in range(9)])
    found = rate(scores, errors(scores), words(scores))["a", "clean"]
    assert (found.unit, found.n_speakers, round(found.k_eff)) == ("utterance", 0, 9)
    nothing = rate(scores, 0, 0)["a", "clean"]
    assert (nothing.value, nothing.support, nothing.count) == (None, Support.NO_WORDS, 0)
    assert rate(scores.iloc[:0], [], []) == {}


def test_row_order_and_hostile_labels_change_nothing(make_speakers: Speakers) -> None:
    names = ["null", "NA", "a,b\n", "🙂", "None"]
    scores = make_speakers([(name, f"s{i}", "clean", 10, i % 4) for name in names for i in range(6)])
    mixed = scores.sample(frac=1, random_state=2)
    assert rate(scores, errors(scores), words(scores)) == rate(mixed, errors(mixed), words(mixed))
    assert {accent for accent, _ in rate(scores, errors(scores), words(scores))} == {*names, POOLED}
