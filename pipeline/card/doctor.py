"""What the doctor found, printed for people: one line a check, and what to do about each that fails."""

import textwrap
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.text import Text

from pipeline.card.wording import count, outside

_NAME_WIDTH = 22
_FOUND_LIMIT, _ADVICE_LIMIT = 1_500, 600


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; the study as configured can run all the same."""
    FAIL = "FAIL"


_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAIL: "bold red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``found`` says what is there, ``advice`` what to do (needed where it fails)."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.verdict is Verdict.FAIL and not self.advice:
            raise ValueError(f"the failing check '{self.name}' must say what to do")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every check, in the order in which it is printed, and the study that they were made for."""

    study: str
    checks: tuple[Check, ...]

    @property
    def n_failed(self) -> int:
        """Number of checks that failed."""
        return sum(check.verdict is Verdict.FAIL for check in self.checks)


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print every check and, at the end, how many failed."""
    console.print(Text(f"This machine, for {outside(diagnosis.study)}", style="bold"), soft_wrap=True)
    for check in diagnosis.checks:
        _check(check, console)
    verdicts = Counter(check.verdict for check in diagnosis.checks)
    end = f"{count(len(diagnosis.checks), 'check')}: {verdicts[Verdict.OK]} ok, {count(verdicts[Verdict.NOTE], 'note')}"
    failed = diagnosis.n_failed
    text = f"{end}, {failed} failed." if failed else f"{end}, none failed."
    console.print(Text(text, style="bold red" if failed else "bold"), soft_wrap=True)


def _check(check: Check, console: Console) -> None:
    head = f"{check.verdict:<5} {outside(check.name):<{_NAME_WIDTH}} "
    for number, line in enumerate(_lines(outside(check.found, limit=_FOUND_LIMIT), head, console.width)):
        text = Text(line)
        if number == 0:
            text.stylize(_STYLES[check.verdict], 0, len(check.verdict))
        console.print(text, soft_wrap=True)
    if check.advice:
        advice = outside(check.advice, limit=_ADVICE_LIMIT)
        for line in _lines(advice, f"{'':6}{'to do:':>{_NAME_WIDTH}} ", console.width):
            console.print(Text(line, style="bold" if check.verdict is Verdict.FAIL else "dim"), soft_wrap=True)


def _lines(text: str, head: str, width: int) -> list[str]:
    # commands, paths and messages are meant to be copied, so no word of them is broken
    rest = " " * (_NAME_WIDTH + 7)
    return textwrap.wrap(
        text,
        max(60, width),
        initial_indent=head,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]
