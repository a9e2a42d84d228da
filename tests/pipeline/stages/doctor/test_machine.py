"""Processors, memory, terminal and environment."""

import os
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.stages.doctor import machine

OK, NOTE = Verdict.OK, Verdict.NOTE


def test_memory_is_read_with_the_containers_limit(tmp_path: Path) -> None:
    table, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    table.write_text("MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\nHugePages_Total: 0\n")
    limit.write_text("max\n")
    assert machine.memory(table, (limit,)) == Check("memory", OK, "16.0 GiB, 8.0 GiB of it free")
    limit.write_text(f"{2**30}\n")
    limited = machine.memory(table, (tmp_path / "absent", limit))
    assert limited.verdict is NOTE
    assert "this container may use 1.0 GiB" in limited.found
    limit.write_text("9223372036854771712")  # what version 1 of the limits says without one
    assert machine.memory(table, (limit,)).verdict is OK
    assert machine.memory(tmp_path / "absent", ()).verdict is OK


@pytest.mark.parametrize(
    ("encoding", "verdict"), [("utf-8", OK), ("UTF-8", OK), ("cp1252", NOTE), ("ascii", NOTE), (None, NOTE)]
)
def test_a_terminal_that_lacks_letters_is_noted(encoding: str | None, verdict: Verdict) -> None:
    assert machine.terminal(encoding).verdict is verdict


def test_the_environment_is_told_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    assert machine.environment().verdict is OK
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@proxy")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    check = machine.environment()
    assert check.verdict is NOTE
    assert check.found == "HF_HUB_OFFLINE=1, HF_TOKEN (set), HTTPS_PROXY (set)"


def test_the_processors_of_this_process_are_counted() -> None:
    check = machine.processors()
    assert check.verdict is OK
    assert str(os.cpu_count()) in check.found
