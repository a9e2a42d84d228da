"""One run of an outside program: bounded in time, never in the way of what it prints, and stopped whole.

It gets a process group of its own, which does not outlive the run, however that ends: the program finishes,
takes too long, or the user presses Ctrl-C. What it prints is read all the time and the end of it kept.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.asr.exchange import complaint
from pipeline.errors import BackendError

GRACE_S = 3.0
"""From asking a program to stop to stopping it: a container's client needs it to take the container down."""

KEPT_LINES = 20
KEPT_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. ``problem`` is a sentence without its subject; empty where it ended well."""

    problem: str
    last_lines: tuple[str, ...]
    """of standard error, and of standard output unless that went elsewhere; fit to be printed"""

    @property
    def last_words(self) -> str:
        """The last line that holds anything."""
        return next((line for line in reversed(self.last_lines) if line), "")


class _Tail(threading.Thread):
    """Reads a pipe to its end, so that its writer never waits, and keeps the last of it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True, name="output of the recognizer's command")
        self._descriptor = descriptor
        self._kept = b""

    def run(self) -> None:
        with open(self._descriptor, "rb", buffering=0) as pipe:
            while part := pipe.read(64 * 1024):
                self._kept = (self._kept + part)[-KEPT_BYTES:]

    def lines(self) -> tuple[str, ...]:
        self.join(timeout=1.0)  # it ends with the program, unless that left another behind that kept the pipe
        return tuple(complaint(line) for line in self._kept.decode(errors="replace").splitlines()[-KEPT_LINES:])


def run(command: Sequence[str], *, timeout_s: float, output: BinaryIO | None = None) -> Ended:
    """Run a program to its end, without a shell, in this program's environment and folder.

    Args:
        command: the program and its arguments.
        timeout_s: after which it is stopped.
        output: where its standard output goes; None: read together with standard error.

    Raises:
        BackendError: if it cannot be started.
    """
    read_end, write_end = os.pipe()
    tail = _Tail(read_end)
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output or write_end, stderr=write_end, start_new_session=True
        )
    except OSError as error:
        os.close(read_end)
        raise BackendError(f"asr.command: {command[0]} cannot be started: {error.strerror or error}.") from None
    finally:
        os.close(write_end)
    late = False
    try:
        tail.start()
        child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        late = True
    finally:
        _stop(child)
    problem = f"was stopped because it took longer than {timeout_s:g} s" if late else _problem(child.returncode)
    return Ended(problem, tail.lines())


def _problem(code: int) -> str:
    if code == 0:
        return ""
    if code > 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _stop(child: "subprocess.Popen[bytes]") -> None:
    """Stop what still runs of the program's group, first with a warning."""
    try:
        if child.poll() is None:
            _signal(child, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_S)
    finally:  # also if the user presses Ctrl-C a second time
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody of the group is left
        os.killpg(child.pid, number)
