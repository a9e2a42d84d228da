"""Whisper through faster-whisper (CTranslate2), on CPU or CUDA.

Clips are decoded one at a time, so the words cannot depend on the batch or its order; clips over 30 s go
through the engine's own windows and are never cut. What the engine is told is in
``faster_whisper_options``, where the weights come from in ``weights``.
"""

import importlib
import json
import logging
import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from pipeline.asr import weights
from pipeline.asr.base import SAMPLE_RATE_HZ, Hypothesis, Request
from pipeline.asr.faster_whisper_options import FasterWhisperSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

logger = logging.getLogger(__name__)

TOO_SHORT_S = 0.1
"""No word fits in less; such a clip keeps its (usually empty) answer and a note."""

LIBRARIES = ("faster-whisper", "ctranslate2", "tokenizers")
DEFAULT_COMPUTE = {"cpu": "float32", "cuda": "float16"}


class FasterWhisper:
    """The faster-whisper engine as a backend."""

    Settings: ClassVar[type[BaseModel]] = FasterWhisperSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: FasterWhisperSettings) -> None:
        self._settings = settings
        self._weights: weights.Weights | None = None
        self._device: str = settings.device
        self._compute_type: str = settings.compute_type
        self._model: Any = None

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

    def prepare(self) -> None:
        """Find and verify the weights; settle device and number type.

        Raises:
            MissingPrerequisite: if the engine, the weights or a CUDA device is not here.
            BackendError: if the weights are wrong or the device cannot compute as asked.
        """
        self._weights = weights.find(self._settings.model)
        self._device, self._compute_type = _settle(self._settings.device, self._settings.compute_type)
        language = self._settings.decoding.language
        if self._settings.model.endswith(".en") and language not in (None, "en"):
            raise BackendError(f"asr.decoding.language: {self._settings.model} knows English only, not {language!r}.")
        if any(value > 0 for value in self._settings.decoding.temperature):
            logger.warning("asr.decoding.temperature goes above 0: those windows are sampled and may change by the run")
        logger.info("weights of %s: %s (%s)", self.name, self._weights.folder, self._weights.place)

    def fingerprint(self) -> dict[str, str]:
        """Return weights by hash, options, library versions, device kind and number type; not the threads."""
        if self._weights is None:
            raise RuntimeError("fingerprint() before prepare()")
        options = {
            f"decoding.{name}": json.dumps(value) for name, value in self._settings.decoding.model_dump().items()
        }
        return {
            "kind": "faster_whisper",
            "device": self._device,
            "compute_type": self._compute_type,
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
        threads = self._settings.cpu_threads or _processors()
        folder = self._weights.folder
        try:
            self._model = engine.WhisperModel(
                str(folder),
                device=self._device,
                compute_type=self._compute_type,
                cpu_threads=threads,
                num_workers=1,
                local_files_only=True,
            )
            self._check_language()
            if self._device == "cuda":  # a missing CUDA library shows at the first clip: once here, not at every clip
                self._hear(np.zeros(SAMPLE_RATE_HZ, dtype=np.float32))
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            raise BackendError(f"asr: {folder} cannot be loaded on {self._device}: {_line(error)}") from error

    def _check_language(self) -> None:
        known, language = self._model.supported_languages, self._settings.decoding.language
        if language is not None and language not in known:
            raise BackendError(f"asr.decoding.language: {self.name} does not know {language!r} but {', '.join(known)}.")

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Transcribe each clip by itself; one that fails gives a FAILED hypothesis and the rest go on."""
        if self._model is None:
            raise RuntimeError("transcribe() before load()")
        return [self._answer(request.samples) for request in batch]

    def _answer(self, samples: NDArray[np.float32] | None) -> Hypothesis:
        problem = unusable(samples)
        if samples is None or problem:
            return Hypothesis("", Status.FAILED, detail=problem)
        started_s = time.perf_counter()
        try:
            segments = self._hear(samples)
        except Exception as error:  # whatever one clip does to the engine must not end a run of thousands
            detail = f"the engine failed on this clip: {_line(error)}"
            return Hypothesis("", Status.FAILED, detail=detail, decode_s=time.perf_counter() - started_s)
        duration_s = samples.size / SAMPLE_RATE_HZ
        note = f"the clip lasts {duration_s:.4f} s, too short to hold a word" if duration_s < TOO_SHORT_S else ""
        return _heard(segments, note, decode_s=time.perf_counter() - started_s)

    def _hear(self, samples: NDArray[np.float32]) -> list[Any]:
        audio = np.ascontiguousarray(samples, dtype=np.float32)
        segments, _ = self._model.transcribe(audio, **self._settings.decoding.as_keywords())
        return list(segments)

    def close(self) -> None:
        """Forget the model; its memory goes with it."""
        self._model = None


def unusable(samples: NDArray[np.float32] | None) -> str:
    """Return a sentence saying why a clip cannot be transcribed, or empty text."""
    if samples is None:
        return "no audio was handed over"
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        return f"the clip is not mono floating point: shape {samples.shape}, {samples.dtype}"
    if samples.size == 0:
        return "the clip has no samples"
    bad = int(samples.size - np.count_nonzero(np.isfinite(samples)))
    return f"{bad} of {samples.size} samples are not finite numbers" if bad else ""


def _heard(segments: Sequence[Any], note: str, *, decode_s: float) -> Hypothesis:
    """Join segments. Log-probability: mean weighted by tokens; the other two: the worst (largest) window.

    A window that the engine took for silence yields no segment and so has no say here.
    """
    text = "".join(segment.text for segment in segments).strip()
    if not segments:
        return Hypothesis(text, Status.OK, detail=note, decode_s=decode_s)
    tokens = [max(len(segment.tokens), 1) for segment in segments]
    logprobs = sum(count * segment.avg_logprob for count, segment in zip(tokens, segments, strict=True))
    return Hypothesis(
        text,
        Status.OK,
        detail=note,
        decode_s=decode_s,
        avg_logprob=float(logprobs / sum(tokens)),
        no_speech_prob=float(max(segment.no_speech_prob for segment in segments)),
        compression_ratio=float(max(segment.compression_ratio for segment in segments)),
    )


def _settle(device: str, compute_type: str) -> tuple[str, str]:
    ctranslate2 = importlib.import_module("ctranslate2")
    devices = ctranslate2.get_cuda_device_count()
    if device == "cuda" and not devices:
        raise MissingPrerequisite("asr.device: cuda is asked for, but no CUDA device is seen here. Use asr.device=cpu")
    settled = ("cuda" if devices else "cpu") if device == "auto" else device
    number = DEFAULT_COMPUTE[settled] if compute_type == "default" else compute_type
    supported = ctranslate2.get_supported_compute_types(settled)
    if number not in supported:
        raise BackendError(
            f"asr.compute_type: this machine's {settled} cannot compute in {number};"
            f" it can in {', '.join(sorted(supported))}."
        )
    return settled, number


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"
