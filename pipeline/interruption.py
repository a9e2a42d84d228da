"""Ctrl-C that cannot be lost.

Python raises KeyboardInterrupt wherever the program is, and drops it where no caller could take it: while an object is
torn down, or in a callback of a library. A run that went on then would have to be stopped twice. So it is written down
too, and looked at between stages and between batches.
"""

import signal
import threading
from types import FrameType

_asked = threading.Event()


def listen() -> None:
    """Write down every Ctrl-C from now on; nothing is changed where the program was started to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.set()
    signal.default_int_handler(number, frame)


def heed() -> None:
    """Stop here if that was asked for and got lost.

    Raises:
        KeyboardInterrupt: as Ctrl-C does.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
