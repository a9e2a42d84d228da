"""How busy the GPUs were: told where the driver tells, and never in the way of a run."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.asr import throughput


class Driver:
    """Two GPUs, one half busy and one idle, as the driver's library tells of them."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=50 * handle)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(used=1000)


class Silent(Driver):
    """Tells of memory only, as a part of a GPU does."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        self.asked.set()
        raise OSError("Not Supported")


def test_the_use_of_all_gpus_is_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "_library", Driver)
    monkeypatch.setattr(throughput, "SAMPLE_S", 0.001)
    with throughput.watched_gpus("cuda") as seen:
        while not seen.memory_bytes:
            pass
    assert seen.summary() == {"gpu_busy_share": 0.25, "gpu_memory_bytes": 2000.0}


def test_a_driver_that_does_not_tell_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, uncaught = Silent(), []
    monkeypatch.setattr(throughput, "_library", lambda: driver)
    monkeypatch.setattr(throughput, "SAMPLE_S", 0.001)
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    with throughput.watched_gpus("cuda") as seen:
        assert driver.asked.wait(10)
    assert uncaught == []
    assert seen.summary() == {}


def test_without_a_gpu_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    monkeypatch.setattr(throughput, "_library", lambda: asked.append(None))
    with throughput.watched_gpus("cpu") as seen:
        assert seen.summary() == {}
    assert asked == []
