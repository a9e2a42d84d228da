"""openai-whisper as the study sees it: found, verified, loaded, asked a batch at a time.

Nothing here imports torch before it is needed. What the engine is told is in ``options``, where weights come from in
``weights``.
"""

import json
import logging
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel

from pipeline import processors
from pipeline.asr.base import Hypothesis, RepeatSettings, Request
from pipeline.asr.clips import line, note_on_length, unusable
from pipeline.asr.segments import Segment, confidences
from pipeline.asr.weights import Weights
from pipeline.asr.whisper import weights
from pipeline.asr.whisper.options import WhisperSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

if TYPE_CHECKING:
    from pipeline.asr.whisper.engine import Clip, Engine, Heard

logger = logging.getLogger(__name__)

LIBRARIES = ("openai-whisper", "torch", "tiktoken")
DEFAULT_DTYPE = {"cpu": "float32", "cuda": "float16"}


class Whisper:
    """The openai-whisper engine as a backend."""

    Settings: ClassVar[type[BaseModel]] = WhisperSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: WhisperSettings) -> None:
        self._settings = settings
        self._weights: Weights | None = None
        self._device: str = settings.device
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """``whisper:`` and the model's name, or that of its file."""
        file = weights.user_file(self._settings.model)
        return f"whisper:{file.stem if file else self._settings.model}"

    @property
    def batch_size(self) -> int:
        """Clips per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda`` after ``prepare``."""
        return self._device.partition(":")[0]

    @property
    def repeating(self) -> RepeatSettings:
        """How often and at which temperatures the study wants each trial again."""
        return self._settings

    def on(self, device: str) -> Self:
        """Return an unloaded copy for ``device``."""
        return type(self)(self._settings.model_copy(update={"device": device}))

    def prepare(self) -> None:
        """Find and verify the weights; settle the device.

        Raises:
            MissingPrerequisite: if the engine, the weights or a CUDA device is not here.
            BackendError: if the weights are wrong, or the model cannot do what the options ask.
        """
        model, language = self._settings.model, self._settings.decoding.language
        if model.endswith(".en") and language not in (None, "en"):
            raise BackendError(
                f"asr.decoding.language: {model} knows English only, not {language!r}. Use asr.decoding.language=en, or"
                f" a model of many languages: asr.model={model.removesuffix('.en')}"
            )
        self._device = _settled(self._settings.device)  # first: a download of gigabytes may follow
        if self.device == "cpu" and self._settings.dtype == "float16":
            raise BackendError("asr.dtype: float16 is for CUDA; on a CPU choose float32 or bfloat16.")
        self._weights = weights.find(model)
        logger.info("weights of %s: %s (%s)", self.name, self._weights.folder, self._weights.place)

    @property
    def _dtype(self) -> str:
        return DEFAULT_DTYPE[self.device] if self._settings.dtype == "default" else self._settings.dtype

    def fingerprint(self) -> dict[str, str]:
        """Return weights by hash, options, library versions, device kind and number type; no threads or batches."""
        found = self._found()
        options = self._settings.decoding.model_dump().items()
        return {
            "kind": "whisper",
            "device": self.device,
            "dtype": self._dtype,
            **{f"sha256.{name}": digest for name, digest in found.sha256.items()},
            **{f"version.{name}": version(name) for name in LIBRARIES},
            **{f"decoding.{name}": json.dumps(value) for name, value in options},
        }

    def _found(self) -> Weights:
        if self._weights is None:
            raise RuntimeError("the weights are asked for before prepare()")
        return self._weights

    def load(self) -> None:
        """Bring the weights into memory.

        Raises:
            BackendError: if the file is truncated or no checkpoint, or the model does not know the language.
        """
        self.close()
        file = self._found().folder
        torch: Any = import_module("torch")
        engine = import_module("pipeline.asr.whisper.engine")
        device = torch.device(self._device)
        try:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
            loaded = engine.Engine(
                checkpoint,
                device=device,
                dtype=getattr(torch, self._dtype),
                threads=self._settings.cpu_threads or processors.usable(),
            )
        except Exception as error:  # a damaged file raises whatever its reader meets first
            raise BackendError(
                f"asr.model: {file} cannot be loaded on {self._device}: {line(error)} Copy it again if it is not whole;"
                " it must be a checkpoint in openai-whisper's own layout."
            ) from error
        self._engine = loaded
        self._check_language(loaded.model)

    def _check_language(self, model: Any) -> None:
        language = self._settings.decoding.language
        known = (
            list(import_module("whisper.tokenizer").LANGUAGES)[: model.num_languages]
            if model.is_multilingual
            else ["en"]
        )
        if language is not None and language not in known:
            raise BackendError(f"asr.decoding.language: {self.name} does not know {language!r} but {', '.join(known)}.")

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Transcribe clips together; one that fails gives a FAILED hypothesis and the rest go on."""
        if self._engine is None:
            raise RuntimeError("transcribe() before load()")
        problems = [unusable(request.samples) for request in batch]
        usable = [request for request, problem in zip(batch, problems, strict=True) if not problem]
        started_s = time.perf_counter()
        heard = iter(self._engine.hear([self._clip(request) for request in usable])) if usable else iter(())
        share_s = (time.perf_counter() - started_s) / max(1, len(usable))
        return [
            Hypothesis("", Status.FAILED, detail=problem) if problem else _hypothesis(request, next(heard), share_s)
            for request, problem in zip(batch, problems, strict=True)
        ]

    def _clip(self, request: Request) -> "Clip":
        from pipeline.asr.whisper.engine import Clip

        keywords, seed = self._settings.decoding.as_keywords(), request.trial_key
        if request.draw is not None:
            keywords |= {"temperature": request.draw.temperature, "best_of": None}
            seed = f"draw {request.draw.seed}"
        if request.samples is None:
            raise RuntimeError("a clip without samples was taken for usable")
        return Clip(request.samples, keywords, seed)

    def close(self) -> None:
        """Forget the model; its memory goes with it."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _hypothesis(request: Request, heard: "Heard", decode_s: float) -> Hypothesis:
    if isinstance(heard.result, Exception):
        detail = f"the engine failed on this clip: {line(heard.result)}"
        return Hypothesis("", Status.FAILED, detail=detail, decode_s=decode_s, n_tokens=heard.n_tokens)
    segments = [
        Segment(len(one["tokens"]), one["avg_logprob"], one["no_speech_prob"], one["compression_ratio"])
        for one in heard.result["segments"]
    ]
    return Hypothesis(
        heard.result["text"].strip(),
        Status.OK,
        detail="" if request.samples is None else note_on_length(request.samples),
        decode_s=decode_s,
        n_tokens=heard.n_tokens,
        **confidences(segments),
    )


def _settled(device: str) -> str:
    if device == "cpu":
        return device
    torch: Any = weights.library("torch")
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if seen else "cpu"
    if int(device.partition(":")[2] or 0) >= seen:
        raise MissingPrerequisite(
            f"asr.device: {device} is asked for, but {seen} CUDA devices are seen here. "
            "Use asr.device=cpu, or see what stages=[doctor] says."
        )
    return device
