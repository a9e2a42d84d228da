"""Processes that try something for the doctor: a few at a time, each with a time limit, none left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Any, Self

AT_ONCE = 2
LIMIT_S = 60.0
"""A healthy package is imported in a few seconds, on a slow disk in some tens."""

_CHILD = "pipeline.stages.doctor.child"
_STDERR_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try: ``found``, or the ``problem`` that kept the process from finding anything."""

    found: Mapping[str, Any] | None = None
    problem: str = ""
    sentence: bool = False
    """``problem`` is one of our own sentences: it says where, what is wrong and what to do"""
    wanted: tuple[str, ...] = ()
    """what it asked for and the doctor refused: ``fetch``, ``write``"""
    ended: bool = True
    """False: it did not come to its end by itself (it crashed, or its time was up)"""


class Children:
    """A context in which processes try things; leaving it ends them all."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor")
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what still runs and forget what waits."""
        with self._lock:
            self._closed = True
            for process in self._alive:
                _end(process)
        self._threads.shutdown(wait=True, cancel_futures=True)

    def ask(self, task: str, told: Mapping[str, Any]) -> Future[Answer]:
        """Let a process do ``try_<task>``; it is told what is JSON-able."""
        return self._threads.submit(self._answer, task, json.dumps(told).encode())

    def _answer(self, task: str, told: bytes) -> Answer:
        command = [sys.executable, "-m", _CHILD, task, str(self._limit_s)]
        with self._lock:
            if self._closed:
                return Answer(problem="the doctor was stopped", ended=False)
            process = _started(command)
            self._alive.add(process)
        try:
            said, printed = process.communicate(told, timeout=self._limit_s)
        except subprocess.TimeoutExpired:
            _end(process)
            process.communicate()
            return Answer(problem=f"it did not end within {self._limit_s:g} s", ended=False)
        finally:
            with self._lock:
                self._alive.discard(process)
        return _read(said, printed, process.returncode)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    # a session of its own: what the child starts ends with it
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _read(said: bytes, printed: bytes, code: int) -> Answer:
    try:
        answer = json.loads(said)
    except ValueError:
        lines = printed.decode(errors="replace").strip().splitlines()
        last = f" ({lines[-1][:_STDERR_LIMIT]})" if lines else ""
        return Answer(problem=f"its process {_how_it_ended(code)}{last}", ended=False)
    error = answer.get("error")
    if error is None:
        return Answer(found=answer["found"])
    message = " ".join(error["message"].split())
    problem = message if error["sentence"] else f"{error['kind']}: {message or 'no message'}"
    return Answer(problem=problem, sentence=error["sentence"], wanted=tuple(error["wanted"]))


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code} before it answered"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
