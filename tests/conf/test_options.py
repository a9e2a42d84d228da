"""Every option in conf/ composes, validates and builds, and is called what its file is called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf
from pydantic import BaseModel, ValidationError

from pipeline.config import build
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.manifest import ManifestSettings
from pipeline.corpora.probes import ProbeSettings
from pipeline.corpora.transcripts_only import TranscriptsOnlySettings
from pipeline.known_keys import meant

CONF = Path(__file__).resolve().parents[2] / "conf"
OPTIONS = [(file.parent.name, file.stem) for file in sorted(CONF.glob("*/*.yaml"))]
MULTIPLE = {"conditions", "normalizer"}
SHORTHANDS = {
    ("conditions", file.stem): content["defaults"]
    for file in sorted((CONF / "conditions").glob("*.yaml"))
    if list(content := yaml.safe_load(file.read_text())) == ["defaults"]
}


def _stated(name: str) -> dict[str, Any]:
    """Return what a corpus file states, with the files that it builds on."""
    content = yaml.safe_load((CONF / "corpus" / f"{name}.yaml").read_text())
    below = [item for item in content.pop("defaults", []) if isinstance(item, str) and item != "_self_"]
    below = [item.removesuffix("@_here_").replace("/", "../", 1) for item in below]
    merged = OmegaConf.to_container(OmegaConf.merge(*map(_stated, below), content))
    assert isinstance(merged, dict)
    return {str(key): value for key, value in merged.items()}


STATED = {file.stem: _stated(file.stem) for file in sorted((CONF / "corpus").glob("*.yaml"))}
DESCRIBED = {name: stated for name, stated in STATED.items() if stated["kind"] == "described"}
ROOTED = [name for name, stated in DESCRIBED.items() if stated["strategy"] != "hub"]
UNSTATED = [name for name, stated in DESCRIBED.items() if stated["label"]["provenance"] in ("inferred", "imputed")]
NEEDED = {
    ("corpus", "manifest"): ["corpus.path=x.csv"],
    ("corpus", "transcripts_only"): ["corpus.path=x.csv", "asr=transcripts"],
    **{
        ("corpus", name): ["corpus.root=/nowhere", *["corpus.allow_inferred_labels=true"][: name in UNSTATED]]
        for name in DESCRIBED
    },
    ("asr", "transcripts"): ["asr.path=x.csv"],
    ("asr", "endpoint"): ["asr.base_url=http://localhost:8000/v1"],
    ("asr", "command"): ['asr.command=[hear,"{manifest}","{output}"]'],
}


def test_there_are_options_in_every_group() -> None:
    assert {"corpus", "conditions", "asr", "normalizer", "stats", "card", "experiment"} <= {
        group for group, _ in OPTIONS
    }


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_the_option_composes_validates_and_builds(
    composed: Callable[..., dict[str, Any]], group: str, name: str
) -> None:
    chosen = f"[clean,{name}]" if group == "conditions" and name != "clean" else name
    chosen = f"[whisper_english,{name}]" if group == "normalizer" and name != "whisper_english" else chosen
    if group in MULTIPLE and "[" not in chosen:
        chosen = f"[{chosen}]"
    choice = f"{group}={chosen}"
    study = build(composed(choice, *NEEDED.get((group, name), [])))
    if group == "conditions":
        assert {condition.name for condition in study.conditions} == {"clean", *SHORTHANDS.get((group, name), [name])}
    if group == "normalizer":
        assert name in study.normalizers


def test_the_shorthands_are_these() -> None:
    assert {name for _, name in SHORTHANDS} == {"core", "all", "babble_ladder", "street_ladder"}


@pytest.mark.parametrize(
    ("group", "name"), [option for option in OPTIONS if option[0] in MULTIPLE and option not in SHORTHANDS]
)
def test_a_file_of_a_merged_group_holds_one_key_its_own_name(group: str, name: str) -> None:
    assert list(yaml.safe_load((CONF / group / f"{name}.yaml").read_text())) == [name]


def test_no_key_and_no_name_turns_into_a_boolean() -> None:
    def keys(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [*value, *(key for inner in value.values() for key in keys(inner))]
        return [key for inner in value for key in keys(inner)] if isinstance(value, list) else []

    for file in CONF.glob("**/*.yaml"):
        assert all(isinstance(key, str) for key in keys(yaml.safe_load(file.read_text()))), file


@pytest.mark.parametrize(
    ("name", "settings"),
    [("manifest", ManifestSettings), ("probes", ProbeSettings), ("transcripts_only", TranscriptsOnlySettings)],
)
def test_a_corpus_file_states_every_setting(name: str, settings: type[BaseModel]) -> None:
    stated = set(yaml.safe_load((CONF / "corpus" / f"{name}.yaml").read_text())) - {"kind", "defaults"}
    assert stated == set(settings.model_fields)


def test_a_key_of_another_choice_is_not_suggested_in_place_of_itself() -> None:
    assert meant(CONF, ["corpus", "audio_root"]) == " Another choice of corpus has it, this one has not."
    assert meant(CONF, ["corpus", "audio_rot"]) == " Did you mean 'corpus.audio_root'?"


@pytest.mark.parametrize("name", ROOTED)
def test_a_described_corpus_says_in_one_sentence_that_it_needs_a_root(name: str) -> None:
    allowed = {"allow_inferred_labels": True} if name in UNSTATED else {}
    stated = {key: value for key, value in STATED[name].items() if key != "kind"}
    with pytest.raises(ValidationError) as caught:
        DescribedSettings.model_validate(stated | allowed)
    assert [(one["loc"], one["msg"]) for one in caught.value.errors()] == [
        (("root",), "Value error, say where the corpus lies on this machine, for example corpus.root=/data/my_corpus")
    ]


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_described_corpus_states_what_a_reader_of_its_file_must_know(name: str) -> None:
    stated = STATED[name]
    assert {"root", "speaker", "label", "licence", "style", "description", "accents", "public"} <= set(stated)
    assert stated["root"] is None or name not in ROOTED


@pytest.mark.parametrize("name", UNSTATED)
def test_a_corpus_whose_labels_nobody_stated_is_refused_until_it_is_asked_for(name: str) -> None:
    stated = {key: value for key, value in STATED[name].items() if key != "kind"}
    with pytest.raises(ValidationError, match="allow_inferred_labels=true"):
        DescribedSettings.model_validate(stated | {"root": "/nowhere"})


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_messages_tell_to_set_is_a_key_of_every_described_corpus(name: str) -> None:
    told = {"allow_outside_root", "allow_inferred_labels", "on_bad_row", "vocabulary", "reference_accent", "public"}
    assert told <= set(STATED[name])


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_described_corpus_repeats_nothing_that_holds_for_all(name: str) -> None:
    own = yaml.safe_load((CONF / "corpus" / f"{name}.yaml").read_text())
    shared = yaml.safe_load((CONF / "described.yaml").read_text())
    explained = {"public", "on_bad_row"}  # where a comment says what it means for this corpus
    assert not {key for key in shared.keys() & own.keys() if shared[key] == own[key]} - explained
