"""A recognizer of another distribution for whole runs: slow, forgetful of nothing, and easily made to fail.

What it does is said by the environment, so that no configuration differs by it:
``LISTENER_DIARY`` is a file that gets a line for everything heard: ``LISTENER_RUN``, the time, and what it was;
``LISTENER_FAILS`` begins the ids of utterances that it fails on, and ``LISTENER_RENDERS_IN_PROCESSES`` lets even a
small study render in processes.
"""

import hashlib
import os
import random
import time
from typing import ClassVar

from pydantic import BaseModel

from pipeline import rendering
from pipeline.asr.base import Hypothesis, RepeatSettings
from pipeline.asr.repeats import remembered_as
from pipeline.records import Status

if "LISTENER_RENDERS_IN_PROCESSES" in os.environ:
    rendering.FEW_S = 0.0


class ListenerSettings(RepeatSettings):
    batch_size: int = 4
    load_s: float = 0.3
    clip_s: float = 0.1
    device: str = "cpu"


class Listener:
    """Says the reference, but for words that the samples and the draw decide."""

    Settings: ClassVar[type[BaseModel]] = ListenerSettings
    needs_audio: ClassVar[bool] = True
    name = "listener"

    def __init__(self, settings):
        self.repeating = settings
        self.batch_size = settings.batch_size
        self.device = settings.device

    def on(self, device):
        return type(self)(self.repeating.model_copy(update={"device": device}))

    def prepare(self): ...

    def fingerprint(self):
        return {"kind": "listener"}

    def load(self):
        time.sleep(self.repeating.load_s)

    def transcribe(self, batch):
        return [self.hear(request) for request in batch]

    def hear(self, request):
        line = f"{os.environ['LISTENER_RUN']} {time.time()} {remembered_as(request.trial_key, request.draw)}\n"
        with open(os.environ["LISTENER_DIARY"], "a") as diary:
            diary.write(line)
        time.sleep(self.repeating.clip_s)
        fails = os.environ.get("LISTENER_FAILS")
        if fails and request.utterance_id.startswith(fails):
            return Hypothesis("", Status.FAILED, f"{request.utterance_id} is too much for it")
        seed = hashlib.sha256(request.samples.tobytes()).hexdigest()
        chance = random.Random(f"{seed} {request.draw and request.draw.seed}")
        words = [word if chance.random() < 0.7 else "what" for word in request.reference.split()]
        return Hypothesis(" ".join(words), Status.OK, n_tokens=len(words))

    def close(self): ...
