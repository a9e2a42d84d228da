"""Defects that were found in other programs for the same purpose, each as a test that this one does not have them.

Two that are about sound stand in ``tests/augment/test_rivals_defects.py``.
"""

import hashlib
import inspect

import numpy as np
import pandas as pd
import pytest

from pipeline import tables
from pipeline.records import Reason
from pipeline.stages.score import score
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.settings import StatsSettings
from pipeline.text import alignment
from pipeline.text.normalizers import Verbatim

SETTINGS = StatsSettings(permutations=99)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def scored(references, hypotheses, *, speakers=5, accent="a"):
    """Score texts as the stage does; utterance i belongs to speaker i modulo ``speakers`` (None: nobody's)."""
    names = [f"u{place:05d}" for place in range(len(references))]
    utterance = {
        "corpus": "c", "accent": accent, "raw_accent": accent, "audio": "", "audio_sha256": sha("a"),
        "sample_rate_hz": 16_000, "duration_s": 1.0, "synthetic": False, "label_provenance": "declared",
    }  # fmt: skip
    rows = [
        utterance | {"utterance_id": n, "reference": r, "speaker_id": None if speakers is None else f"s{p % speakers}"}
        for p, (n, r) in enumerate(zip(names, references, strict=True))
    ]
    trials = [{"utterance_id": n, "condition": "clean", "trial_key": sha(n), "slot": 0, "plan": "{}"} for n in names]
    silent = dict.fromkeys(("decode_s", "avg_logprob", "no_speech_prob", "compression_ratio", "n_tokens"))
    heard = [
        {"trial_key": sha(n), "backend": "engine", "hypothesis": h, "status": "ok", "detail": ""} | silent
        for n, h in zip(names, hypotheses, strict=True)
    ]
    built = [
        tables.build(each, schema, where="test")
        for each, schema in ((rows, tables.Utterances), (trials, tables.Trials), (heard, tables.Transcripts))
    ]
    return score(*built, {"verbatim": Verbatim(Verbatim.Settings())})


def cell_of(scores, accent="a", settings=SETTINGS):
    table = cells(scores, settings, synthetic=False)
    return table[table["accent"] == accent].iloc[0]


def test_fairness_notebook_whose_array_is_turned_into_text_errors_in_the_middle_of_1500_rows_are_counted():
    # there numpy elided the middle of more than 1,000 rows and brackets and quotes became words: 0.0 for a true 0.0667
    references = ["one two three"] * 1500
    hypotheses = ["one two three"] * 700 + ["four five six"] * 100 + ["one two three"] * 700
    scores, _ = scored(references, hypotheses)
    found = cell_of(scores)
    assert found["n_ref_words"] == 4500
    assert found["wer"] == pytest.approx(100 / 1500)


def test_helm_where_an_empty_transcript_scores_as_perfect_it_is_all_deletions():
    scores, excluded = scored(["one two three"] * 10, [""] * 10)
    found = cell_of(scores)
    assert not excluded
    assert (found["wer"], found["deletions"], found["f1"]) == (1.0, 30, 0.0)


def test_telebench_where_empty_hypotheses_are_skipped_the_reference_words_do_not_depend_on_the_model():
    references = ["one two three", "four five", "six seven eight nine"] * 4
    talkative, _ = scored(references, ["one two three"] * 12)
    mute, _ = scored(references, ["", "four five", ""] * 4)
    assert cell_of(talkative)["n_ref_words"] == cell_of(mute)["n_ref_words"] == 36
    # nor is one model's transcript the truth for another: the reference is the corpus's own
    assert set(mute["normalized_reference"]) == set(references)


def accents_of(rates, sizes, words=100):
    """Speakers whose WERs lie evenly about their accent's rate, each with ``words`` words."""
    rows = []
    for place, (rate, size) in enumerate(zip(rates, sizes, strict=True)):
        spread = np.linspace(-0.02, 0.02, size)
        for speaker in range(size):
            errors = round(words * (rate + spread[speaker]))
            rows.append(
                {
                    "utterance_id": f"{place}/{speaker}", "condition": "clean", "backend": "engine",
                    "normalizer": "verbatim", "speaker_id": f"s{speaker}", "accent": f"a{place}",
                    "hits": words - errors, "substitutions": errors, "deletions": 0, "insertions": 0,
                    "normalized_reference": "", "normalized_hypothesis": "",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def statistic(scores, name):
    table = disparities(scores, SETTINGS, synthetic=False)
    return float(table.loc[table["statistic"] == name, "value"].iloc[0])


@pytest.mark.parametrize("name", ["gap_max_min", "ratio_max_min", "omnibus_q"])
def test_faas_whose_score_is_not_monotone_in_the_gap_disparities_grow_with_it(name):
    # there a gap of 0, .02 and .20 scored 24.29, 24.21 and 22.57, and min-max scaling erased the size of a gap
    found = [statistic(accents_of([0.20, 0.20 + gap], [50, 50], 1000), name) for gap in (0.0, 0.02, 0.05, 0.20)]
    assert found == sorted(found)
    assert found[0] < found[1] < found[2] < found[3]


@pytest.mark.parametrize("name", ["gap_max_min", "ratio_max_min"])
def test_faas_whose_score_follows_group_shares_a_gap_is_the_same_at_10_50_and_90_percent(name):
    # there one gap of .002 scored 17.6, 24.3 or 26.9 as the better group was 10, 50 or 90 % of the rows
    shares = [statistic(accents_of([0.2, 0.3], sizes, 1000), name) for sizes in ((11, 99), (55, 55), (99, 11))]
    assert shares == pytest.approx([shares[0]] * 3)


def test_mean_of_utterance_rates_as_in_several_programs_pooled_and_speaker_mean_stand_under_their_own_names():
    # one short utterance all wrong, one long one all right: the mean of utterance rates would be .5
    references, hypotheses = ["no"] * 5 + ["one two three four five six seven eight nine"] * 5, [""] * 5
    scores, _ = scored(references, hypotheses + references[5:], speakers=5)
    found = cell_of(scores)
    assert found["wer"] == pytest.approx(5 / 50)
    assert found["speaker_mean_wer"] == pytest.approx(0.1)
    uneven, _ = scored(["no", "one two three"], ["", "one two three"], speakers=2)
    assert cell_of(uneven)["wer"] == pytest.approx(1 / 4)
    assert cell_of(uneven)["speaker_mean_wer"] == pytest.approx(1 / 2)


def test_fairlearn_which_resamples_rows_the_speaker_clustered_interval_is_wider_on_clustered_data():
    # eight speakers, each with forty utterances that are alike
    wrong = [1, 1, 2, 2, 3, 4, 5, 6]
    references = ["a b c d e f g h i j"] * 320
    texts = [" ".join(references[0].split()[wrong[place % 8] :]) for place in range(320)]
    clustered, rows = (cell_of(scored(references, texts, speakers=k)[0]) for k in (8, None))
    assert clustered["wer"] == rows["wer"]
    width = [np.log(one["ci_high"] / one["ci_low"]) for one in (clustered, rows)]
    assert width[0] > 4 * width[1]
    assert (clustered["unit"], rows["unit"]) == ("speaker", "utterance")


def test_published_cards_with_a_wer_of_127_percent_on_33_words_such_a_cell_has_no_interval_and_no_rank():
    scores, _ = scored(["one two three"] * 11, ["four five six seven"] * 9 + ["four five six"] * 2, speakers=1)
    found = cell_of(scores)
    assert found["n_ref_words"] == 33
    assert found["wer"] == pytest.approx(42 / 33)
    assert (found["support"], bool(found["ranked"])) == ("insufficient", False)
    assert np.isnan(found["ci_low"])
    others = accents_of([0.1, 0.2], [10, 10])
    gap = disparities(pd.concat([scores, others], ignore_index=True), SETTINGS, synthetic=False)
    assert "a" not in set(gap["worst"]) | set(gap["best"]) | set(gap["accent"])


def test_jiwer_4_which_calls_a_number_of_words_a_rate_empty_references_add_nothing_to_wer():
    # its rate is 2 for reference "" and hypothesis "hello world", and 2.0 for the list below
    scores, excluded = scored(["hello", ""], ["hello", "uh huh"], speakers=1)
    assert cell_of(scores)["wer"] == 0
    (lost,) = excluded
    assert lost.reason == Reason.NO_REFERENCE_WORDS
    assert "2 word(s) heard" in lost.detail


def test_jiwer_4_without_compute_measures_the_aligner_is_asked_for_counts_only():
    source = inspect.getsource(alignment)
    assert "process_words" in source
    assert "compute_measures" not in source
    assert "jiwer.wer" not in source


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("hello world", "", (0, 0, 2, 0)),
        ("", "hello world", (0, 0, 0, 2)),
        ("", "", (0, 0, 0, 0)),
        ("hello", "hello world again and again", (1, 0, 0, 4)),
    ],
)
def test_the_table_of_empty_texts_and_of_more_insertions_than_words(reference, hypothesis, counts):
    found = alignment.count_errors(reference, hypothesis)
    assert (found.hits, found.substitutions, found.deletions, found.insertions) == counts
    # more errors than words are legal, and without words there is no rate
    assert found.wer == (None if not reference else (sum(counts[1:]) / len(reference.split())))


def test_splitting_texts_at_an_aligned_boundary_leaves_the_wer_of_the_corpus_as_it_is():
    whole = (["the cat sat on the mat today", "one two three four"], ["the bat sat on mat today", "one four"])
    split = (
        ["the cat sat", "on the mat today", "one two", "three four"],
        ["the bat sat", "on mat today", "one", "four"],
    )
    found = [cell_of(scored(*texts, speakers=1)[0]) for texts in (whole, split)]
    assert found[0]["wer"] == found[1]["wer"] == pytest.approx(4 / 11)
    assert found[1]["n_utterances"] == 2 * found[0]["n_utterances"]
