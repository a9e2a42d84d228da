"""Recognizers of another distribution, for processes to import: one that looks around, the others misbehave."""

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from pipeline.asr.base import Hypothesis
from pipeline.errors import BackendError, MissingPrerequisite, StudyError
from pipeline.records import Status


class NoSettings(BaseModel):
    pass


class Plain:
    """Says the utterance and a hash of its samples; ``folder`` holds what the processes leave for the test to see."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    needs_audio: ClassVar[bool] = True
    batch_size = 4
    name = "plain"

    def __init__(self, folder, *, device="cuda:0", deadly=()):
        self.folder = Path(folder)
        self.device = device
        self.deadly = frozenset(deadly)
        self.state = None

    def note(self, what):
        """Add a line to what this class did, over all processes."""
        with (self.folder / "diary").open("a") as file:
            file.write(f"{what} {self.device}\n")

    def wait_for(self, name):
        """Return when the file is there."""
        while not (self.folder / name).exists():
            time.sleep(0.01)

    def prepare(self):
        self.state = "prepared"

    def fingerprint(self):
        return {"kind": "plain"}

    def load(self):
        if self.state != "prepared":
            raise RuntimeError(f"load() when {self.state}")
        self.note("load")
        self.state = "loaded"

    def transcribe(self, batch):
        if self.state != "loaded":
            raise RuntimeError(f"transcribe() when {self.state}")
        return [self.hear(request) for request in batch]

    def hear(self, request):
        return Hypothesis(f"{request.utterance_id} {hashlib.sha256(request.samples).hexdigest()}", Status.OK)

    def close(self):
        self.note("close")
        self.state = None


class Deadly(Plain):
    """Kills itself whenever it meets one of the deadly utterances."""

    def hear(self, request):
        if request.utterance_id in self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().hear(request)


class DeadlyOnce(Plain):
    """Kills itself when it meets a deadly utterance for the first time."""

    def hear(self, request):
        if request.utterance_id in self.deadly:
            met = self.folder / f"met_{request.utterance_id}"
            if not met.exists():
                met.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().hear(request)


class Leaving(Plain):
    """Ends by itself, with an exit code."""

    def hear(self, request):
        os._exit(7)


class DyingAtLoad(Plain):
    def load(self):
        self.note("load")
        os.kill(os.getpid(), signal.SIGKILL)


class Lacking(Plain):
    def prepare(self):
        raise MissingPrerequisite("asr: the engine is not here. pip install it")


class Unloadable(Plain):
    def load(self):
        raise BackendError("asr: the weights are truncated. Fetch them again")


class Refusing(Plain):
    """Cannot go on from a certain utterance."""

    def hear(self, request):
        if request.utterance_id in self.deadly:
            raise BackendError("asr.url: the endpoint is gone. Start it")
        return super().hear(request)


class OddError(StudyError):
    """Cannot be unpickled: its constructor wants more than the message."""

    def __init__(self, where, what):
        super().__init__(f"{where}: {what}")


class Odd(Plain):
    def hear(self, request):
        raise OddError("asr.url", "odd")


class Broken(Plain):
    def hear(self, request):
        raise KeyError("nobody foresaw this")


class BrokenAtImport(Plain):
    def __setstate__(self, state):
        raise ImportError("no such engine")


class Forgetful(Plain):
    def transcribe(self, batch):
        return super().transcribe(batch)[1:]


class Patient(Plain):
    """Two of a kind: ``cuda:1`` answers nothing until the test says so, ``cuda:0`` waits until that one is asked."""

    def load(self):
        super().load()
        if self.device == "cuda:0":
            self.wait_for("asked")

    def transcribe(self, batch):
        if self.device == "cuda:1":
            (self.folder / "asked").touch()
            self.wait_for("go_on")
        return [Hypothesis(self.device, Status.OK) for _ in batch]


class Stuck(Plain):
    """Answers the first batch, and of the second only says that it has it."""

    def hear(self, request):
        if request.utterance_id != "u0":
            (self.folder / "stuck").touch()
            time.sleep(600)
        return super().hear(request)


class Spy(Plain):
    """Says what it inherited."""

    def hear(self, request):
        seen = {
            "process": os.getpid(),
            "processors": sorted(os.sched_getaffinity(0)),
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "deaf_to_ctrl_c": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set()),
            "modules": sorted(sys.modules),
        }
        return Hypothesis(json.dumps(seen), Status.OK)
