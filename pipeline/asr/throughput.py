"""How fast a recognizer was: seconds of audio and tokens per second, and how busy it kept its GPUs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from pipeline.asr.base import SAMPLE_RATE_HZ, Hypothesis, Request

SAMPLE_S: Final = 0.5
"""Between two looks at the GPUs."""


@dataclass(slots=True)
class Tally:
    """What was heard since it began."""

    clips: int = 0
    audio_s: float = 0.0
    tokens: int = 0

    def add(self, request: Request, hypothesis: Hypothesis) -> None:
        """Count one answer."""
        self.clips += 1
        self.audio_s += 0.0 if request.samples is None else request.samples.size / SAMPLE_RATE_HZ
        self.tokens += hypothesis.n_tokens or 0

    def rates(self, wall_s: float) -> dict[str, float]:
        """Return the rates over ``wall_s`` seconds of all that hearing takes; no tokens where none are told."""
        if not self.clips or wall_s <= 0:
            return {}
        rates = {"wall_s": wall_s, "audio_s": self.audio_s, "audio_s_per_s": self.audio_s / wall_s}
        return rates | ({"tokens": float(self.tokens), "tokens_per_s": self.tokens / wall_s} if self.tokens else {})


@dataclass(slots=True)
class GpuUse:
    """What was seen of the GPUs of this machine, all of them together."""

    busy: list[float] = field(default_factory=list)
    memory_bytes: int = 0

    def summary(self) -> dict[str, float]:
        """Return the mean share of time in which GPUs computed, and the most memory taken; empty without one."""
        if not self.busy:
            return {}
        return {"gpu_busy_share": sum(self.busy) / len(self.busy), "gpu_memory_bytes": float(self.memory_bytes)}


@contextmanager
def watched_gpus(device: str) -> Iterator[GpuUse]:
    """Look at the GPUs now and then, if ``device`` is one and the driver's library can be asked."""
    seen = GpuUse()
    library = _library() if device == "cuda" else None
    if library is None:
        yield seen
        return
    end = threading.Event()
    thread = threading.Thread(target=_watch, args=(library, seen, end), name="gpus", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join()


def _library() -> Any:
    try:
        library = import_module("pynvml")
        library.nvmlInit()
    except Exception:  # not installed, or no driver: a run is as good without the figure
        return None
    return library


def _watch(library: Any, seen: GpuUse, end: threading.Event) -> None:
    try:
        handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
        while handles and not end.wait(SAMPLE_S):
            rates = [library.nvmlDeviceGetUtilizationRates(handle).gpu / 100 for handle in handles]
            taken = sum(int(library.nvmlDeviceGetMemoryInfo(handle).used) for handle in handles)
            seen.busy.append(sum(rates) / len(rates))
            seen.memory_bytes = max(seen.memory_bytes, taken)
    except Exception:  # a driver that does not tell (of a part of a GPU, say): a run is as good without the figure
        return
