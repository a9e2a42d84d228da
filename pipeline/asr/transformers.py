"""Any speech recognizer of the transformers library, CTC or sequence to sequence, on CPU or CUDA.

On CPU every clip has its own forward pass, so that no word can depend on the batch. On CUDA clips share one where
padding cannot change what is heard (``transformers_models``). A model is never allowed to bring its own code.
"""

import importlib
import json
import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from pipeline.asr import weights
from pipeline.asr.base import Draw, Hypothesis, RepeatSettings, Request
from pipeline.asr.clips import line, note_on_length, unusable
from pipeline.asr.halving import Halving
from pipeline.asr.transformers_loading import describe, load, settle_device, settle_dtype
from pipeline.asr.transformers_models import Model, Said
from pipeline.asr.transformers_options import TransformersSettings
from pipeline.asr.transformers_weights import Found, find
from pipeline.errors import BackendError
from pipeline.records import Status

logger = logging.getLogger(__name__)

LIBRARIES = ("transformers", "torch", "tokenizers", "safetensors")


class Transformers:
    """A model of the transformers library as a backend."""

    Settings: ClassVar[type[BaseModel]] = TransformersSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: TransformersSettings) -> None:
        self._settings = settings
        self._found: Found | None = None
        self._place: str = settings.device
        self._dtype: str = settings.dtype
        self._in_parts = Halving(1)
        self._model: Model | None = None

    @property
    def name(self) -> str:
        """``transformers:`` and the hub id, or the name of the model's folder."""
        folder = weights.user_folder(self._settings.model)
        return f"transformers:{folder.resolve().name if folder else self._settings.model}"

    @property
    def batch_size(self) -> int:
        """Clips per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda`` after ``prepare``."""
        return self._place.partition(":")[0]

    @property
    def repeating(self) -> RepeatSettings:
        """How often and at which temperatures each trial is sampled again."""
        return self._settings

    def on(self, device: str) -> Self:
        """Return an unloaded copy for ``device``."""
        return type(self)(TransformersSettings.model_validate(self._settings.model_dump() | {"device": device}))

    def prepare(self) -> None:
        """Find and verify the model; settle device and number type.

        Raises:
            MissingPrerequisite: if the library, the model or a CUDA device is not here.
            BackendError: if what was found is no speech recognizer, or cannot do what is asked.
        """
        self._place = settle_device(self._settings.device)  # first: a download of gigabytes may follow
        self._dtype = settle_dtype(self.device, self._settings.dtype)
        found = find(self._settings.model, revision=self._settings.revision, allow_pickle=self._settings.allow_pickle)
        description = describe(found.folder)
        if self._settings.repeats and not description.writes:
            raise BackendError(
                f"asr.repeats: {self.name} is a CTC model, which has nothing to draw: it says the same each time."
                " Use asr.repeats=0"
            )
        description.check_language(self._settings.generation.language, self.name)
        self._in_parts = Halving(self.batch_size if self.device == "cuda" else 1)
        self._found = found
        logger.info("model of %s: %s (%s)", self.name, found.folder, found.place)

    def fingerprint(self) -> dict[str, str]:
        """Return the model's files by hash, options, library versions, device kind and number type."""
        if self._found is None:
            raise RuntimeError("fingerprint() before prepare()")
        settings = self._settings
        return {
            "kind": "transformers",
            "device": self.device,
            "dtype": self._dtype,
            "chunk_length_s": json.dumps(settings.chunk_length_s),
            "stride_length_s": json.dumps(settings.stride_length_s),
            **{f"sha256.{name}": digest for name, digest in self._found.sha256.items()},
            **{f"version.{name}": version(name) for name in LIBRARIES},
            **{f"generation.{name}": json.dumps(value) for name, value in settings.generation.model_dump().items()},
        }

    def load(self) -> None:
        """Bring the model into memory, from the verified folder and never from the network.

        Raises:
            BackendError: if the weights are truncated or not those of this model, or the device cannot hold them.
        """
        if self._found is None:
            raise RuntimeError("load() before prepare()")
        self._model = load(self._found, self._settings, place=self._place, dtype=self._dtype)

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Transcribe each clip; one that fails gives a FAILED hypothesis and the rest go on."""
        model = self._model
        if model is None:
            raise RuntimeError("transcribe() before load()")
        together = self._together(batch, model) if self._in_parts.size > 1 else {}
        return [together[at] if at in together else self._answer(request, model) for at, request in enumerate(batch)]

    def _together(self, batch: Sequence[Request], model: Model) -> dict[int, Hypothesis]:
        """Answer by place the clips that can share a forward pass, the longest first."""
        clips = {
            at: request.samples
            for at, request in enumerate(batch)
            if request.samples is not None and request.draw is None and not unusable(request.samples)
        }
        answers: dict[int, Hypothesis] = {}
        for company in dict.fromkeys(model.company(clip) for clip in clips.values()):
            places = [at for at, clip in clips.items() if model.company(clip) == company]
            places.sort(key=lambda at: -clips[at].size)
            started_s = time.perf_counter()
            try:
                said = self._in_parts([clips[at] for at in places], model.hear, free=_free)
            except Exception:  # which clip it was shows when each is heard alone
                continue
            decode_s = (time.perf_counter() - started_s) / len(places)
            for at, words in zip(places, said, strict=True):
                answers[at] = _hypothesis(words, clips[at], decode_s=decode_s)
        return answers

    def _answer(self, request: Request, model: Model) -> Hypothesis:
        samples, problem = request.samples, unusable(request.samples)
        if samples is None or problem:
            return Hypothesis("", Status.FAILED, detail=problem)
        started_s = time.perf_counter()
        try:
            said = _alone(model, samples, request.draw)
        except Exception as error:  # whatever one clip does to the engine must not end a run of thousands
            detail = f"the engine failed on this clip: {line(error)}"
            return Hypothesis("", Status.FAILED, detail=detail, decode_s=time.perf_counter() - started_s)
        return _hypothesis(said, samples, decode_s=time.perf_counter() - started_s)

    def close(self) -> None:
        """Forget the model; its memory goes with it."""
        self._model = None


def _alone(model: Model, samples: NDArray[np.float32], draw: Draw | None) -> Said:
    (said,) = model.hear([np.ascontiguousarray(samples, dtype=np.float32)], draw)
    return said


def _hypothesis(said: Said, samples: NDArray[np.float32], *, decode_s: float) -> Hypothesis:
    note = "; ".join(part for part in (note_on_length(samples), said.note) if part)
    return Hypothesis(
        said.text,
        Status.OK,
        detail=note,
        decode_s=decode_s,
        avg_logprob=said.avg_logprob,
        n_tokens=said.n_tokens,
    )


def _free() -> Any:
    torch = importlib.import_module("torch")
    return torch.cuda.empty_cache()
