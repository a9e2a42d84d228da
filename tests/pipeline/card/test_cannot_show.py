"""What the card says that the data cannot show, how the recognizer is named, and the commands to test oneself."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.card.closing import OWN_NOISE
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Command, Facts, Heading, Listing
from pipeline.card.recognizer_facts import recognizer_facts
from pipeline.config import build as build_study

Build = Callable[..., CardInput]
Card = Callable[..., CardContent]


def cannot(content: CardContent) -> list[str]:
    blocks = next(part for part in content.sections if part.slug == "intended-use").blocks
    at = blocks.index(Heading(text="What these data cannot show"))
    listing = blocks[at + 1]
    assert isinstance(listing, Listing)
    return [item.text for item in listing.items]


def test_a_study_of_people_says_that_they_are_no_sample_and_that_noise_was_added(card: Card) -> None:
    texts = cannot(card())
    assert any("nothing says that they were drawn from all who speak so" in text for text in texts)
    assert any("the speech is read" in text for text in texts)
    assert any("babble_10 add sound to speech that was recorded without it" in text for text in texts)
    assert any("with 1 to 12 speakers a group, what is not shown may well be there" in text for text in texts)
    assert texts[-1].startswith("What an error costs")


def test_synthetic_speech_and_unknown_speakers_change_what_is_said(card: Card) -> None:
    texts = " ".join(cannot(card(synthetic=True)))
    assert "Anything about people: the speech is synthetic" in texts
    assert "drawn from" not in texts
    unknown = " ".join(cannot(card(speakers_known=False)))
    assert "the corpus names none" in unknown
    assert "speakers a group" not in unknown


def test_labels_of_hostile_conditions_show_there_as_themselves(card: Card) -> None:
    texts = " ".join(cannot(card(conditions=["clean", "<b>\u202e"])))
    assert "<b>(U+202E) add sound" in texts


def test_a_recognizer_is_told_in_five_lines_without_escapes_and_without_folders() -> None:
    fingerprint = {
        "decoding.punctuation": json.dumps('"。,'), "decoding.beam_size": "5",
        "decoding.vad": '{"path": "/home/me/vad"}',
        "sha256.model.bin": "ab", "version.engine": "1.2", "kind": "engine", "weights": "/home/me/model.bin",
    }  # fmt: skip
    facts = {fact.label: fact.value for fact in recognizer_facts(fingerprint)}
    assert facts == {
        "Recognizer": "kind engine, weights model.bin",
        "Weights and other files (SHA-256)": "model.bin ab",
        "Versions of the recognizer": "engine 1.2",
        "Decoding options": 'beam_size 5, punctuation "\\"。,", vad {"path": "vad"}',
    }
    assert facts == {fact.label: fact.value for fact in recognizer_facts(dict(reversed(fingerprint.items())))}


def test_every_option_of_a_recognizer_stands_on_the_card(study: Build) -> None:
    source = study()
    assert source.record.backend is not None
    backend = source.record.backend.model_copy(update={"fingerprint": {f"decoding.o{n}": "7" for n in range(80)}})
    content = build(replace(source, record=source.record.model_copy(update={"backend": backend})))
    header = content.sections[0].blocks[0]
    assert isinstance(header, Facts)
    options = next(fact.value for fact in header.facts if fact.label == "Decoding options")
    assert re.findall(r"o(\d+) 7", options) == [str(n) for n in sorted(range(80), key=lambda n: f"o{n}")]


@pytest.mark.parametrize("at", [0, 1])
def test_the_commands_to_test_ones_own_content_make_a_study(
    card: Card, composed: Callable[..., dict[str, Any]], at: int
) -> None:
    blocks = next(part for part in card().sections if part.slug == "own-content").blocks
    command = [block.text for block in blocks if isinstance(block, Command)][at]
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "pipeline"]
    plain = composed(*words[3:])
    assert build_study(plain).card.locale
    assert plain["run_name"] in ("my_recordings", "my_noise")
    assert ("my_noise" in plain["conditions"]) == (command == OWN_NOISE)
    assert set(plain["conditions"]) > {"my_noise"} or at == 0
