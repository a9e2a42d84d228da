"""What the command backend is told, and which commands this machine lets it run.

A configuration is data that people mail to each other, and one that names a program would run it. So the whole
command must also be written in the environment variable ``ASR_STUDY_COMMANDS``, which no configuration can set.
Allowing the program's name alone would not do: whoever may call ``python`` may do anything.
"""

import os
import shlex
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.errors import BackendError

ALLOWED = "ASR_STUDY_COMMANDS"
"""Environment variable: one command a line, quoted as a shell would have it, placeholders and all."""

NEEDED = ("{manifest}", "{output}")
PLACEHOLDERS = (*NEEDED, "{audio_dir}")


class CommandSettings(BaseModel):
    """A program with its arguments; a shell never sees them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    command: tuple[str, ...] | None = None
    """The program and its arguments; ``{manifest}``, ``{output}`` and ``{audio_dir}`` stand for paths."""
    label: str = Field("command", min_length=1)
    """Name of the recognizer in tables."""
    version: str | None = Field(None, min_length=1)
    """What decides the program's words beside the files that the command names: weights, packages."""
    version_command: tuple[str, ...] | None = Field(None, min_length=1)
    """A program that prints it; asked once a run."""
    timeout_s: float = Field(3600.0, gt=0)
    """For one batch, loading the model included."""
    give_up_after: int = Field(8, ge=1)
    """So many clips in a row without any answer end the run (if it is the first batch, or the second in a row)."""
    batch_size: int = Field(256, ge=1)
    """Clips per run of the program, which loads its model each time; also what a crash can cost at most."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.command:
            raise ValueError(
                "command is needed: the program and its arguments, such as"
                " ['/opt/nemo/bin/python', '/opt/nemo/hear.py', '{manifest}', '{output}']"
            )
        for item in (*self.command, *(self.version_command or ())):
            if not item.isprintable():  # it would not look in the message below as it is
                raise ValueError(f"command holds a character that cannot be printed: {item!r}")
        if absent := [name for name in NEEDED if not any(name in item for item in self.command)]:
            raise ValueError(f"command never says {' and '.join(absent)}, so the program could not know the path")
        if self.version is not None and self.version_command is not None:
            raise ValueError("version and version_command say the same thing: give one of them")
        return self

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Every program that a run would start."""
        return tuple(command for command in (self.command, self.version_command) if command)


def check_allowed(settings: CommandSettings) -> None:
    """Refuse to run what the environment does not name, to the letter.

    Raises:
        BackendError: with the line that would allow it.
    """
    lines = [line.strip() for line in os.environ.get(ALLOWED, "").splitlines() if line.strip()]
    allowed = {_split(line) for line in lines}
    absent = [as_line(command) for command in settings.commands if command not in allowed]
    if absent:
        export = shlex.quote("\n".join([*lines, *absent]))
        raise BackendError(
            f"asr.command: this study would run {' and '.join(absent)}, and a configuration alone may not decide that."
            f" If you know what it does, allow it first, one command a line: export {ALLOWED}={export}"
        )


def as_line(command: Sequence[str]) -> str:
    """Return a command on one line, quoted as a shell would have it but for the braces of the placeholders."""
    return " ".join(item if _plain(item) else shlex.quote(item) for item in command)


def _plain(item: str) -> bool:
    inner = item.replace("{", "").replace("}", "")
    return bool(inner) and shlex.quote(inner) == inner


def _split(line: str) -> Sequence[str]:
    try:
        return tuple(shlex.split(line))
    except ValueError:  # a quote that is not closed: allows nothing
        return ()
