"""Counts per unit and condition."""

from pipeline.stats import counts


def test_counts_are_summed_over_the_utterances_of_a_speaker(make_scores):
    rows = [
        {"speaker_id": "s", "hits": 3, "substitutions": 1, "deletions": 2, "insertions": 4},
        {"speaker_id": "s", "hits": 5, "substitutions": 0, "deletions": 1, "insertions": 0},
    ]
    found = counts.tally(make_scores(rows))
    assert found.errors.tolist() == [[8]]
    assert found.words.tolist() == [[12]]
    assert found.utterances.tolist() == [[2]]


def test_one_speaker_name_in_two_accents_is_two_speakers(make_scores):
    rows = [{"accent": accent, "speaker_id": "voice1", "hits": 1} for accent in ("a", "b")]
    assert len(counts.tally(make_scores(rows)).units) == 2


def test_without_a_speaker_each_utterance_is_a_unit(make_scores):
    found = counts.tally(make_scores([{"speaker_id": None, "hits": 1}] * 3))
    assert [unit.named for unit in found.units] == [False] * 3


def test_an_utterance_is_not_taken_for_a_speaker_of_the_same_name(make_scores):
    rows = [
        {"utterance_id": "x", "speaker_id": None, "hits": 1},
        {"utterance_id": "y", "speaker_id": "x", "hits": 1},
    ]
    assert len(counts.tally(make_scores(rows)).units) == 2


def test_an_empty_reference_adds_neither_words_nor_errors(make_scores):
    rows = [{"hits": 9, "substitutions": 1}, {"insertions": 7}]
    found = counts.tally(make_scores(rows))
    assert (found.errors.sum(), found.words.sum(), found.utterances.sum(), found.rows.sum()) == (1, 10, 1, 2)


def test_units_and_conditions_are_sorted(make_scores):
    rows = [
        {"accent": accent, "condition": condition, "speaker_id": speaker, "hits": 1}
        for accent, condition, speaker in [("b", "noise", "2"), ("a", "clean", "1"), ("b", "clean", "1")]
    ]
    found = counts.tally(make_scores(rows))
    assert [(unit.accent, unit.name) for unit in found.units] == [("a", "1"), ("b", "1"), ("b", "2")]
    assert found.conditions == ("clean", "noise")
