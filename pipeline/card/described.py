"""What the conditions of a study do, printed for people: steps, sources, cost, and whether they can be made here."""

import textwrap
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from augment.chain import Acoustics
from pipeline.card.wording import count, visible

_WEIGHTINGS = {"none": "unweighted", "a": "A-weighted", "g712": "in 300 to 3400 Hz", "wb": "in 100 to 7000 Hz"}


@dataclass(frozen=True, slots=True)
class Described:
    """One condition; costs are CPU milliseconds, None where ``problem`` says why it cannot be made here."""

    name: str
    version: int
    family: str
    description: str
    sources: tuple[str, ...]
    steps: tuple[str, ...]
    problem: str | None
    cpu_ms: float | None
    added_s: float
    """By how much it makes an utterance longer."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    """All chosen conditions, and what they share."""

    acoustics: Acoustics
    clip_s: float
    leveling_cpu_ms: float
    """Paid once for an utterance, whatever the number of conditions."""
    conditions: tuple[Described, ...]


def show(told: Descriptions, console: Console) -> None:
    """Print every condition, and at the end what all of them cost together."""
    acoustics = told.acoustics
    _print(
        console,
        f"Every utterance is first set to an active speech level of {acoustics.target_level_dbov:g} dBov (ITU-T P.56), "
        f"and nothing is normalized afterwards. An SNR is the active level of the speech minus the RMS of the noise, "
        f"{_WEIGHTINGS[acoustics.snr_weighting]}. Cost is CPU time of this machine per {told.clip_s:g} s of speech, "
        "measured now with made-up talkers; noise tracks, which are made once in a study, are not counted.",
    )
    for condition in told.conditions:
        _condition(condition, console)
    made = [condition.cpu_ms for condition in told.conditions if condition.cpu_ms is not None]
    console.print()
    _print(
        console,
        f"{count(len(made), 'condition')} of {len(told.conditions)} can be made here. Together they cost "
        f"{sum(made) + told.leveling_cpu_ms:.0f} ms per {told.clip_s:g} s of speech; {told.leveling_cpu_ms:.1f} ms of "
        "that measure and set its level, once for all of them.",
    )


def _condition(condition: Described, console: Console) -> None:
    console.print()
    head = Text(visible(condition.name), style="bold")
    console.print(head.append(f"  version {condition.version}, {condition.family}", style="dim"), soft_wrap=True)
    _print(console, f"{visible(condition.description).rstrip('.')}.", indent=2)
    for number, step in enumerate(condition.steps, start=1):
        _print(console, f"{number}. {step}", indent=2, hang=3)
    if condition.cpu_ms is not None:
        length = f"{condition.added_s:g} s longer" if condition.added_s else "length unchanged"
        _print(console, f"Cost: {condition.cpu_ms:.1f} ms; {length}; can be made here.", indent=2)
    if condition.problem is not None:
        _print(console, f"Cannot be made here: {visible(condition.problem)}", indent=2, style="bold red")
    if condition.sources:
        _print(console, f"Sources: {visible('; '.join(condition.sources))}", indent=2, style="dim")


def _print(console: Console, text: str, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
    # not rich's own padding, which fills every line with spaces that a pipe would carry along
    first, rest = " " * indent, " " * (indent + hang)
    for line in textwrap.wrap(text, max(40, console.width), initial_indent=first, subsequent_indent=rest):
        console.print(Text(line, style=style), soft_wrap=True)
