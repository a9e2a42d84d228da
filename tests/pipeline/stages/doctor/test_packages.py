"""Versions against what this project and other packages declare."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import needs, packages, requirements

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Made = Callable[..., Study]


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def test_the_packages_of_this_environment_fit() -> None:
    assert {check.verdict for check in (*packages.python(), *packages.core())} == {OK}


def test_a_python_out_of_range_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.10.9")
    check = one(packages.python())
    assert check.verdict is FAIL
    assert "3.10.9" in check.found


@pytest.mark.parametrize(("version", "said"), [("2.2.0", "pandas 2.2.0 is installed"), (None, "pandas is not")])
def test_a_core_package_that_does_not_fit_fails_with_the_command_that_mends_it(
    installed: Callable[..., None], version: str | None, said: str
) -> None:
    installed(pandas=version)
    bad = {check.name: check for check in packages.core()}["package pandas"]
    assert bad.verdict is FAIL
    assert said in bad.found
    assert "pip install 'pandas" in bad.advice


def test_a_missing_extra_is_a_note_until_the_study_needs_it(installed: Callable[..., None], study: Made) -> None:
    installed(faster_whisper=None)
    without = {check.name: check for check in packages.extras(needs.packages(study("asr=scripted")))}
    wanted = {check.name: check for check in packages.extras(needs.packages(study("asr=faster_whisper")))}
    assert without["extra quickstart"].verdict is NOTE
    assert wanted["extra quickstart"].verdict is FAIL
    assert "asr.kind=faster_whisper" in wanted["extra quickstart"].found
    assert "pip install -e '.[quickstart]'" in wanted["extra quickstart"].advice


def test_an_optional_package_in_another_version_is_told(installed: Callable[..., None]) -> None:
    installed(openai_whisper="20240930")
    check = {check.name: check for check in packages.extras({})}["extra gpu"]
    assert check.verdict is NOTE
    assert "openai-whisper 20240930 is installed, the range is ==20250625" in check.found


def test_what_a_study_needs_follows_from_its_choices(study: Made) -> None:
    plain = needs.packages(study("asr=scripted", "corpus=manifest", "corpus.path=x.csv", "conditions=[clean]"))
    assert plain == {}
    coded = study("asr=scripted", "conditions=[clean,landline_g711,gsm_fr,mobile_amr122]", "render.device=cpu")
    assert needs.packages(coded) == {
        "hibari-tts": "corpus.kind=probes",
        "torch": "render.device=cpu",
        "av": "the condition mobile_amr122",
    }
    assert needs.codecs(coded) == {"g711": "landline_g711", "gsm_fr": "gsm_fr", "amr_nb": "mobile_amr122"}


def test_requirements_that_contradict_each_other_are_found_all_the_way_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, version, wants in (
        ("zzz-top", "1.0", ["zzz-middle>=1", "zzz-absent; extra == 'never'", "not a ! requirement"]),
        ("zzz-middle", "1.5", ["zzz-low>=2", "zzz-gone", "zzz-top"]),
        ("zzz-low", "1.9", []),
    ):
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {x}" for x in wants)]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert requirements.conflicts(["zzz-top", "zzz-nowhere"]) == [
        "zzz-middle needs zzz-gone, and zzz-gone is not",
        "zzz-middle needs zzz-low>=2, and zzz-low 1.9 is installed",
    ]
    monkeypatch.setattr(requirements, "core", lambda: [])
    assert one(packages.consistency({"zzz-low": "x"})).verdict is OK
    assert next(packages.consistency({"zzz-top": "x"})).verdict is FAIL


def test_a_source_tree_that_was_upgraded_and_not_installed_again_is_noticed(tmp_path: Path) -> None:
    text = packages.PROJECT.read_text()
    file = tmp_path / "pyproject.toml"
    file.write_text(text)
    assert one(packages.project(file)).verdict is OK
    file.write_text(
        text.replace('[project.entry-points."pipeline.asr"]', '[project.entry-points."pipeline.asr"]\nx = "y:Z"')
    )
    lost = one(packages.project(file))
    assert lost.verdict is FAIL
    assert "pipeline.asr: x" in lost.found
    assert "pip install -e" in lost.advice
    file.write_text(text.replace('"rich>=13"', '"rich>=12"'))
    assert one(packages.project(file)).verdict is NOTE
    assert one(packages.project(tmp_path / "absent.toml")).verdict is OK
