"""The whole of the doctor: every check is a line, whatever it meets, and nothing is changed."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import imports
from pipeline.stages.doctor.examination import doctor, guarded
from pipeline.stages.doctor.imports import Heavy

OK, FAIL = Verdict.OK, Verdict.FAIL
Fake = Callable[[str, str], None]
Made = Callable[..., Study]


def test_a_check_that_breaks_is_a_failing_line_and_keeps_what_was_found_before() -> None:
    def look() -> Iterator[Check]:
        yield Check("first", OK, "fine")
        raise KeyError("lost")

    first, broken = guarded("second", look)
    assert first.name == "first"
    assert (broken.name, broken.verdict) == ("second", FAIL)
    assert "KeyError: 'lost'" in broken.found
    assert broken.advice


def test_a_study_of_this_machine_is_looked_at_whole_and_nothing_is_changed(
    study: Made, make_corpus: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "HEAVY", (Heavy("soundfile", "soundfile"),))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    manifest = make_corpus()
    before = sorted(tmp_path.rglob("*"))
    chosen = study(
        "corpus=manifest", f"corpus.path={manifest}", "corpus.accents=as_given", f"results_dir={tmp_path / 'results'}",
        "asr=scripted", "conditions=[clean,landline_g711]",
    )  # fmt: skip
    diagnosis = doctor(chosen)
    assert [check for check in diagnosis.checks if check.verdict is FAIL] == []
    assert diagnosis.study == "corpus corpus, 2 conditions, asr scripted"
    names = [check.name for check in diagnosis.checks]
    for name in ("Python", "core packages", "results_dir", "accents", "recognizer", "conditions", "import soundfile"):
        assert names.count(name) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_every_missing_thing_of_a_study_is_told_at_once(
    study: Made, monkeypatch: pytest.MonkeyPatch, installed: Callable[..., None], fake: Fake
) -> None:
    monkeypatch.setattr(imports, "HEAVY", (Heavy("torchaudio", "torchaudio"),))
    installed(av=None, torchaudio="2.11.0")
    fake("torchaudio", "raise OSError('libc10.so')")
    fake("av", "raise ImportError('no av here')")
    chosen = study(
        "corpus=manifest", "corpus.path=nowhere.csv", "corpus.name=ours", "asr=transcripts", "asr.path=none.csv",
        "results_dir=/proc/x", "conditions=[clean,mobile_amr122]", "render.device=cuda",
    )  # fmt: skip
    diagnosis = doctor(chosen)
    failed = {check.name for check in diagnosis.checks if check.verdict is FAIL}
    assert failed == {
        "extra codecs", "results_dir", "corpus ours", "recognizer", "condition mobile_amr122", "codecs",
        "import torchaudio", "render.device=cuda",
    }  # fmt: skip
    assert diagnosis.n_failed == len(failed)


@pytest.mark.long
@pytest.mark.recognizer
def test_the_default_study_can_run_on_a_machine_with_everything(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ended = command("stages=[doctor]")
    assert (ended.returncode, "FAIL" in ended.stdout) == (0, False), ended.stdout
    assert ended.stdout.endswith("none failed.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_study_that_cannot_run_here_ends_with_exit_code_3_and_what_to_do(
    command: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = command("stages=[doctor]", "asr=transcripts", "asr.path=nowhere.csv", "conditions=[clean]")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "FAIL  recognizer" in ended.stdout
    assert "to do:" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
