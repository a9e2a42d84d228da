"""Many clips in one pass of faster-whisper's own batched path.

A clip's window is prepared as the sequential decoder does it (log-mel frames, then zeros up to 30 s), so that
for the first decoding of a window both are told the same. What this path has not: retries at higher temperatures
on a bad window, and the second pass over what lies behind a window's last timestamp. Its tokens are taken
as a whole: cut into segments, as the engine's ``forward`` does it, words behind the last timestamp would be lost.

The engine shrinks its batch while clips end, so the shapes of its matrix products, and with them the last bits of their
sums, depend on the company. Measured on 48 read sentences, tiny.en, float32 on CPU, in batches of 1, 5 and 8
and in two orders: log-probabilities differed by 1e-6, no word did. Where words must not hang on even that, decode
sequentially.
"""

import gc
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.asr.base import SAMPLE_RATE_HZ
from pipeline.asr.faster_whisper_options import DecodingOptions
from pipeline.asr.halving import Halving

WINDOW_S = 30


@dataclass(frozen=True, slots=True)
class Window:
    """What was heard in one window; named as in the engine's own segments."""

    text: str
    tokens: Sequence[int]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


class BatchedDecoder:
    """A loaded engine and its options, ready to decode clips together."""

    def __init__(self, model: Any, decoding: DecodingOptions, *, batch_size: int) -> None:
        self._engine = importlib.import_module("faster_whisper.transcribe")
        self._pipeline = self._engine.BatchedInferencePipeline(model)
        self._model = model
        self._decoding = decoding
        self._in_parts = Halving(batch_size)
        # the language put here is replaced window by window where it is to be detected
        self._tokenizer = self._engine.Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task=decoding.task, language=decoding.language or "en"
        )
        self._options = self._told()

    def _told(self) -> Any:
        keywords = self._decoding.as_keywords() | {"temperatures": [0.0], "clip_timestamps": []}
        prompt = self._decoding.initial_prompt
        keywords["initial_prompt"] = (
            None if prompt is None else f" {prompt.strip()}"
        )  # as the sequential decoder has it
        if keywords["suppress_tokens"]:
            keywords["suppress_tokens"] = self._engine.get_suppressed_tokens(
                self._tokenizer, keywords["suppress_tokens"]
            )
        detected = self._decoding.language is None or self._decoding.multilingual
        keywords["multilingual"] = detected and self._model.model.is_multilingual
        known = self._engine.TranscriptionOptions.__dataclass_fields__
        return self._engine.TranscriptionOptions(**{name: keywords[name] for name in known})

    def takes(self, samples: NDArray[np.float32]) -> bool:
        """Return whether the clip fits one window, or is cut into windows by the voice-activity filter."""
        longest_s = self._decoding.chunk_length or WINDOW_S
        return self._decoding.vad_filter or samples.size <= longest_s * SAMPLE_RATE_HZ

    def hear(self, clips: Sequence[NDArray[np.float32]]) -> list[list[Window]]:
        """Return the windows of each clip, those taken for silence left out.

        Raises:
            RuntimeError: from the engine, also when a single window does not fit the memory of the device.
        """
        cut = [self._windows(clip) for clip in clips]
        windows = [window for part in cut for window in part]
        heard = iter(self._in_parts(windows, self._together, free=gc.collect))
        return [[found for found in (next(heard) for _ in part) if not self._silent(found)] for part in cut]

    def _windows(self, clip: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        if not self._decoding.vad_filter:
            return [clip]
        vad = importlib.import_module("faster_whisper.vad")
        longest_s = self._decoding.chunk_length or WINDOW_S
        told = self._decoding.vad_parameters.model_dump()
        told["max_speech_duration_s"] = min(told["max_speech_duration_s"], longest_s)
        spoken = vad.get_speech_timestamps(clip, vad.VadOptions(**told))
        chunks, _ = vad.collect_chunks(clip, spoken, max_duration=longest_s)
        return [chunk for chunk in chunks if chunk.size]

    def _together(self, windows: Sequence[NDArray[np.float32]]) -> list[Window]:
        extract, fit = self._model.feature_extractor, self._engine.pad_or_trim
        features = np.stack([fit(extract(np.asarray(window, dtype=np.float32))[..., :-1]) for window in windows])
        _, results = self._pipeline.generate_segment_batched(features, self._tokenizer, self._options)
        return [self._window(result) for result in results]

    def _window(self, result: dict[str, Any]) -> Window:
        text = self._tokenizer.decode(result["tokens"])
        return Window(
            text=text,
            tokens=result["tokens"],
            avg_logprob=float(result["avg_logprob"]),
            no_speech_prob=float(result["no_speech_prob"]),
            compression_ratio=float(self._engine.get_compression_ratio(text.strip())),
        )

    def _silent(self, window: Window) -> bool:
        """Apply the rule of the sequential decoder, which the engine's batched path leaves out."""
        silence, sure = self._decoding.no_speech_threshold, self._decoding.log_prob_threshold
        if silence is None or window.no_speech_prob <= silence:
            return not window.text.strip()
        return sure is None or window.avg_logprob <= sure
