"""What the doctor keeps a library from doing: a check fetches nothing and writes nothing, it says that a run would.

A recognizer's ``prepare`` may download gigabytes, or convert weights once and keep them. Python tells an audit hook of
both beforehand, whatever library asks. What was refused counts only if the check then fails: most libraries can do
without.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FETCH, WRITE = "fetch", "write"

_wanted: dict[str, str] = {}


class FetchRefusedError(OSError):
    """Stands for a network that cannot be reached, which is what libraries know how to handle."""


class WriteRefusedError(RuntimeError):
    """No OSError, because making a folder that is already there swallows those."""


def restrain() -> None:
    """Refuse this process, for good, to connect and to write."""
    sys.dont_write_bytecode = True
    with suppress(OSError):  # where nothing is writable at all, the line on TMPDIR says so
        tempfile.gettempdir()  # finds its folder by writing to it, once: dill asks, which torch imports
    sys.addaudithook(_hook)


def wanted() -> list[str]:
    """Return what was asked for and refused: ``fetch``, ``write``, or both."""
    return sorted(_wanted)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS:
        _EVENTS[event](arguments)


def _lookup(arguments: tuple[Any, ...]) -> None:
    _wanted[FETCH] = str(arguments[0])
    raise FetchRefusedError("the doctor fetches nothing")


def _connection(arguments: tuple[Any, ...]) -> None:
    if isinstance(arguments[1], tuple):  # a socket of this machine's own has a path for an address
        _lookup(arguments[1])


def _opening(arguments: tuple[Any, ...]) -> None:
    if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        _change(arguments)


def _change(arguments: tuple[Any, ...]) -> None:
    path = arguments[0]
    if isinstance(path, (str, bytes, os.PathLike)) and not os.path.realpath(os.fsdecode(path)).startswith("/dev/"):
        _wanted[WRITE] = os.fsdecode(path)
        raise WriteRefusedError("the doctor writes nothing")


_EVENTS: dict[str, Callable[[tuple[Any, ...]], None]] = {
    "socket.getaddrinfo": _lookup,
    "socket.connect": _connection,
    "open": _opening,
    "os.mkdir": _change,
    "os.rename": _change,
}
