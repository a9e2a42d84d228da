"""A package that raises, hangs, crashes or talks becomes a line that says what to do."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.stages.doctor import imports
from pipeline.stages.doctor.children import Answer, Children
from pipeline.stages.doctor.imports import Heavy

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Fake = Callable[[str, str], None]


def imported(module: str, *, limit_s: float = 30.0) -> Check:
    with Children(limit_s) as children:
        answer = children.ask("import", {"module": module, "parts": []}).result()
    return imports.judge(Heavy(module, module), answer)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int, within_s: float = 5.0) -> bool:
    end_s = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < end_s:
        time.sleep(0.02)
    return not alive(pid)


def test_a_torchaudio_that_raises_an_oserror_is_told_with_the_versions_that_belong_together(
    fake: Fake, installed: Callable[..., None]
) -> None:
    installed(torchaudio="2.11.0")
    fake("torchaudio", "raise OSError('libtorch_cuda.so: cannot open shared object file')")
    check = imported("torchaudio")
    assert check.verdict is FAIL
    assert "OSError: libtorch_cuda.so" in check.found
    assert "'torch==2.11.*' 'torchaudio==2.11.*'" in check.advice


def test_a_torchaudio_for_another_torch_fails_even_where_it_can_be_imported(installed: Callable[..., None]) -> None:
    installed(torch="2.11.0", torchaudio="2.10.1")
    check = imports.judge(Heavy("torchaudio", "torchaudio"), Answer(found={"took_s": 1.0, "cards": None}))
    assert check.verdict is FAIL
    assert "2.10.1" in check.found


def test_a_package_that_hangs_is_given_up_and_what_it_had_started_ends_with_it(fake: Fake, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    fake(
        "hangs",
        "import os, pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(note)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)\n",
    )
    check = imported("hangs", limit_s=1.5)
    assert check.verdict is FAIL
    assert "did not end within 1.5 s" in check.found
    assert "python -c 'import hangs'" in check.advice
    assert all(gone(int(pid)) for pid in note.read_text().split())


def test_a_package_that_kills_its_process_is_told_by_the_signal(fake: Fake) -> None:
    fake("aborts", "import os; os.abort()")
    check = imported("aborts")
    assert check.verdict is FAIL
    assert "SIGABRT" in check.found
    assert "pip install --force-reinstall 'aborts'" in check.advice


@pytest.mark.parametrize("way", ["import sys; sys.exit(7)", "import os; os._exit(7)"])
def test_a_package_that_ends_the_program_is_told_by_its_exit_code(fake: Fake, way: str) -> None:
    fake("leaves", way)
    check = imported("leaves")
    assert check.verdict is FAIL
    assert "exit code 7" in check.found


def test_what_a_package_prints_is_not_taken_for_the_answer(fake: Fake) -> None:
    fake("talks", "import os\nprint('{\"found\": 1}' * 100_000, flush=True)\nos.write(1, b'more')\n")
    assert imported("talks").verdict is OK


def test_an_error_without_words_and_one_of_many_lines_stay_one_line(fake: Fake) -> None:
    fake("wordless", "raise ImportError")
    fake("wordy", "raise ValueError('first\\nsecond\\n' * 10_000)")
    assert "ImportError: no message" in imported("wordless").found
    assert "\n" not in imported("wordy").found


def test_what_is_not_installed_is_a_note_and_no_process_is_started_for_it(installed: Callable[..., None]) -> None:
    installed(**{heavy.distribution.replace("-", "_"): None for heavy in imports.HEAVY})
    with Children() as children:
        checks = list(imports.checks(imports.ask(children)))
    assert [check.verdict for check in checks] == [NOTE] * len(imports.HEAVY)


def test_leaving_early_ends_what_runs_and_forgets_what_waits(fake: Fake, tmp_path: Path) -> None:
    fake("hangs", f"import os, time\nopen({str(tmp_path)!r} + f'/{{os.getpid()}}.pid', 'w')\ntime.sleep(600)\n")
    with Children() as children:
        asked = [children.ask("import", {"module": "hangs", "parts": []}) for _ in range(5)]
        end_s = time.monotonic() + 30
        while len(list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < end_s:
            time.sleep(0.05)
    pids = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
    assert all(later.done() for later in asked)
