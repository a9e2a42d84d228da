"""The model on its device, hearing many clips at once.

On a CPU each thread takes windows of its own and computes them alone: one window is encoded as fast as the processor
multiplies, and what a thread does hangs on no other. On a GPU everything goes through one stream, in parts that are
halved when memory runs out.
"""

import contextlib
import hashlib
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from whisper import ModelDimensions
from whisper import Whisper as Model
from whisper.decoding import detect_language
from whisper.tokenizer import get_tokenizer

from pipeline.asr.whisper.decoding import decode
from pipeline.asr.whisper.encoding import Encoder
from pipeline.asr.whisper.inference import cast
from pipeline.asr.whisper.listening import Answer, Window, transcribe_all
from pipeline.asr.whisper.mel import padded_log_mel
from pipeline.asr.whisper.rows import Rows, out_of_memory

FEWEST: Final = 8
"""Windows that are not dealt out to more threads on a CPU: decoded together they cost less than apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip to hear: mono samples of 16 kHz, what ``transcribe()`` is told of it, and what its draws hang on."""

    samples: NDArray[np.float32]
    keywords: dict[str, Any]
    seed: str


@dataclass(slots=True)
class Heard:
    """What ``transcribe()`` returned, or the error it ended with, and how many tokens the decoder emitted for it."""

    result: dict[str, Any] | Exception
    n_tokens: int = 0


@dataclass(slots=True)
class _Batch:
    """The clips that are being heard, with the last window of each and what it was encoded to."""

    clips: Sequence[Clip]
    encoded: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    n_tokens: dict[int, int] = field(default_factory=dict)


class _OneThread:
    """Torch computes each call in one thread while an engine on a CPU is loaded, and as before when none is left."""

    _lock = threading.Lock()
    _holders = 0
    _before = 0

    @classmethod
    def hold(cls) -> None:
        with cls._lock:
            if cls._holders == 0:
                cls._before = torch.get_num_threads()
            cls._holders += 1
            torch.set_num_threads(1)

    @classmethod
    def release(cls) -> None:
        with cls._lock:
            cls._holders -= 1
            if cls._holders == 0:
                torch.set_num_threads(cls._before)


class Engine:
    """openai-whisper's model, loaded."""

    def __init__(self, checkpoint: Any, *, device: torch.device, dtype: torch.dtype, threads: int) -> None:
        """Build the model from what a checkpoint holds: ``dims`` and ``model_state_dict``."""
        self.model = Model(ModelDimensions(**checkpoint["dims"]))
        self.model.load_state_dict(checkpoint["model_state_dict"])
        self.model.to(device).eval()
        cast(self.model, dtype)
        self.device, self.dtype = device, dtype
        self._alone = device.type == "cpu"
        padding_is_known = self._alone and dtype == torch.float32
        self._encoder: Callable[[Tensor], Tensor] = (
            Encoder(self.model.encoder) if padding_is_known else self.model.encoder
        )
        self._pool = ThreadPoolExecutor(threads if self._alone else 1, thread_name_prefix="whisper")
        self._threads = threads if self._alone else 1
        self._rows = Rows(self.model.dims, dtype, device, threads)
        # made once and kept by the engine; clips that all begin at once would each make it
        get_tokenizer(self.model.is_multilingual, num_languages=self.model.num_languages)
        self._open = True
        if self._alone:
            _OneThread.hold()

    def close(self) -> None:
        """End the threads, and give torch back the number of its own; more than once is once."""
        self._pool.shutdown()
        if self._alone and self._open:
            _OneThread.release()
        self._open = False

    @torch.no_grad()
    def hear(self, clips: Sequence[Clip]) -> list[Heard]:
        """Return what was heard of each clip. One that fails does not touch the others."""
        made = list(self._pool.map(self._mel, clips))
        whole = [at for at, mel in enumerate(made) if isinstance(mel, Tensor)]
        mels, batch = [mel for mel in made if isinstance(mel, Tensor)], _Batch([clips[at] for at in whole])
        keywords = [clip.keywords for clip in batch.clips]
        results = transcribe_all(self.model, mels, keywords, lambda windows: self._answers(windows, batch))
        heard = {at: Heard(mel) for at, mel in enumerate(made) if isinstance(mel, Exception)}
        heard |= {
            at: Heard(result, batch.n_tokens.get(place, 0))
            for place, (at, result) in enumerate(zip(whole, results, strict=True))
        }
        return [heard[at] for at in range(len(clips))]

    def _mel(self, clip: Clip) -> Tensor | Exception:
        try:
            return padded_log_mel(clip.samples, self.model.dims.n_mels, self.device)
        except Exception as error:  # such as no memory for hours of audio
            return error

    def _answers(self, windows: Sequence[Window], batch: _Batch) -> list[Answer]:
        if self._alone:  # threads take one window after the other, so that none waits for another's share
            list(self._pool.map(lambda window: self._encode_ahead(window, batch), windows))
        alike = sorted(windows, key=lambda window: repr(window.options))  # stable: the order of the clips stays
        groups = groupby(alike, key=lambda window: repr(window.options))
        parts = [part for _, group in groups for part in self._dealt(list(group))]
        answers: dict[int, Answer] = {}
        for part, said in zip(parts, self._pool.map(lambda part: self._heard(part, batch), parts), strict=True):
            answers |= {window.clip: answer for window, answer in zip(part, said, strict=True)}
        return [answers[window.clip] for window in windows]

    def _dealt(self, windows: Sequence[Window]) -> list[Sequence[Window]]:
        size = max(FEWEST, -(-len(windows) // self._threads)) if self._alone else len(windows)
        return _parts(windows, min(size, self._most(windows)))

    def _most(self, windows: Sequence[Window]) -> int:
        return max(1, self._rows.most // _group(windows[0]))

    def _heard(self, windows: Sequence[Window], batch: _Batch) -> Sequence[Answer]:
        """Answer windows of like options together; what fails is tried again in parts, to the last one by itself."""
        try:
            return self._together(windows, batch)
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # they hold what filled the memory
            if len(windows) == 1:
                return [error]
            fewer = out_of_memory(error) and self._rows.halve(len(windows) * _group(windows[0]))
        torch.cuda.empty_cache()
        parts = _parts(windows, min(self._most(windows), len(windows) // 2) if fewer else 1)
        return [answer for part in parts for answer in self._heard(part, batch)]

    @torch.no_grad()
    def _together(self, windows: Sequence[Window], batch: _Batch) -> Sequence[Answer]:
        features = self._features(windows, batch)
        if windows[0].options is None:
            # on a CPU each alone, as the engine does: too few rows are summed up otherwise
            return [
                one
                for part in torch.split(features, 1 if self._alone else len(windows))
                for one in self._languages(part)
            ]
        seeds = [_seed(batch.clips[window.clip].seed, window.asked) for window in windows]
        results = decode(self.model, features, windows[0].options, seeds)
        for window, result in zip(windows, results, strict=True):
            emitted = len(result.tokens) + 1  # the end of text too
            batch.n_tokens[window.clip] = batch.n_tokens.get(window.clip, 0) + emitted
        return results

    def _languages(self, features: Tensor) -> list[Answer]:
        tokens, shares = detect_language(self.model, features)
        return list(zip(tokens, shares, strict=True))

    @torch.no_grad()
    def _encode_ahead(self, window: Window, batch: _Batch) -> None:
        with contextlib.suppress(Exception):  # it fails again where it is asked about, and is answered there
            self._features([window], batch)

    def _features(self, windows: Sequence[Window], batch: _Batch) -> Tensor:
        """Return windows encoded, (batch, positions, state); one that is asked about again is not encoded again."""
        new = [window for window in windows if not _known(window, batch)]
        for part in _parts(new, 1 if self._alone else max(1, self._rows.most)):
            mels = torch.stack([window.segment for window in part]).to(self.dtype)
            for window, features in zip(part, self._encoder(mels), strict=True):
                batch.encoded[window.clip] = (window.segment, features)
        return torch.stack([batch.encoded[window.clip][1] for window in windows])


def _known(window: Window, batch: _Batch) -> bool:
    return window.clip in batch.encoded and batch.encoded[window.clip][0] is window.segment


def _group(window: Window) -> int:
    """Return how many rows are decoded for a window: its beams, or its candidates."""
    options = window.options
    return 1 if options is None else options.beam_size or options.best_of or 1


def _parts(windows: Sequence[Window], size: int) -> list[Sequence[Window]]:
    return [windows[start : start + size] for start in range(0, len(windows), size)]


def _seed(clip: str, asked: int) -> int:
    digest = hashlib.blake2b(f"{clip}|{asked}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")
