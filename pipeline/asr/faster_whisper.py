"""Whisper through faster-whisper (CTranslate2), on CPU or CUDA.

The sequential decoder takes clips one at a time, so the words cannot depend on the batch or its order; the batched one
(``faster_whisper_batched``) takes many at once. Clips over 30 s go through the engine's own windows and are never cut.
What the engine is told is in ``faster_whisper_options``, where the weights come from in ``weights``.
"""

import copy
import importlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from pipeline import processors
from pipeline.asr import weights
from pipeline.asr.base import SAMPLE_RATE_HZ, Draw, Hypothesis, RepeatSettings, Request
from pipeline.asr.clips import line, note_on_length, unusable
from pipeline.asr.faster_whisper_batched import BatchedDecoder
from pipeline.asr.faster_whisper_device import settle_decoder, settle_device, settle_number
from pipeline.asr.faster_whisper_options import FasterWhisperSettings
from pipeline.asr.segments import Segment, confidences
from pipeline.errors import BackendError
from pipeline.records import Status

logger = logging.getLogger(__name__)

LIBRARIES = ("faster-whisper", "ctranslate2", "tokenizers")
SEEDS = 2**32 - 1
"""CTranslate2 takes 32 bits for a seed, and the largest of them for "none given"."""


class FasterWhisper:
    """The faster-whisper engine as a backend."""

    Settings: ClassVar[type[BaseModel]] = FasterWhisperSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: FasterWhisperSettings) -> None:
        self._settings = settings
        self._weights: weights.Weights | None = None
        self._device, _, index = settings.device.partition(":")
        self._device_index = int(index or 0)
        self._compute_type: str = settings.compute_type
        self._decoder: str = settings.decoder
        self._model: Any = None
        self._batched: BatchedDecoder | None = None

    @property
    def name(self) -> str:
        """``faster_whisper:`` and the model's name, or the name of its folder."""
        folder = weights.user_folder(self._settings.model)
        return f"faster_whisper:{folder.resolve().name if folder else self._settings.model}"

    @property
    def batch_size(self) -> int:
        """Clips per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda`` after ``prepare``."""
        return self._device

    @property
    def repeating(self) -> RepeatSettings:
        """How often and at which temperatures each trial is sampled again."""
        return self._settings

    def on(self, device: str) -> Self:
        """Return an unloaded copy for ``device``."""
        return type(self)(FasterWhisperSettings.model_validate(self._settings.model_dump() | {"device": device}))

    def prepare(self) -> None:
        """Find and verify the weights; settle device, number type and decoder.

        Raises:
            MissingPrerequisite: if the engine, the weights or a CUDA device is not here.
            BackendError: if the weights are wrong, or the device or the decoder cannot do what is asked.
        """
        model, decoding = self._settings.model, self._settings.decoding
        if model.endswith(".en") and decoding.language not in (None, "en"):
            raise BackendError(
                f"asr.decoding.language: {model} knows English only, not {decoding.language!r}. Use"
                f" asr.decoding.language=en, or a model of many languages: asr.model={model.removesuffix('.en')}"
            )
        self._device = settle_device(self._settings.device)  # first: a download of gigabytes may follow
        self._compute_type = settle_number(self._device, self._settings.compute_type)
        self._decoder = settle_decoder(self._device, self._settings)
        self._weights = weights.find(model)
        if any(value > 0 for value in decoding.temperature):
            logger.warning("asr.decoding.temperature goes above 0: those windows are sampled and may change by the run")
        logger.info("weights of %s: %s (%s)", self.name, self._weights.folder, self._weights.place)

    def fingerprint(self) -> dict[str, str]:
        """Return weights by hash, options, decoder, library versions, device kind and number type; not the threads."""
        if self._weights is None:
            raise RuntimeError("fingerprint() before prepare()")
        options = {
            f"decoding.{name}": json.dumps(value) for name, value in self._settings.decoding.model_dump().items()
        }
        return {
            "kind": "faster_whisper",
            "device": self._device,
            "compute_type": self._compute_type,
            "decoder": self._decoder,
            **{f"sha256.{name}": digest for name, digest in self._weights.sha256.items()},
            **{f"version.{name}": version(name) for name in LIBRARIES},
            **options,
        }

    def load(self) -> None:
        """Bring the weights into memory, from the verified folder and never from the network.

        Raises:
            BackendError: if the file is truncated, or the engine cannot use it, the device or the language.
        """
        if self._weights is None:
            raise RuntimeError("load() before prepare()")
        engine = importlib.import_module("faster_whisper")
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it reports every clip at INFO
        folder = self._weights.folder
        try:
            self._model = engine.WhisperModel(
                str(folder),
                device=self._device,
                device_index=self._device_index,
                compute_type=self._compute_type,
                cpu_threads=self._threads(),
                num_workers=1,
                local_files_only=True,
            )
            self._check_language()
            if self._decoder == "batched":
                self._batched = BatchedDecoder(self._model, self._settings.decoding, batch_size=self.batch_size)
            if self._device == "cuda":  # a missing CUDA library shows at the first clip: once here, not at every clip
                self._hear(self._model, np.zeros(SAMPLE_RATE_HZ, dtype=np.float32))
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            raise BackendError(
                f"asr.model: {folder} cannot be loaded on {self._device}: {line(error)} Copy or convert it again if it"
                " is not whole; stages=[doctor] examines the device."
            ) from error

    def _check_language(self) -> None:
        known, language = self._model.supported_languages, self._settings.decoding.language
        if language is not None and language not in known:
            raise BackendError(f"asr.decoding.language: {self.name} does not know {language!r} but {', '.join(known)}.")

    def _threads(self) -> int:
        return self._settings.cpu_threads or processors.usable()

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Transcribe each clip; one that fails gives a FAILED hypothesis and the rest go on."""
        if self._model is None:
            raise RuntimeError("transcribe() before load()")
        together = self._together(batch) if self._batched is not None else {}
        return [together[at] if at in together else self._answer(request) for at, request in enumerate(batch)]

    def _together(self, batch: Sequence[Request]) -> dict[int, Hypothesis]:
        """Answer by place the clips that can share a pass; if the pass fails, none: each is then tried by itself."""
        clips = {
            at: request.samples
            for at, request in enumerate(batch)
            if request.samples is not None and request.draw is None and not unusable(request.samples)
        }
        decoder = self._batched
        clips = {at: clip for at, clip in clips.items() if decoder is not None and decoder.takes(clip)}
        if decoder is None or not clips:
            return {}
        started_s = time.perf_counter()
        try:
            heard = decoder.hear(list(clips.values()))
        except Exception:  # which clip it was shows when each is heard alone
            return {}
        decode_s = (time.perf_counter() - started_s) / len(clips)
        return {
            at: _heard(windows, note_on_length(clip), decode_s=decode_s)
            for (at, clip), windows in zip(clips.items(), heard, strict=True)
        }

    def _answer(self, request: Request) -> Hypothesis:
        samples, problem = request.samples, unusable(request.samples)
        if samples is None or problem:
            return Hypothesis("", Status.FAILED, detail=problem)
        started_s = time.perf_counter()
        try:
            segments = self._way(samples, request.draw)()
        except Exception as error:  # whatever one clip does to the engine must not end a run of thousands
            detail = f"the engine failed on this clip: {line(error)}"
            return Hypothesis("", Status.FAILED, detail=detail, decode_s=time.perf_counter() - started_s)
        return _heard(segments, note_on_length(samples), decode_s=time.perf_counter() - started_s)

    def _way(self, samples: NDArray[np.float32], draw: Draw | None) -> Callable[[], Sequence[Any]]:
        decoder = self._batched
        if draw is not None:
            return lambda: self._draw(samples, draw)
        if decoder is not None and decoder.takes(samples):
            return lambda: decoder.hear([samples])[0]
        return lambda: self._hear(self._model, samples)

    def _hear(self, model: Any, samples: NDArray[np.float32], **instead: Any) -> list[Any]:
        audio = np.ascontiguousarray(samples, dtype=np.float32)
        segments, _ = model.transcribe(audio, **self._settings.decoding.as_keywords() | instead)
        return list(segments)

    def _draw(self, samples: NDArray[np.float32], draw: Draw) -> list[Any]:
        """Sample with the draw's own seed.

        CTranslate2 reads its seed when a worker thread first draws a number, and never again: in a model that has
        sampled before, the words would depend on what was heard before. So each draw gets a new worker, and that
        is only to be had with the weights loaded again (0.2 s for tiny.en on CPU).
        """
        ctranslate2 = importlib.import_module("ctranslate2")
        model = copy.copy(self._model)
        ctranslate2.set_random_seed(draw.seed % SEEDS)
        model.model = ctranslate2.models.Whisper(
            str(self._weights.folder if self._weights else ""),
            device=self._device,
            device_index=self._device_index,
            compute_type=self._compute_type,
            intra_threads=self._threads(),
            inter_threads=1,
        )
        return self._hear(model, samples, temperature=[draw.temperature], best_of=1)

    def close(self) -> None:
        """Forget the model; its memory goes with it."""
        self._model = self._batched = None


def _heard(segments: Sequence[Any], note: str, *, decode_s: float) -> Hypothesis:
    told = [Segment(len(one.tokens), one.avg_logprob, one.no_speech_prob, one.compression_ratio) for one in segments]
    return Hypothesis(
        "".join(one.text for one in segments).strip(),
        Status.OK,
        detail=note,
        decode_s=decode_s,
        n_tokens=sum(len(one.tokens) for one in segments),
        **confidences(told),
    )
