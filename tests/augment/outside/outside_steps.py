"""Steps of another distribution: one that looks around, the others misbehave."""

import json
import os
import signal
import sys
import time
from typing import ClassVar

from pydantic import BaseModel

from augment.errors import ConditionError
from augment.step import Effect, Law, Plain, Stage, StepSettings


class NoSettings(StepSettings):
    pass


class Quiet(Plain):
    """Does nothing to the samples."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    stage = Stage.GAIN
    law = Law.LINEAR

    def __init__(self, settings: BaseModel) -> None:
        # no step has to survive being sent: each process builds its own
        self.unsendable = lambda: settings


class Spy(Quiet):
    """Reports the process it runs in."""

    def apply(self, samples, planned, scene):
        blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())
        seen = {
            "modules": json.dumps(sorted(sys.modules)),
            "process": os.getpid(),
            "threads": os.environ.get("OMP_NUM_THREADS", ""),
            "deaf_to_ctrl_c": int(blocked),
        }
        return Effect(samples, realised=seen)


class Refusing(Quiet):
    def apply(self, samples, planned, scene):
        raise ConditionError("the kettle is on")


class Broken(Quiet):
    def apply(self, samples, planned, scene):
        raise KeyError("nobody foresaw this")


class Deadly(Quiet):
    def apply(self, samples, planned, scene):
        os.kill(os.getpid(), signal.SIGKILL)


class Slow(Quiet):
    def apply(self, samples, planned, scene):
        time.sleep(30)
        return Effect(samples)
