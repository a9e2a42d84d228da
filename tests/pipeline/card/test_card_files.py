"""What other programs read of a card: its JSON Schema, and the model index that a model hub reads."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

import pipeline.card
from pipeline.card import model_index, render, schema
from pipeline.card.content import CardInput, build
from pipeline.card.gate_settings import GateSettings
from pipeline.card.publication import HiddenCell, Publication

Build = Callable[..., CardInput]
SMALL: dict[str, Any] = {"accents": {"baseline": 12, "other": 6}, "conditions": ("clean", "babble_10")}


def numbers_in(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every number of a card, by where it stands."""
    if isinstance(value, dict):
        if "key" in value and "method" in value:
            yield path, value
        for name, inner in value.items():
            yield from numbers_in(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_in(inner, path)


@pytest.fixture(scope="module")
def cards() -> dict[str, dict[str, Any]]:
    return {}


@pytest.fixture
def card(study: Build, cards: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a small card with gates, as it is written; built once in this module."""
    if "small" in cards:
        return cards["small"]
    source = replace(study(**SMALL), gate=GateSettings(max_gap=0.2, min_f1=0.5))
    return cards.setdefault("small", json.loads(render.json_text(build(source))))


def test_the_published_schema_is_that_of_the_models() -> None:
    file = Path(pipeline.card.__file__).with_name(schema.FILE)
    assert file.read_text() == schema.text(), "run: python -m pipeline.card.schema > pipeline/card/card.schema.json"


def test_a_card_keeps_to_the_schema_and_a_changed_one_does_not(card: dict[str, Any], study: Build) -> None:
    published = schema.schema()
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    validator.validate(card)
    validator.validate(json.loads(render.json_text(build(study(**SMALL, scored=False)))))
    assert published["$id"] == schema.FILE
    for wrong in ({"unknown": 1}, {"gates": [{}]}, {"numbers": card["numbers"] | {"cells": [{"wer": "12%"}]}}):
        assert not validator.is_valid(card | wrong)


def test_every_number_has_a_key_and_says_how_it_was_measured(card: dict[str, Any]) -> None:
    found = list(numbers_in(card))
    assert len(found) > 100
    assert {path for path, number in found if not number["method"]} == set()
    assert {tuple(number["key"]) for _, number in found} == {("accent", "condition", "backend", "normalizer")}


def test_every_rate_of_words_stands_beside_the_words_and_speakers_that_it_rests_on(card: dict[str, Any]) -> None:
    rates = {"wer", "f1", "wer_reference", "median_wer", "highest_wer", "gap", "difference", "extra_points"}
    found = [(path, number) for path, number in numbers_in(card["numbers"]) if rates & set(number)]
    assert {path for path, _ in found} >= {".cells", ".rates", ".standings", ".interactions", ".degradation", ".floors"}
    bare = {path for path, number in found if "n_ref_words" not in number or "n_speakers" not in number}
    assert bare == {".worst_utterances"}  # each is one utterance of one speaker
    for path, number in found:
        if path == ".cells":
            assert number["hits"] + number["substitutions"] + number["deletions"] == number["n_ref_words"]


def read_back(text: str) -> list[Any]:
    index = yaml.safe_load(text)["model-index"]
    name, results = model_index_to_eval_results(index)
    assert eval_results_to_model_index(name, results) == index  # the library writes what we wrote
    return list(results)


def test_the_model_index_is_read_as_one_result_for_each_group_and_condition(study: Build) -> None:
    source = study(**SMALL, synthetic=True)
    content = build(source)
    results = read_back(model_index.yaml_text(content, source.record.corpus))
    wers = [one for one in results if one.metric_type == "wer"]
    assert len(wers) == (2 + 1) * 2  # the pool of all groups too
    (baseline,) = [
        one for one in wers if (one.dataset_args["accent"], one.dataset_args["condition"]) == ("baseline", "clean")
    ]
    assert baseline.task_type == "automatic-speech-recognition"
    assert baseline.metric_value == pytest.approx(66 / 360)
    assert baseline.metric_args["n_speakers"] == 12
    assert baseline.metric_args["n_ref_words"] == 360
    assert baseline.metric_args["ci_low"] < baseline.metric_value < baseline.metric_args["ci_high"]
    assert baseline.verified is False
    assert baseline.dataset_name == "probes"
    args = {"normalizer": "whisper_english", "synthetic": True, "licence": "Apache-2.0"}
    assert baseline.dataset_args == {"accent": "baseline", "condition": "clean"} | args
    (f1,) = [one for one in results if one.dataset_args == baseline.dataset_args and one.metric_type == "f1"]
    assert f1.metric_value == pytest.approx(612 / 732)


def test_labels_stay_texts_in_the_model_index_whatever_they_look_like(study: Build) -> None:
    labels = ("null", "NA", "no", "1e3", "=1+1", "a: b # c", "\x1b[31m\u202e", "line\nbreak")
    content = build(study(accents=dict.fromkeys(labels, 1), conditions=("clean",), per_speaker=1))
    results = read_back(model_index.yaml_text(content, None))
    accents = {one.dataset_args["accent"] for one in results}
    assert accents >= {"null", "NA", "no", "1e3", "=1+1", "a: b # c", "(U+001B)[31m(U+202E)", "line break"}
    assert {one.dataset_name for one in results} == {"not recorded"}


def test_the_model_index_holds_nothing_of_what_has_no_number_or_is_suppressed(study: Build) -> None:
    nothing = study(**SMALL, scored=False)
    index = yaml.safe_load(model_index.yaml_text(build(nothing), nothing.record.corpus))["model-index"]
    assert index[0]["results"] == []
    hidden = (HiddenCell(accent="secret", condition="clean", merged_into=""),)
    source = replace(
        study(**SMALL),
        publication=Publication(floor=10, words=0, rounded=True, cells=hidden),
    )
    text = model_index.yaml_text(build(source), source.record.corpus)
    assert "secret" not in text
    values = {one.metric_value for one in read_back(text)}
    assert values == {round(value, 3) for value in values}
