"""Clips listen in threads of their own; whatever is raised, and wherever, none is left waiting for another."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("whisper")


class Panic(BaseException):
    """What an extension written in Rust raises: no Exception."""


def asked_thrice(model: Any, mel: Any, *, name: str) -> dict[str, Any]:
    """Stand in for the engine's function: ask three times, and end with what was said."""
    return {"text": "".join(model.decode(mel, name) for _ in range(3))}


def panicking(model: Any, mel: Any, *, name: str) -> dict[str, Any]:
    if name == "b":
        raise Panic("index out of range")
    return asked_thrice(model, mel, name=name)


def listening() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "listen"]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a listener to clips a, b and c by a function in the place of the engine's."""
    from types import SimpleNamespace

    from pipeline.asr.whisper import listening as module

    def listen(transcribe: Any, answer: Any) -> list[Any]:
        monkeypatch.setattr(module, "_on_mels", lambda: transcribe)
        model = SimpleNamespace(dims=None, is_multilingual=False, num_languages=99)
        told = [{"name": name} for name in "abc"]
        return module.transcribe_all(model, [torch.zeros(1)] * 3, told, answer)

    return listen


def named(windows: Sequence[Any]) -> list[str]:
    return [f"{window.options}{window.asked}" for window in windows]


def test_every_clip_gets_its_own_answers_in_the_order_it_asked(heard: Any) -> None:
    met = []

    def answer(windows: Sequence[Any]) -> list[str]:
        met.append(named(windows))
        return met[-1]

    assert heard(asked_thrice, answer) == [{"text": "a0a1a2"}, {"text": "b0b1b2"}, {"text": "c0c1c2"}]
    assert met == [["a0", "b0", "c0"], ["a1", "b1", "c1"], ["a2", "b2", "c2"]]


def test_an_error_that_is_no_exception_ends_its_clip_alone(heard: Any) -> None:
    first, second, third = heard(panicking, named)
    assert (first, third) == ({"text": "a0a1a2"}, {"text": "c0c1c2"})
    assert isinstance(second, RuntimeError)
    assert str(second) == "Panic: index out of range"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, Panic])
def test_what_ends_the_answering_ends_the_listening(heard: Any, error: type[BaseException]) -> None:
    def answer(windows: Sequence[Any]) -> list[str]:
        if windows[0].asked == 1:
            raise error
        return named(windows)

    with pytest.raises(error):
        heard(asked_thrice, answer)
    assert listening() == []


def test_where_a_thread_cannot_be_started_those_that_were_end(heard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original, started = threading.Thread.start, []

    def start(self: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(self)
        original(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        heard(asked_thrice, named)
    assert len(started) == 2
    assert listening() == []
