"""Section 10: which words are taken for others, of whom, and whether confidence tells errors."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.card import render
from pipeline.card.confidence import confidence
from pipeline.card.confusions import confusions
from pipeline.card.content import CardInput, build
from pipeline.card.model import Facts
from pipeline.card.publication import Publication
from pipeline.card.view import look
from pipeline.stages.score import score
from pipeline.tables import POOLED
from pipeline.text.normalizers import NoSettings, WhisperEnglish

Build = Callable[..., CardInput]
REFERENCE = "three thin ships sank there"
FLOOR = Publication(floor=5)


@pytest.fixture
def spoken(study: Build) -> Callable[..., CardInput]:
    """Return a study of one utterance a speaker, clean, in which each speaker of a group was heard as told."""

    def make(heard: dict[str, Sequence[str]], sure: Sequence[float | None] = (None,), **changes: object) -> CardInput:
        accents = {accent: len(texts) for accent, texts in heard.items()}
        source = study(accents=accents, per_speaker=1, conditions=("clean",), reference=REFERENCE, **changes)
        texts = [text for told in heard.values() for text in told]
        logprobs = [sure[at % len(sure)] for at in range(len(texts))]
        transcripts = source.transcripts.assign(
            hypothesis=pd.Series(texts, dtype="str"), avg_logprob=pd.Series(logprobs, dtype="float64")
        )
        normalizers = {"whisper_english": WhisperEnglish(NoSettings())}
        scores, _ = score(source.utterances, source.trials, transcripts, normalizers)
        return replace(source, transcripts=transcripts, scores=scores)

    return make


TREE = "tree thin ships sank there"


def told(source: CardInput) -> list[tuple[object, ...]]:
    found = confusions(look(source))
    return [(one.key.accent, one.kind, one.reference_word, one.heard_word, one.n_words, one.n_said_words,
             one.n_speakers) for one in found]  # fmt: skip


def test_confusions_are_counted_by_group_with_how_often_the_word_was_said_and_of_whom(
    spoken: Callable[..., CardInput],
) -> None:
    north = [TREE, TREE, TREE, "3 thin ships sank", "3 thin ships sank", "3 tin ships sank there"]
    south = ["3 thin ships sank right there", "3 thin ships sank right there", REFERENCE]
    assert told(spoken({"north": north, "south": south})) == [
        ("north", "replaced", "3", "tree", 3, 6, 3),
        ("north", "left_out", "there", "", 2, 6, 2),
        ("south", "inserted", "", "right", 2, None, 2),
    ]


def test_a_word_of_more_speakers_comes_before_one_said_more_often_by_fewer(spoken: Callable[..., CardInput]) -> None:
    source = spoken(
        {"north": [TREE, TREE, "3 tin ships sank there", "3 tin ships sank there", "3 tin ships sank there"]}
    )
    assert [one[3] for one in told(source)] == ["tin", "tree"]
    one_speaker = source.scores.assign(speaker_id=pd.Series(["a", "b", "c", "c", "c"], dtype="str"))
    assert [one[3] for one in told(replace(source, scores=one_speaker))] == ["tree", "tin"]


def test_under_a_floor_only_what_was_heard_of_enough_speakers_is_told(spoken: Callable[..., CardInput]) -> None:
    north = [*[TREE] * 5, *["3 thin chips sank there"] * 4]
    assert len(told(spoken({"north": north}))) == 2
    assert told(replace(spoken({"north": north}), publication=FLOOR)) == [
        ("north", "replaced", "3", "tree", 5, None, 5)
    ]


def test_no_word_is_told_where_texts_are_withheld(spoken: Callable[..., CardInput]) -> None:
    source = spoken({"north": [TREE] * 3}, redistribute_text=False)
    assert confusions(look(source)) == []
    facts = [block for block in build(source).sections[9].blocks if isinstance(block, Facts)]
    assert [(one.label, one.value) for one in facts[0].facts] == [
        ("Most frequent confusions by group", "withheld"),
        ("Confidence against error", "not evaluated"),
    ]


def test_the_card_prints_both_with_speakers_and_words(spoken: Callable[..., CardInput]) -> None:
    source = spoken({"north": [TREE, TREE, REFERENCE, REFERENCE]}, sure=[-3.0, -2.0, -1.0, -0.5])
    text = render.markdown(build(source))
    assert "“3” as “tree”: 2 of 4 words, 2 speakers" in text
    assert "in 100.0% of pairs<br>2 wrong of 4<br>4 speakers, 20 words" in text
    assert "WER 20.0%<br>5 words" in text


def test_confidence_is_the_share_of_pairs_in_which_the_wrong_trial_is_less_sure(
    spoken: Callable[..., CardInput],
) -> None:
    north = [TREE, TREE, REFERENCE, REFERENCE, REFERENCE, REFERENCE, REFERENCE, REFERENCE]
    found = confidence(look(spoken({"north": north}, sure=[-3.0, -1.0, -2.0, -1.0, -0.5, -0.4, -0.3, -0.2])))
    assert [one.key.accent for one in found] == ["north", POOLED]
    one = found[0]
    # -3 is below all six right ones; -1 is above -2, ties with -1 and is below four
    assert one.auc == pytest.approx((6 + 0 + 0.5 + 4) / 12)
    assert (one.n_trials, one.n_wrong, one.n_ref_words, one.n_speakers) == (8, 2, 40, 8)
    assert (one.wer_least_sure, one.wer_most_sure) == (pytest.approx(1 / 10), 0.0)


def test_confidence_is_not_evaluated_without_log_probabilities_or_without_both_kinds_of_trials(
    spoken: Callable[..., CardInput],
) -> None:
    assert confidence(look(spoken({"north": [TREE] * 8}))) == []
    assert confidence(look(spoken({"north": [TREE] * 8}, sure=[-1.0, -2.0])))[0].auc is None


def test_under_a_floor_confidence_tells_nothing_of_a_few_speakers(spoken: Callable[..., CardInput]) -> None:
    heard = {"north": [TREE] * 6 + [REFERENCE] * 6, "south": [TREE] * 6 + [REFERENCE] * 6}
    complete = replace(spoken(heard, sure=[-1.0, -2.0]), publication=FLOOR)
    found = confidence(look(complete))
    assert [one.key.accent for one in found] == ["north", "south", POOLED]
    assert [one.wer_least_sure for one in found] == [None, None, pytest.approx(0.2 / 2)]  # three speakers, and six
    partial = complete.transcripts.assign(avg_logprob=complete.transcripts["avg_logprob"].where(lambda s: s.index != 0))
    assert [one.key.accent for one in confidence(look(replace(complete, transcripts=partial)))] == ["south"]
