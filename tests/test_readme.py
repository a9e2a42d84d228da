"""The README's commands are real: each one composes, and the first one runs from nothing to a card."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "conf" / "README.md"]
CONF_README = (ROOT / "conf" / "README.md").read_text()
COMMANDS = sorted(
    {
        line.strip().split("  #")[0].strip()
        for document in DOCUMENTS
        for line in document.read_text().splitlines()
        if line.startswith("    python -m pipeline")
    }
)
PART = ["corpus.features=[baseline,th_stopping]", "run_name=quickstart"]
Command = Callable[..., subprocess.CompletedProcess[str]]


def test_the_two_commands_stand_in_the_readme_verbatim() -> None:
    text = (ROOT / "README.md").read_text()
    assert (
        'python -m venv .venv && . .venv/bin/activate && pip install -e ".[quickstart]" && python -m pipeline' in text
    )
    assert 'pip install -e ".[test]" && pytest' in text


@pytest.mark.parametrize("line", COMMANDS)
def test_a_documented_command_composes(line: str, tmp_path: Path, composed: Callable[..., dict[str, Any]]) -> None:
    arguments = shlex.split(line)[3:]
    if not any(argument.startswith("-") for argument in arguments):
        assert composed(*arguments)
        return
    if "--config-dir" in arguments:
        assert len(_write_examples(tmp_path)) == 2
    if not {"--cfg", "--info", "--help"} & set(arguments):
        arguments += ["--cfg", "job", "--resolve"]
    if "-m" in arguments:  # of a sweep, the first job
        arguments = [re.sub(r"^([\w.]+=\w+),.*", r"\1", argument) for argument in arguments if argument != "-m"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_examples_of_own_conditions_can_be_made_from_own_files(command: Command, tmp_path: Path) -> None:
    names = _write_examples(tmp_path)
    for folder in ("ward7/pump", "ward7/responses"):
        (tmp_path / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(14_400) / 2_000)
    soundfile.write(tmp_path / "ward7" / "pump" / "pump.wav", 0.1 * rng.standard_normal((44_100, 2)), 44_100)
    response = np.concatenate([[1.0], 0.05 * rng.standard_normal(14_400) * decay])
    soundfile.write(tmp_path / "ward7" / "responses" / "bed.wav", response, 48_000)
    table = re.search(r"```text\n(frequency_hz,gain_db\n.*?)```", CONF_README, re.DOTALL)
    assert table is not None
    (tmp_path / "ward7" / "phone.csv").write_text(table[1])
    done = command("--config-dir", "my_conf", "stages=[describe]", f"conditions=[{','.join(names)}]")
    assert done.returncode == 0, done.stderr
    assert "2 conditions of 2 can be made here" in done.stdout


def _write_examples(folder: Path) -> list[str]:
    """Write the files that ``conf/README.md`` shows, and return the names of its conditions."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", CONF_README, re.DOTALL)
    for name, text in blocks:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return [Path(name).stem for name, _ in blocks if Path(name).parent.name == "conditions"]


@pytest.mark.slow
@pytest.mark.recognizer
def test_the_first_command_runs_from_nothing_to_a_card_and_remembers(command: Command, tmp_path: Path) -> None:
    """Two of its five pronunciations, unless STUDY_QUICKSTART=whole: the others take minutes and show no more."""
    part = [] if os.environ.get("STUDY_QUICKSTART") == "whole" else PART
    first = command(*part, timeout_s=550)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "results" / "quickstart"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["counts"]["transcribe.remembered"] == 0
    trials = record["counts"]["transcribe.in"]
    cells = pd.read_csv(folder / "cells.csv", keep_default_na=False, na_values=[""])
    assert cells["synthetic"].all()
    assert set(cells["condition"]) == {"clean", "babble_10", "landline_g711", "machine_tonal_5"}
    baseline = cells.query("accent == 'baseline' and condition == 'clean' and normalizer == 'whisper_english'")
    assert baseline["wer"].item() < 0.15
    _stands_alone((folder / "card.html").read_text())
    assert "synthetic" in (folder / "card.md").read_text()
    second = command(*part)
    assert second.returncode == 0, second.stderr
    assert f"{trials} transcripts were remembered" in second.stdout
    again = pd.read_csv(folder / "cells.csv", keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(cells, again)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]


def _stands_alone(page: str) -> None:
    links = _Links()
    links.feed(page)
    assert not [link for link in links.found if not link.startswith(("#", "data:", "figures/", "card."))]
