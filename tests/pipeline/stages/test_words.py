"""From transcripts to signs of invented text, found terms and errors by tag: planted texts, and nothing lost."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import screening_tables, tables
from pipeline.corpora.word_files import Phrases, TaggedWord, Verdict, read_phrases
from pipeline.records import ErrorCounts
from pipeline.screening_tables import EMPTIED, UNSAID
from pipeline.stages.attribute_tags import attribute_tags
from pipeline.stages.find_terms import find_terms
from pipeline.stages.score import score
from pipeline.stages.screen_hypotheses import Heard, screen, text_sha256
from pipeline.stats.hallucination import Signs, hallucinations
from pipeline.stats.hallucination_settings import HallucinationSettings
from pipeline.stats.settings import StatsSettings
from pipeline.stats.tags import tag_errors
from pipeline.stats.terms import term_table
from pipeline.stats.variability import RepeatedTrial, variability
from pipeline.tables import POOLED
from pipeline.text.normalizers import NoSettings, Verbatim, WhisperEnglish

SETTINGS = StatsSettings()
SCREEN = HallucinationSettings()
NORMALIZERS = {"verbatim": Verbatim(NoSettings())}
PHRASES = read_phrases(None)
SAID = "we counted seven ducks beside the frozen pond"
NO_REPEATS = tables.build([], tables.Variability, where="test")


def heard(texts: Sequence[Mapping[str, Any]], **changes: Any) -> Heard:
    """One trial a text: keys are reference, hypothesis, accent, speaker_id, condition."""
    utterances, trials, transcripts = [], [], []
    for place, given in enumerate(texts):
        row = {"reference": SAID, "accent": "a", "speaker_id": f"s{place}", "condition": "clean"} | dict(given)
        name = str(row.get("utterance_id", f"u{place:03d}"))
        utterances.append({
            "utterance_id": name, "corpus": "c", "speaker_id": row["speaker_id"], "accent": row["accent"],
            "raw_accent": row["accent"], "reference": row["reference"], "audio": "x", "audio_sha256": "a" * 64,
            "sample_rate_hz": 16000, "duration_s": 1.0, "synthetic": False, "label_provenance": "",
        })  # fmt: skip
        key = f"{place:064d}"
        trials.append({"utterance_id": name, "condition": row["condition"], "trial_key": key, "slot": 0, "plan": "{}"})
        empty = dict.fromkeys(("decode_s", "avg_logprob", "no_speech_prob", "compression_ratio", "n_tokens"))
        transcripts.append(
            {"trial_key": key, "backend": "b", "hypothesis": row["hypothesis"], "status": "ok", "detail": ""} | empty
        )
    made = [
        tables.build(rows, schema, where="test")
        for rows, schema in (
            (utterances, tables.Utterances), (trials, tables.Trials), (transcripts, tables.Transcripts),
        )
    ]  # fmt: skip
    normalizers = changes.pop("normalizers", NORMALIZERS)
    scores, _ = score(*made, normalizers)
    nonspeech = tables.build(changes.pop("nonspeech", []), tables.NonSpeech, where="test")
    given = Heard(*made, nonspeech, scores, [], normalizers, may_show_text=True, synthetic=False)
    return replace(given, **changes)


def screened(
    texts: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict] = (), phrases: Phrases = PHRASES, **changes: Any
) -> tuple[Signs, pd.DataFrame, pd.DataFrame]:
    given = heard(texts, **changes)
    signs, candidates = screen(given, SCREEN, phrases, verdicts)
    varied = variability(given.repeated, SETTINGS, synthetic=False)
    table = hallucinations(given.scores, signs, given.nonspeech, varied, SETTINGS, synthetic=False, voices={})
    return signs, candidates, table


def one(table: pd.DataFrame, **key: Any) -> dict[str, Any]:
    for name, value in key.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return tables.rows(table)[0]


PLANTED = [
    (SAID, SAID, ""),
    (SAID, "we counted eleven ducks beside the frozen pond", ""),
    (SAID, "", ""),
    (SAID, f"{SAID} and then they all", ""),  # 12 words for 8: not more than 1.5
    (SAID, f"well well then {SAID} and then", "long_hypothesis"),
    (SAID, f"{SAID} and then they all left", "long_insertion long_hypothesis"),
    ("yes", "no i do not", "mostly_inserted long_hypothesis"),
    (SAID, "we counted seven so so so so pond", "repeated_words"),
    ("so so so so it goes", "so so so so it went", ""),
    (SAID, "we counted the the the ducks", ""),
    (SAID, "Thanks for watching!", "known_phrase"),
    ("and thanks for watching us", "or thanks for watching us", ""),
    (SAID, "Thank you.", "known_phrase"),
    (SAID, "thank you we counted seven ducks", ""),
    (SAID, "ha" * 60, "compressible"),  # no repeated word, but a loop
]
"""Reference, hypothesis, the signs that must fire."""


def test_a_sign_fires_where_it_was_planted_and_nowhere_else() -> None:
    _, candidates, _ = screened([{"reference": ref, "hypothesis": hyp} for ref, hyp, _ in PLANTED])
    fired = dict(zip(candidates["utterance_id"], candidates["criteria"], strict=True))
    assert fired == {f"u{place:03d}": signs for place, (_, _, signs) in enumerate(PLANTED) if signs}


def test_a_loop_of_many_words_is_told_by_every_sign_of_it() -> None:
    _, candidates, table = screened([{"hypothesis": f"{SAID} " + "i do not know " * 30}])
    assert one(candidates)["criteria"] == ("mostly_inserted long_insertion long_hypothesis repeated_words compressible")
    assert one(table, accent="a", measure="longest_insertion")["count"] == 120
    assert one(table, accent="a", measure="wer_above_one")["count"] == 1


def test_counts_add_up_by_accent_and_are_divided_last() -> None:
    loop = f"{SAID} " + "go on " * 10
    texts = [
        {"accent": accent, "speaker_id": f"{accent}{s}", "hypothesis": loop if (accent, s) == ("a", 0) else SAID,
         "condition": condition, "utterance_id": f"{accent}{s}{condition}"}
        for accent in ("a", "b") for s in range(3) for condition in ("clean", "noise")
    ]  # fmt: skip
    _, candidates, table = screened(texts)
    assert len(candidates) == 2
    for accent, share in (("a", 1 / 3), ("b", 0), (POOLED, 1 / 6)):
        row = one(table, accent=accent, condition="noise", measure="candidates")
        assert (row["value"], row["base"]) == (pytest.approx(share), 3 if accent != POOLED else 6)
    inserted = one(table, accent="a", condition="clean", measure="insertion_rate")
    assert (inserted["count"], inserted["base"]) == (20, 24)
    length = one(table, accent="a", condition="clean", measure="length_ratio")
    assert length["value"] == pytest.approx(44 / 24)
    assert set(table["measure"]) >= {"repeated_words", "known_phrase", "mostly_inserted", "long_insertion"}
    assert "repeats_differ" not in set(table["measure"])


def test_an_accent_in_only_one_condition_has_rows_for_that_one() -> None:
    texts = [{"accent": "a", "hypothesis": SAID}, {"accent": "b", "hypothesis": SAID, "condition": "noise"}]
    _, _, table = screened(texts)
    assert set(table.loc[table["accent"] == "b", "condition"]) == {"noise"}


def test_what_was_said_where_nobody_spoke_is_counted_and_listed_apart() -> None:
    said = [{"utterance_id": "u000", "condition": "clean", "slot": slot, "trial_key": f"{9:063d}{slot}",
             "backend": "b", "duration_s": 2.0, "hypothesis": text, "n_words": len(text.split()),
             "audio_sha256": "c" * 64} for slot, text in enumerate(["", "thank you", ""])]  # fmt: skip
    _, candidates, table = screened([{"hypothesis": SAID}], nonspeech=said)
    row = one(table, measure="text_without_speech")
    assert (row["accent"], row["normalizer"], row["count"], row["base"]) == (POOLED, "", 1, 3)
    listed = one(candidates)
    assert (listed["criteria"], listed["accent"], listed["hypothesis"]) == ("text_without_speech", "", "thank you")


def test_words_for_a_reference_without_words_are_candidates_without_a_score() -> None:
    texts = [{"reference": "(laughs)", "hypothesis": "hello there", "accent": "b"}, {"hypothesis": SAID},
             {"reference": "(coughs)", "hypothesis": "", "accent": "b"}]  # fmt: skip
    both = {"verbatim": NORMALIZERS["verbatim"], "whisper_english": WhisperEnglish(NoSettings())}
    _, candidates, table = screened(texts, normalizers=both)
    row = one(candidates, normalizer="whisper_english")
    assert (row["criteria"], row["n_ref_words"], row["insertions"]) == ("text_for_empty_reference", 0, 2)
    counted = one(table, measure="text_for_empty_reference", accent="b")
    assert (counted["normalizer"], counted["count"], counted["base"]) == ("whisper_english", 1, 2)
    assert one(table, measure="text_for_empty_reference", accent=POOLED)["base"] == 2


def test_repeats_that_differ_widely_at_the_lowest_temperature_are_a_sign() -> None:
    def repeated(place: int, wrong: int, temperature: float) -> RepeatedTrial:
        between, zero = ErrorCounts(20 - wrong, wrong, 0, 0), ErrorCounts(8, 0, 0, 0)
        return RepeatedTrial(f"u{place:03d}", "clean", "b", "verbatim", f"s{place}", "a", temperature, 2, wrong == 0,
                             between, zero + zero, zero)  # fmt: skip

    varied = [repeated(0, 12, 0.2), repeated(1, 10, 0.2), repeated(0, 0, 0.8), repeated(1, 20, 0.8)]
    _, candidates, table = screened([{"hypothesis": SAID}] * 3, repeated=varied)
    assert list(candidates["utterance_id"]) == ["u000"]
    row = one(table, measure="repeats_differ", accent="a")
    assert (row["count"], row["base"]) == (1, 2)
    joined = one(table, measure="repeat_disagreement", accent="a")
    assert (joined["count"], joined["base"], joined["value"]) == (22, 40, 0.55)


def test_verdicts_are_used_on_the_text_they_were_given_on_and_counted_beside() -> None:
    texts = [{"hypothesis": "thanks for watching"}] * 3 + [{"hypothesis": SAID}]
    key = [f"{place:064d}" for place in range(4)]
    right = text_sha256("thanks for watching")
    verdicts = [
        Verdict(key[0], "hallucination", "b", right),
        Verdict(key[1], "hallucination", "b", text_sha256("another text")),
        Verdict(key[2], "hallucination", "another recognizer", right),
        Verdict(key[3], "no_hallucination", "", ""),
        Verdict("f" * 64, "unsure", "", ""),
    ]
    _, candidates, table = screened(texts, verdicts)
    assert list(candidates["verdict"]) == ["hallucination", "", ""]
    reviewed = one(table, measure="reviewed", accent=POOLED)
    assert (reviewed["count"], reviewed["base"]) == (2, 4)
    assert "3 verdict(s) of the file fit no transcript" in reviewed["note"]
    confirmed = one(table, measure="reviewed_hallucination", accent=POOLED)
    assert (confirmed["count"], confirmed["base"], math.isnan(confirmed["ci_low"])) == (1, 2, True)
    assert one(table, measure="candidates", accent=POOLED)["count"] == 3


def test_texts_that_may_not_be_passed_on_are_missing_and_the_rest_is_there() -> None:
    _, candidates, _ = screened([{"hypothesis": "thanks for watching"}], may_show_text=False)
    row = one(candidates)
    assert pd.isna(row["hypothesis"])
    assert pd.isna(row["reference"])
    assert row["text_sha256"] == text_sha256("thanks for watching")


def test_all_empty_hypotheses_and_a_ratio_of_28_stay_right() -> None:
    _, candidates, table = screened([{"hypothesis": ""}] * 6)
    assert candidates.empty
    assert one(table, measure="length_ratio", accent="a")["value"] == 0
    _, candidates, table = screened([{"reference": "yes", "hypothesis": "no " * 28}])
    assert one(table, measure="insertion_rate", accent="a")["value"] == 27
    assert one(candidates)["insertion_run"] == 27


def test_nothing_scored_and_nothing_asked_for_are_empty_tables_of_the_right_types() -> None:
    _, candidates, table = screened([])
    assert candidates.empty
    assert table.empty
    assert list(table.dtypes) == list(tables.build([], screening_tables.Hallucinations, where="t").dtypes)
    given = heard([{"hypothesis": SAID}])
    off = {"synthetic": False, "voices": {}}
    assert hallucinations(given.scores, None, given.nonspeech, NO_REPEATS, SETTINGS, **off).empty
    assert term_table(given.scores, None, SETTINGS, **off).empty
    assert tag_errors(given.scores, None, SETTINGS, **off).empty


LABELS = ("a,b\n", "🙂", "null", "NA")
TERMS = {"seven ducks": ("seven ducks", "7 ducks"), "pond": ("pond",), "goose": ("goose",), "...": ("...",)}


def test_row_order_changes_no_table() -> None:
    texts = [{"accent": LABELS[i % 4], "hypothesis": [SAID, "thanks for watching", f"{SAID} no no no no"][i % 3]}
             for i in range(24)]  # fmt: skip
    given = heard(texts)
    made = []
    for scores in (given.scores, given.scores.sample(frac=1, random_state=4).reset_index(drop=True)):
        signs, candidates = screen(replace(given, scores=scores), SCREEN, PHRASES, ())
        same = {"synthetic": False, "voices": {}}
        found = hallucinations(scores, signs, given.nonspeech, NO_REPEATS, SETTINGS, **same)
        terms = term_table(scores, find_terms(scores, TERMS, NORMALIZERS), SETTINGS, **same)
        made.append((candidates, found, terms))
    for first, second in zip(*made, strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_terms_are_counted_by_cell_and_by_term_and_none_is_lost() -> None:
    texts = [
        {"accent": "a", "hypothesis": SAID},
        {"accent": "a", "hypothesis": "we counted 7 ducks beside the frozen pond"},
        {"accent": "b", "hypothesis": "we counted several ducks beside the frozen goose"},
        {"accent": "b", "reference": "nothing here", "hypothesis": "nothing here pond"},
    ]
    scores = heard(texts).scores
    table = term_table(scores, find_terms(scores, TERMS, NORMALIZERS), SETTINGS, synthetic=False, voices={})
    every = {accent: one(table, term="", accent=accent) for accent in ("a", "b", POOLED)}
    assert [(r["n_said"], r["n_found"], r["n_false"]) for r in every.values()] == [(4, 4, 0), (2, 0, 2), (6, 4, 2)]
    assert every[POOLED]["recall"] == pytest.approx(4 / 6)
    assert every["b"]["false_rate"] == 2 / 10
    assert "..." in every["a"]["note"]
    assert set(table.loc[table["term"] != "", "accent"]) == {POOLED}
    assert one(table, term="...")["note"] == EMPTIED
    goose = one(table, term="goose")
    assert (goose["note"], goose["n_false"], math.isnan(goose["recall"])) == (UNSAID, 1, True)
    assert (one(table, term="pond")["n_said"], one(table, term="pond")["n_false"]) == (3, 1)


def test_a_planted_recall_is_recovered_with_an_interval_around_it() -> None:
    texts = [{"accent": "a", "speaker_id": f"s{s}", "hypothesis": SAID if (s * 7 + i) % 10 else SAID[:-5],
              "utterance_id": f"{s}-{i}"} for s in range(20) for i in range(3 + s % 5)]  # fmt: skip
    scores = heard(texts).scores
    table = term_table(scores, find_terms(scores, TERMS, NORMALIZERS), SETTINGS, synthetic=False, voices={})
    row = one(table, term="pond")
    missed = sum(text["hypothesis"] != SAID for text in texts)
    assert row["recall"] == pytest.approx(1 - missed / len(texts))
    assert 0 < row["recall_ci_low"] < row["recall"] < row["recall_ci_high"] < 1
    assert row["recall_support"] == "ok"


def tagged(
    texts: Sequence[Mapping[str, Any]], words: Sequence[TaggedWord], normalizers: Mapping[str, Any] = NORMALIZERS
) -> pd.DataFrame:
    given = heard(texts, normalizers=normalizers)
    found = attribute_tags(given.scores, given.utterances, words, normalizers)
    return tag_errors(given.scores, found, SETTINGS, synthetic=False, voices={})


def test_errors_are_attributed_to_the_tagged_words() -> None:
    texts = [
        {"accent": "a", "hypothesis": SAID},
        {"accent": "b", "hypothesis": "we counted eleven big ducks beside frozen pond"},
    ]
    words = [TaggedWord(f"u00{u}", tag, index, word) for u in (0, 1) for tag, index, word in
             (("number", 2, "Seven,"), ("noun", 3, ""), ("noun", None, "pond"), ("function", None, "the"))]  # fmt: skip
    table = tagged(texts, words)
    kinds = ("n_words", "hits", "substitutions", "deletions", "n_unplaced")
    rows = {
        tag: tuple(one(table, tag=tag, accent="b")[kind] for kind in kinds) for tag in ("number", "noun", "function")
    }
    assert rows == {"number": (1, 0, 1, 0, 0), "noun": (2, 2, 0, 0, 0), "function": (1, 0, 0, 1, 0)}
    assert one(table, tag="noun", accent=POOLED)["n_words"] == 4
    assert one(table, tag="number", accent=POOLED)["error_rate"] == 0.5
    assert "inserted word" in one(table, tag="noun", accent="a")["note"]


def test_a_tag_that_fits_no_word_is_counted_and_said() -> None:
    words = [
        TaggedWord("u000", "x", 99, ""),
        TaggedWord("u000", "x", 0, "they"),
        TaggedWord("u000", "x", None, "goose"),
        TaggedWord("u000", "x", 7, ""),
        TaggedWord("elsewhere", "x", 0, ""),
        TaggedWord("elsewhere", "y", 0, ""),
    ]
    table = tagged([{"hypothesis": SAID}], words)
    row = one(table, tag="x", accent=POOLED)
    assert (row["n_words"], row["n_unplaced"]) == (1, 3)
    assert "3 tag(s) fit no word" in row["note"]
    assert "1 tag(s) of the file are of utterances without a score" in row["note"]
    other = one(table, tag="y", accent=POOLED)
    assert (other["n_words"], other["support"]) == (0, "no_words")


def test_tags_follow_their_words_through_a_normalizer_that_changes_their_number() -> None:
    reference = "um I don't see twenty one ducks"
    words = [TaggedWord("u000", tag, index, "") for tag, index in
             (("filler", 0), ("verb", 2), ("number", 4), ("noun", 6))]  # fmt: skip
    normalizers = {"whisper_english": WhisperEnglish(NoSettings())}
    table = tagged([{"reference": reference, "hypothesis": "I don't see 21 geese"}], words, normalizers)
    found = {tag: one(table, tag=tag, accent="a") for tag in ("filler", "verb", "number", "noun")}
    assert (found["verb"]["n_words"], found["verb"]["hits"]) == (2, 2)
    assert (found["noun"]["n_words"], found["noun"]["substitutions"]) == (1, 1)
    # "twenty one" is one word there, and a filler none: both are said, not guessed
    assert (found["number"]["n_unplaced"], found["filler"]["n_unplaced"]) == (1, 1)


def test_a_word_tagged_twice_alike_counts_once() -> None:
    words = [TaggedWord("u000", "noun", 3, ""), TaggedWord("u000", "noun", None, "ducks")]
    assert one(tagged([{"hypothesis": SAID}], words), accent="a")["n_words"] == 1


def test_real_transcripts_exceed_their_references_as_often_as_published(
    optional_corpus: Callable[[str], Path],
) -> None:
    """AfriSpeech, Whisper-large: 2 to 6% of utterances have a WER above 1 (statistics: 1); its loops are found."""
    manifest = optional_corpus("afrispeech_hypotheses")
    said = pd.read_csv(manifest, keep_default_na=False)
    texts = pd.read_csv(manifest.parent / "hypotheses.csv", keep_default_na=False)
    rows = said.merge(texts[texts["system"] == "whisper_large"], on="utterance_id")
    keep = ["utterance_id", "reference", "hypothesis", "accent", "speaker_id"]
    _, candidates, table = screened(tables.rows(rows[keep]))
    above = one(table, measure="wer_above_one", accent=POOLED)
    assert above["base"] == len(rows)
    assert 0.02 < above["ci_low"] < above["value"] < above["ci_high"] < 0.06
    fired = set(" ".join(candidates["criteria"]).split())
    assert {"mostly_inserted", "long_insertion", "long_hypothesis"} <= fired
    assert len(candidates) >= above["count"] / 2
