"""The data of the page: what was counted, word by word; safe in a page, bounded, and the same for the same study."""

import gzip
import json
import random
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.page import island
from pipeline.card.page.outcomes import MOST_CHARACTERS, MOST_WORDS, outcome, shown_words
from pipeline.card.publication import Publication
from pipeline.card.said import Said
from pipeline.card.settings import CardSettings, PageSettings
from pipeline.card.view import look
from pipeline.stages.score import score
from pipeline.text.alignment import count_errors
from pipeline.text.normalizers import NoSettings, Verbatim, WhisperEnglish

Build = Callable[..., CardInput]
SMALL: dict[str, Any] = {"accents": {"north": 3, "south": 2}, "conditions": ("clean", "babble_10"), "per_speaker": 2}
NORMALIZERS = {"whisper_english": WhisperEnglish(NoSettings()), "verbatim": Verbatim(NoSettings())}
WORD = st.text(alphabet="abé'\u0661\u202e<&\x00", min_size=1, max_size=3)


def said(reference: str, hypothesis: str) -> Said:
    counts = count_errors(reference, hypothesis)
    return Said(reference, hypothesis, counts.substitutions, counts.deletions, counts.insertions, counts.hits)


def heard(source: CardInput, *texts: str, reference: str = "") -> CardInput:
    """Return the study with these hypotheses in turn, scored."""
    said_now = [texts[at % len(texts)] for at in range(len(source.transcripts))]
    transcripts = source.transcripts.assign(hypothesis=pd.Series(said_now, dtype="str"))
    utterances = source.utterances.assign(reference=reference) if reference else source.utterances
    utterances = utterances.astype({"reference": "str"})
    scores, _ = score(utterances, source.trials, transcripts, NORMALIZERS)
    return replace(source, transcripts=transcripts, utterances=utterances, scores=scores)


CONTENTS: dict[str, CardContent] = {}
"""Cards by their groups and conditions: the data of the page takes no more of a card."""


def made(source: CardInput) -> island.Island:
    seen = look(source)
    key = repr((seen.accents, seen.conditions))
    if key not in CONTENTS:
        CONTENTS[key] = build(source)
    return island.build(source, CONTENTS[key])


def unpacked(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    if "gzip_base64" in value:
        value = json.loads(gzip.decompress(b64decode(value["gzip_base64"])))
    return value


def replayed(reference: str, edits: list[list[Any]]) -> str:
    """Return the hypothesis that a reader puts together from a reference and its edits."""
    words, before, instead = reference.split(" ") if reference else [], {}, {}
    for at, *word in edits:
        if len(word) == 2:
            before.setdefault(at, []).append(word[0])
        else:
            instead[at] = word
    every = [before.get(at, []) + instead.get(at, words[at : at + 1]) for at in range(len(words) + 1)]
    return " ".join(word for part in every for word in part)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORD, min_size=1, max_size=8), st.lists(WORD, max_size=8))
def test_the_edits_make_the_hypothesis_of_the_reference_and_add_up_to_the_counts(
    reference: list[str], hypothesis: list[str]
) -> None:
    one = said(" ".join(reference), " ".join(hypothesis))
    found = outcome(one)
    assert isinstance(found, Mapping)
    edits = found["e"]
    assert replayed(shown_words(one.reference), edits) == shown_words(one.hypothesis)
    sizes = [len(edit) for edit in edits]
    assert (sizes.count(2), sizes.count(1), sizes.count(3)) == one.counts[:3]
    assert len(shown_words(one.reference).split(" ")) == one.counts[3]


def test_what_was_counted_otherwise_or_is_too_long_is_shown_by_its_counts() -> None:
    assert outcome(Said("a b", "a c", 0, 1, 1, 1)) == (0, 1, 1, 2)
    assert outcome(said("a b", "a")) == {"e": [[1]]}
    assert outcome(said("a", "a " * (MOST_WORDS + 1))) == (0, 0, MOST_WORDS, 1)
    assert outcome(said("a " * (MOST_WORDS + 1), "")) == (0, MOST_WORDS + 1, 0, MOST_WORDS + 1)
    assert shown_words("a " * (MOST_WORDS + 1)).endswith(" … (cut, 301 words)")


def test_a_study_is_told_trial_by_trial_in_the_order_of_the_card(study: Build) -> None:
    source = heard(study(**SMALL), "what was said", "what said now", reference="What was said")
    source = replace(source, clips={("north-00-0", "babble_10"): "audio/0123456789abcdef.flac"})
    value = made(source).value
    assert json.loads(made(source).json()) == json.loads(json.dumps(value))
    assert (value["version"], value["main"], value["normalizers"]) == (1, 0, ["whisper_english", "verbatim"])
    assert (value["accents"], value["conditions"]) == (["north", "south"], ["clean", "babble_10"])
    assert (value["reference_condition"], value["n_trials"], value["n_shown"], value["notes"]) == (0, 20, 20, [])
    assert value["speakers"] == ["north-00", "north-01", "north-02", "south-00", "south-01"]
    assert value["utterances"][0] == ["north-00-0", 0, 0, 2.0, ["what was said", "what was said"]]
    assert value["utterances"][-1][:3] == ["south-01-1", 1, 4]
    right, wrong = {"e": []}, {"e": [[1, "said"], [2, "now"]]}
    assert value["trials"][0] == [0, 0, [right, right], 0]
    assert value["trials"][1] == [0, 1, [wrong, wrong], "audio/0123456789abcdef.flac"]


def test_the_order_of_rows_decides_nothing(study: Build) -> None:
    source = heard(study(**SMALL), "what was said", "what", "", "what was heard now")
    shuffled = replace(
        source,
        scores=source.scores.sample(frac=1, random_state=1).reset_index(drop=True),
        utterances=source.utterances.sample(frac=1, random_state=2).reset_index(drop=True),
        trials=source.trials.sample(frac=1, random_state=3).reset_index(drop=True),
    )
    assert made(source).json() == made(shuffled).json()


def test_no_single_trial_is_told_under_a_floor_and_no_word_where_texts_are_withheld(study: Build) -> None:
    source = heard(study(**SMALL, redistribute_text=False), "secret words")
    value = made(source).value
    assert "secret" not in json.dumps(value)
    assert value["texts"] is False
    assert value["utterances"][0] == ["north-00-0", 0, 0, 2.0, []]
    assert value["trials"][0] == [0, 0, [(2, 1, 0, 3), (2, 1, 0, 3)], 0]
    assert "Texts are withheld" in value["notes"][0]
    under = replace(heard(study(**SMALL), "secret words"), publication=Publication(floor=5))
    value = made(under).value
    assert (value["utterances"], value["trials"], value["speakers"], value["n_shown"]) == ([], [], [], 0)
    assert any("Single utterances are not published" in note for note in value["notes"])


HOSTILE = [
    "</script><script>alert(1)</script>",
    "a\x00b \u202egnp.exe",
    "a\u2028b 'x' &amp; \ufffe",
    "x" * 100_000,
    "w " * 50_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "unseen", "separator", "word", "words"])
def test_hostile_text_is_visible_cut_and_safe_in_a_page(study: Build, text: str) -> None:
    source = study(**SMALL, utterance_prefix=text[:200])
    source = replace(
        source,
        scores=source.scores.assign(
            normalized_reference="a b", normalized_hypothesis=f"a {text}", hits=1, substitutions=1, deletions=0,
            insertions=len(f"a {text}".split()) - 2,
        ).astype({"normalized_reference": "str", "normalized_hypothesis": "object"}),
    )  # fmt: skip
    one = made(source)
    assert one.json().isascii()
    assert not set(one.json()) & set("<>&'\x00\u2028\n")
    assert len(one.json()) < 60_000
    for _, _, outcomes, _ in unpacked(one.json())["trials"]:
        for edit in outcomes[0]["e"] if isinstance(outcomes[0], dict) else ():
            assert " " not in edit[1]
            assert len(edit[1]) <= 8 * MOST_CHARACTERS


def test_what_does_not_fit_leaves_whole_utterances_of_every_cell_the_worst_among_them(study: Build) -> None:
    letters = random.Random(7)
    texts = ["".join(letters.choices("abcdefghij ", k=60)) for _ in range(397)]
    whole = heard(study(accents={"north": 20, "south": 20, "few": 1}, conditions=("clean", "babble_10", "hum")), *texts)
    sizes = []
    for limit in (40_000, 15_000):
        source = replace(whole, settings=CardSettings(page=PageSettings(max_bytes=limit)))
        one = made(source)
        sizes.append({name for name, *_ in one.value["utterances"]})
        assert len(one.json()) <= limit
        assert 0 < one.value["n_shown"] < one.value["n_trials"] == 369
        assert one.value["n_shown"] == 3 * len(sizes[-1])
        assert one.value["notes"][0].startswith(f"{one.value['n_shown']} of 369 renderings are here:")
        errors = whole.scores[whole.scores["normalizer"] == "whisper_english"].assign(
            errors=lambda table: table["substitutions"] + table["deletions"] + table["insertions"]
        )
        for _, cell in errors.groupby(["accent", "condition"]):
            assert set(cell.loc[cell["errors"] == cell["errors"].max(), "utterance_id"]) & sizes[-1]
    assert sizes[1] < sizes[0]
    nothing = made(replace(whole, settings=CardSettings(page=PageSettings(max_bytes=0))))
    assert (nothing.value["n_shown"], nothing.value["trials"]) == (0, [])


def test_a_large_value_is_packed_and_the_same_every_time(study: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    source = heard(study(**SMALL), "what was said", "what", "")
    plain = made(source)
    monkeypatch.setattr(island, "PLAIN_BYTES", 1000)
    packed = made(source)
    assert set(json.loads(packed.json())) == {"version", "gzip_base64"}
    assert packed.json() == made(source).json()
    assert unpacked(packed.json()) == json.loads(plain.json())
    assert len(packed.json()) < len(plain.json())
