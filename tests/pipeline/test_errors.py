"""Messages on a terminal: what a file holds is told and never obeyed."""

import re
import sys
from pathlib import Path

import pytest

from pipeline import app
from pipeline.errors import ConfigError, on_terminal


def test_what_steers_a_terminal_or_hides_is_spelled_out_and_line_feeds_stay() -> None:
    error = ConfigError("a.csv: 'x\x1b]0;title\x07\x1b[2J\u202egnp.exe\u200b\r' is no label.\nWrite one.")
    shown = on_terminal(error)
    assert shown.startswith("a.csv: 'x(U+001B)]0;title(U+0007)(U+001B)[2J(U+202E)gnp.exe(U+200B)(U+000D)'")
    assert shown.endswith("is no label.\nWrite one.")
    assert on_terminal("naïve 😀 שלום") == "naïve 😀 שלום"


def test_a_hostile_name_in_a_manifest_cannot_steer_the_terminal_that_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    row = "u\x1b[2J\u202e1,,north,one two\n"
    file.write_text("utterance_id,speaker_id,accent,reference\n" + row + row, encoding="utf-8")
    given = ["corpus=transcripts_only", f"corpus.path={file}", "asr=transcripts", f"asr.path={tmp_path / 'none.jsonl'}"]
    monkeypatch.setattr(sys, "argv", ["pipeline", *given, f"results_dir={tmp_path / 'results'}", "run_name=mine"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "error: " in said.err
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", said.err + said.out)
