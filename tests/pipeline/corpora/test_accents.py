"""The accent vocabulary: looked up, never guessed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipeline.corpora import shipped
from pipeline.corpora.accents import Vocabulary, fold, vocabulary
from pipeline.corpora.probe_data import features
from pipeline.errors import ManifestError, MissingPrerequisite

SHIPPED = Path(__file__).resolve().parents[3] / "data_manifests" / "accents.yaml"


def entry(id: str, parent: str | None = None) -> dict[str, Any]:
    return {"id": id, "name": id.title(), "parent": parent}


def made(*entries: dict[str, Any], own: tuple[str, ...] = (), **labels: dict[Any, str]) -> Vocabulary:
    return Vocabulary.model_validate({"accents": entries, "labels": labels, "own": own})


def test_every_scalar_of_the_shipped_file_is_text_or_null() -> None:
    def scalars(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [x for pair in value.items() for each in pair for x in scalars(each)]
        return [x for each in value for x in scalars(each)] if isinstance(value, list) else [value]

    assert {type(value) for value in scalars(yaml.safe_load(SHIPPED.read_text()))} <= {str, type(None)}


@pytest.mark.parametrize(
    ("corpus", "label", "accent"),
    [
        ("timit", "US: New England", "us_new_england"),
        ("timit", "dr7", "us_western"),
        ("speech_accent_archive", "english (usa)", "us_general"),
        ("speech_accent_archive", "english (jamaica)", "jamaican"),
        ("fsdd", "BEL/French", "french_belgium"),
        ("speechocean762", "non-native (Mandarin)", "mandarin"),
        ("artie", "scotland", "scottish"),
        ("artie", "indian", "indian"),
        ("afrispeech", "isizulu", "african_zulu"),
        ("afrispeech", "zulu", "african_zulu"),
    ],
)
def test_labels_of_known_corpora_are_mapped(corpus: str, label: str, accent: str) -> None:
    assert vocabulary().lookup(corpus)[fold(label)] == {accent}
    assert vocabulary().lookup()[fold(label)] == {accent}


def test_every_id_is_a_label_of_itself_in_every_corpus() -> None:
    for accent in vocabulary().accents:
        assert vocabulary().lookup()[accent.id] == {accent.id}
        assert vocabulary().lookup("timit")[accent.id] == {accent.id}


def test_every_pronunciation_feature_is_in_the_vocabulary_under_its_own_name() -> None:
    known = {accent.id: accent for accent in vocabulary().accents}
    for feature in features().features:
        assert known[feature.id].name == feature.name
        assert known[feature.id].parent == "pronunciation_feature"


def test_groups_roll_up_to_wider_ones() -> None:
    parents = {accent.id: accent.parent for accent in vocabulary().accents}
    assert parents["scottish"] == "british_isles"
    assert parents["british_isles"] == "english_native"
    assert parents["us_southern"] == parents["us_general"] == "united_states"


def test_case_and_white_space_do_not_matter() -> None:
    assert fold("  US:  New\tEngland ") == fold("us: new england")


def test_a_label_that_two_corpora_use_differently_is_ambiguous_without_a_corpus() -> None:
    words = made(
        entry("georgian"),
        entry("us_georgia"),
        entry("caucasus"),
        a={"georgia": "us_georgia"},
        b={"Georgia": "caucasus"},
    )
    assert words.lookup()["georgia"] == {"us_georgia", "caucasus"}
    assert words.lookup("b")["georgia"] == {"caucasus"}


@pytest.mark.parametrize(
    ("entries", "labels", "message"),
    [
        ([entry("a"), entry("a")], {}, "twice"),
        ([entry("all")], {}, "ALL"),
        ([entry("a", parent="z")], {}, "unknown parent"),
        ([entry("a", parent="b"), entry("b", parent="a")], {}, "ancestors"),
        ([entry("a"), entry("b")], {"x": "a", "X ": "b"}, "means a and b"),
        ([entry("a"), entry("b")], {"a": "b"}, "means a and b"),
        ([entry("a")], {"x": "z"}, "unknown accent 'z'"),
        ([entry("No Spaces")], {}, "pattern"),
        ([entry("a")], {False: "a"}, "string"),
    ],
)
def test_an_inconsistent_vocabulary_is_refused(
    entries: list[dict[str, Any]], labels: dict[Any, str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        made(*entries, c=labels)


def test_missing_broken_and_wrong_shipped_files_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "DATA_MANIFESTS", tmp_path)
    with pytest.raises(MissingPrerequisite, match="pip install -e"):
        shipped.read_shipped("accents.yaml", Vocabulary)
    (tmp_path / "accents.yaml").write_text("accents: [")
    with pytest.raises(ManifestError, match="not valid YAML"):
        shipped.read_shipped("accents.yaml", Vocabulary)
    (tmp_path / "accents.yaml").write_text('labels: {c: {"x": "a", "y": "b", "x": "b"}}')
    with pytest.raises(ManifestError, match="'x' occurs twice"):
        shipped.read_shipped("accents.yaml", Vocabulary)
    (tmp_path / "accents.yaml").write_text("accents: [{id: no}]")
    with pytest.raises(ManifestError, match="every label is quoted"):
        shipped.read_shipped("accents.yaml", Vocabulary)


def test_a_label_of_one_corpus_only_means_nothing_where_the_corpus_is_not_named() -> None:
    words = made(
        entry("us_southern"), entry("england_southern"), own=("Southern",), uk={"southern": "england_southern"}
    )
    assert words.lookup("uk")["southern"] == {"england_southern"}
    assert words.lookup()["southern"] == set()
    assert vocabulary().lookup()["southern"] == set()
    with pytest.raises(ValidationError, match="own: 'northern' is no corpus's label"):
        made(entry("a"), own=("northern",), uk={"southern": "a"})


def test_a_country_is_not_taken_for_a_language() -> None:
    languages = vocabulary().below(["english_l2"])
    assert not languages & {"egyptian", "israeli", "latin_american", "eastern_european", "nigerian", "indonesian"}
