"""The model on its device, hearing many clips at once.

On a CPU each thread takes windows of its own and computes them alone: one window is encoded as fast as the processor
multiplies, and what a thread does hangs on no other. On a GPU everything goes through one stream, in parts that are
halved when memory runs out.
"""

import hashlib
from collections.abc import Iterable, Sequence
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

from pipeline.asr.whisper.decoding import decode
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
        self._pool = ThreadPoolExecutor(threads if self._alone else 1, thread_name_prefix="whisper")
        self._threads = threads if self._alone else 1
        self._rows = Rows(self.model.dims, dtype, device, threads)
        self._before = torch.get_num_threads()
        if self._alone:
            torch.set_num_threads(1)

    def close(self) -> None:
        """End the threads, and give torch back the number of its own."""
        self._pool.shutdown()
        torch.set_num_threads(self._before)

    @torch.no_grad()
    def hear(self, clips: Sequence[Clip]) -> list[Heard]:
        """Return what was heard of each clip. One that fails does not touch the others."""
        n_mels = self.model.dims.n_mels
        mels = list(self._pool.map(lambda clip: padded_log_mel(clip.samples, n_mels, self.device), clips))
        batch = _Batch(clips)
        keywords = [clip.keywords for clip in clips]
        results = transcribe_all(self.model, mels, keywords, lambda windows: self._answers(windows, batch))
        return [Heard(result, batch.n_tokens.get(at, 0)) for at, result in enumerate(results)]

    def _answers(self, windows: Sequence[Window], batch: _Batch) -> list[Answer]:
        answers: dict[int, Answer] = {}
        alike = sorted(windows, key=lambda window: repr(window.options))  # stable: the order of the clips stays
        for _, group in groupby(alike, key=lambda window: repr(window.options)):
            for part, said in self._shared_out(list(group), batch):
                answers |= {window.clip: answer for window, answer in zip(part, said, strict=True)}
        return [answers[window.clip] for window in windows]

    def _shared_out(
        self, windows: Sequence[Window], batch: _Batch
    ) -> Iterable[tuple[Sequence[Window], Sequence[Answer]]]:
        size = max(FEWEST, -(-len(windows) // self._threads)) if self._alone else len(windows)
        parts = _parts(windows, min(size, self._rows.most))
        return zip(parts, self._pool.map(lambda part: self._heard(part, batch), parts), strict=True)

    def _heard(self, windows: Sequence[Window], batch: _Batch) -> Sequence[Answer]:
        """Answer windows of like options together; what fails is tried again in parts, to the last one by itself."""
        try:
            return self._together(windows, batch)
        except Exception as error:
            if len(windows) == 1:
                return [error]
            size = self._rows.most if out_of_memory(error) and self._rows.halve(len(windows)) else 1
            torch.cuda.empty_cache()
        return [answer for part in _parts(windows, size) for answer in self._heard(part, batch)]

    @torch.no_grad()
    def _together(self, windows: Sequence[Window], batch: _Batch) -> Sequence[Answer]:
        features = self._features(windows, batch)
        if windows[0].options is None:
            tokens, shares = detect_language(self.model, features)
            return list(zip(tokens, shares, strict=True))
        seeds = [_seed(batch.clips[window.clip].seed, window.asked) for window in windows]
        results = decode(self.model, features, windows[0].options, seeds)
        for window, result in zip(windows, results, strict=True):
            emitted = len(result.tokens) + 1  # the end of text too
            batch.n_tokens[window.clip] = batch.n_tokens.get(window.clip, 0) + emitted
        return results

    def _features(self, windows: Sequence[Window], batch: _Batch) -> Tensor:
        """Return windows encoded, (batch, positions, state); one that is asked about again is not encoded again."""
        new = [window for window in windows if not _known(window, batch)]
        for part in _parts(new, 1 if self._alone else max(1, self._rows.most)):
            mels = torch.stack([window.segment for window in part]).to(self.dtype)
            for window, features in zip(part, self.model.encoder(mels), strict=True):
                batch.encoded[window.clip] = (window.segment, features)
        return torch.stack([batch.encoded[window.clip][1] for window in windows])


def _known(window: Window, batch: _Batch) -> bool:
    return window.clip in batch.encoded and batch.encoded[window.clip][0] is window.segment


def _parts(windows: Sequence[Window], size: int) -> list[Sequence[Window]]:
    return [windows[start : start + size] for start in range(0, len(windows), size)]


def _seed(clip: str, asked: int) -> int:
    digest = hashlib.blake2b(f"{clip}|{asked}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")
