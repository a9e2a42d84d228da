"""The configuration is data; every mistake in it is reported, together, before anything runs."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import build, over_stored
from pipeline.errors import ConfigError

Composed = Callable[..., dict[str, Any]]


def test_all_mistakes_are_reported_in_one_paragraph(composed: Composed) -> None:
    raw = composed("asr=scripted", "+stats.permutatoins=7", "+asr.sead=1", "seed=-3", "render.workers=-1")
    raw["conditions"]["babble_10"]["steps"][0]["kind"] = "add_nois"
    with pytest.raises(ConfigError) as caught:
        build(raw)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("stats.permutatoins", "Did you mean 'permutations'", "asr.sead", "seed", "render.workers", "add_nois"):
        assert part in message
    assert "Did you mean 'add_noise'" in message


@pytest.mark.parametrize(
    ("section", "value", "expected"),
    [
        ("run_name", "../elsewhere", "no folder name"),
        ("run_name", ".hidden", "no folder name"),
        ("stages", ["score", "plan_trials"], "neighbors in this order"),
        ("stages", ["load_utterances", "transcribe"], "neighbors in this order"),
        ("stages", ["listen", "describe"], "or one of these alone: listen, describe"),
        ("stages", ["load_utterances", "listen"], "or one of these alone: listen, describe"),
        ("stages", [], "stages"),
        ("listen", {"examples": 0}, "listen.examples"),
        ("listen", {"exampels": 4}, "Did you mean 'examples'"),
        ("listen", 4, "listen"),
        ("corpus", {"kind": "manifesto"}, "Did you mean 'manifest'"),
        ("corpus", {}, "corpus"),
        ("asr", None, "asr"),
        ("conditions", {}, "conditions"),
        ("conditions", {"clean": {"steps": "no"}}, "conditions.clean"),
        ("conditions", {"a/b": {}}, "'a/b' is no name"),
        ("normalizer", {"x": {"kind": "y"}}, "normalizer.x"),
        ("seed", "one", "seed"),
        ("seed", True, "seed"),
    ],
)
def test_a_wrong_value_is_named_where_it_stands(composed: Composed, section: str, value: Any, expected: str) -> None:
    raw = composed("asr=scripted")
    raw[section] = value
    with pytest.raises(ConfigError) as caught:
        build(raw)
    assert expected in str(caught.value)


def test_the_reference_condition_must_be_rendered(composed: Composed) -> None:
    with pytest.raises(ConfigError, match=r"stats\.reference_condition: 'clean' is not among the conditions"):
        build(composed("asr=scripted", "conditions=[babble_10,landline_g711]"))


@pytest.mark.parametrize("stage", ["listen", "describe"])
def test_a_command_that_compares_nothing_needs_no_reference_condition(composed: Composed, stage: str) -> None:
    study = build(composed("asr=scripted", "conditions=[babble_10]", f"stages=[{stage}]"))
    assert [condition.name for condition in study.conditions] == ["babble_10"]


def test_what_is_heard_or_told_of_a_study_is_no_part_of_its_identity(composed: Composed) -> None:
    one = build(composed("asr=scripted"))
    assert build(composed("asr=scripted", "listen.examples=9", "stages=[listen]")).sha256 == one.sha256


def test_a_file_from_a_stranger_calls_nothing(composed: Composed, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    raw = composed("asr=scripted")
    raw["corpus"] = {"_target_": "pathlib.Path.unlink", "self": str(victim), "kind": "os.system"}
    raw["asr"] = {"kind": "os.system", "command": f"rm {victim}"}
    raw["conditions"]["x"] = {"version": 1, "family": "noise", "description": "x", "sources": [], "steps": [
        {"_target_": "pathlib.Path.unlink", "_args_": [str(victim)]}, {"kind": "os.system"}]}  # fmt: skip
    raw["normalizer"]["x"] = {"kind": "builtins:eval"}
    with pytest.raises(ConfigError) as caught:
        build(raw)
    assert victim.read_text() == "precious"
    assert str(caught.value).count("os.system") >= 3


def test_the_hash_is_of_what_decides_a_number(composed: Composed) -> None:
    plain = build(composed("asr=scripted"))
    assert (
        build(composed("asr=scripted", "render.workers=7", "run_name=x", "cache_dir=/elsewhere")).sha256 == plain.sha256
    )
    for change in ("seed=1", "acoustics.slots=8", "asr.seed=1", "conditions=[clean]", "stats.min_speakers=7"):
        assert build(composed("asr=scripted", change)).sha256 != plain.sha256


def test_a_recomputation_takes_the_stored_sections_and_only_the_keys_that_are_changed() -> None:
    stored = {"corpus": {"kind": "manifest", "path": "theirs.csv"}, "stats": {"min_speakers": 5, "confidence": 0.9}}
    raw = {"corpus": {"kind": "probes"}, "stats": {"min_speakers": 3, "confidence": 0.95}, "run_name": "x"}
    merged = over_stored(raw, stored, {"run_name", "stats.min_speakers", "stats.nonesuch"})
    assert merged == {"corpus": stored["corpus"], "stats": {"min_speakers": 3, "confidence": 0.9}, "run_name": "x"}
    assert over_stored(raw, stored, {"stats"})["stats"] == raw["stats"]
    assert stored["stats"]["min_speakers"] == 5


def test_a_key_of_a_section_that_a_stored_run_did_not_have_yet_is_not_lost() -> None:
    stored = {"card": {"title": "theirs"}}
    raw = {"card": {"title": "plain", "page": {"max_bytes": 9, "clips_per_cell": 0}}}
    assert over_stored(raw, stored, {"card.page.clips_per_cell"})["card"] == {
        "title": "theirs",
        "page": raw["card"]["page"],
    }
    assert over_stored(raw, stored, {"card.nonesuch.key"})["card"] == stored["card"]


def test_another_distributions_step_brings_its_version_into_the_conditions_identity(
    composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = composed("asr=scripted", "conditions=[clean,landline_g711]")
    ours = {one.name: one.definition for one in build(raw).conditions}
    monkeypatch.setattr("pipeline.plugins.OURS", "somebody-else")
    theirs = {one.name: one.definition for one in build(raw).conditions}
    assert theirs["clean"] == ours["clean"]
    assert theirs["landline_g711"] == ours["landline_g711"] | {
        "outside_steps": {kind: f"asr-accent-study {version('asr-accent-study')}" for kind in ("codec", "handset")}
    }
