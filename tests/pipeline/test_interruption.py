"""Ctrl-C ends a run also where Python drops it."""

import signal
import subprocess
import sys
from functools import partial

import pytest

LOST = """
import os, signal
from pipeline import interruption

class Torn:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

interruption.listen()
interruption.heed()
try:
    Torn()
    print("lost", flush=True)
    interruption.heed()
except KeyboardInterrupt:
    print("heeded")
"""


@pytest.mark.parametrize(
    ("before", "said"), [(signal.default_int_handler, ["lost", "heeded"]), (signal.SIG_IGN, ["lost"])]
)
def test_a_ctrl_c_that_python_drops_is_heeded_later_and_one_that_is_ignored_is_not(
    before: object, said: list[str]
) -> None:
    started = partial(signal.signal, signal.SIGINT, before)
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, preexec_fn=started)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == said
