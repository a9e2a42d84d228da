"""The engine's own ``transcribe()`` running for many clips at once, each in a thread that waits where a model is asked.

What moves from window to window, falls back to another temperature, skips silence and puts texts together is
openai-whisper's function itself, called with an ``Ear`` in the model's place. When every clip that is not done waits
for an answer, the windows they ask about are decoded together; so what is decoded together hangs on the clips alone,
never on how fast a thread is.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from queue import SimpleQueue
from types import FunctionType
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What one clip asks: to decode ``segment`` (mels, 3000 frames) with ``options``; None: in which language it is."""

    clip: int
    asked: int
    """questions of this clip before this one"""
    segment: Tensor
    options: Any


Answer = Any
"""The engine's ``DecodingResult``, or for a question of language what its ``detect_language`` returns; or the error
to raise."""


class Ear:
    """The engine's model as far as its ``transcribe()`` looks at it; what it is asked waits for all other clips."""

    def __init__(self, clip: int, model: Any, device: Any, questions: "SimpleQueue[Window | Ended]") -> None:
        self.dims = model.dims
        self.is_multilingual: bool = model.is_multilingual
        self.num_languages: int = model.num_languages
        self.device = device
        self.answers: SimpleQueue[Answer] = SimpleQueue()
        self._clip = clip
        self._questions = questions
        self._asked = 0

    def decode(self, segment: Tensor, options: Any) -> Any:
        """Ask for a window to be decoded."""
        return self._answer(segment, options)

    def detect_language(self, segment: Tensor) -> Any:
        """Ask for the language of a window."""
        return self._answer(segment, None)

    def _answer(self, segment: Tensor, options: Any) -> Any:
        self._questions.put(Window(self._clip, self._asked, segment, options))
        self._asked += 1
        answer = self.answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """One clip is done: what ``transcribe()`` returned, or the error that it ended with."""

    clip: int
    result: dict[str, Any] | Exception


class StoppedError(Exception):
    """Told to the clips that still wait when listening ends early."""


def transcribe_all(
    model: Any,
    mels: Sequence[Tensor],
    keywords: Sequence[dict[str, Any]],
    answer: Callable[[Sequence[Window]], Sequence[Answer]],
) -> list[dict[str, Any] | Exception]:
    """Return what the engine's ``transcribe()`` returns for each clip, or the exception that it ended with.

    Args:
        model: the engine's model.
        mels: one a clip, as ``padded_log_mel`` makes them.
        keywords: what ``transcribe()`` is told, one a clip.
        answer: decodes the windows that all clips wait for, and returns an answer or an exception for each. What it
            raises ends everything.
    """
    transcribe = _on_mels()
    questions: SimpleQueue[Window | Ended] = SimpleQueue()
    ears = [Ear(clip, model, mel.device, questions) for clip, mel in enumerate(mels)]

    def listen(clip: int) -> None:
        try:
            questions.put(Ended(clip, transcribe(ears[clip], mels[clip], **keywords[clip])))
        except Exception as error:  # one clip's end must not be another's
            questions.put(Ended(clip, error))
        except BaseException as error:  # a panic of the tokenizer is no Exception; unsaid, all would wait for it
            questions.put(Ended(clip, RuntimeError(f"{type(error).__name__}: {error}")))

    results: dict[int, dict[str, Any] | Exception] = {}
    with _threads(listen, ears) as waiting:
        while waiting.clips:
            met = [questions.get() for _ in waiting.clips]
            results |= {end.clip: end.result for end in met if isinstance(end, Ended)}
            windows = sorted((one for one in met if isinstance(one, Window)), key=lambda one: one.clip)
            waiting.clips = [window.clip for window in windows]
            for window, said in zip(windows, answer(windows) if windows else (), strict=True):
                ears[window.clip].answers.put(said)
    return [results[clip] for clip in range(len(mels))]


@dataclass(slots=True)
class _Waiting:
    clips: list[int] = field(default_factory=list)


@contextmanager
def _threads(listen: Callable[[int], None], ears: Sequence[Ear]) -> Iterator[_Waiting]:
    """Start a thread a clip; whatever happens, none is left waiting."""
    threads = [threading.Thread(target=listen, args=(clip,), name="listen", daemon=True) for clip in range(len(ears))]
    try:
        for thread in threads:
            thread.start()
        yield _Waiting(list(range(len(ears))))
    finally:
        for ear in ears:
            ear.answers.put(StoppedError())  # read only by a clip that still asks
        for thread in threads:
            if thread.ident is not None:  # it was started: a machine may refuse one, and Ctrl-C may come between two
                thread.join()


def _on_mels() -> Callable[..., dict[str, Any]]:
    """Return the engine's ``transcribe()``, bound to take a clip's mels where it would make them of audio."""
    original = import_module("whisper.transcribe").transcribe
    names = original.__globals__ | {"log_mel_spectrogram": _as_given}
    bound = FunctionType(original.__code__, names, original.__name__, original.__defaults__, original.__closure__)
    bound.__kwdefaults__ = original.__kwdefaults__
    return bound


def _as_given(mel: Tensor, _n_mels: int, *, padding: int) -> Tensor:
    return mel
