"""PocketSphinx: a small recognizer whose wheel holds its US English model, so that it runs wherever pip does.

Its word error rates are far from what people are served with today. It is here as a second real engine that needs no
download: for trying the program out, and for tests.
"""

import importlib
import json
import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.clips import line, note_on_length, unusable
from pipeline.asr.pocketsphinx_model import Model, find
from pipeline.asr.pocketsphinx_options import PocketSphinxSettings
from pipeline.errors import BackendError
from pipeline.records import Status

logger = logging.getLogger(__name__)

FULL_SCALE = 32_768


class PocketSphinx:
    """PocketSphinx as a backend, on CPU, one thread."""

    Settings: ClassVar[type[BaseModel]] = PocketSphinxSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: PocketSphinxSettings) -> None:
        self._settings = settings
        self._model: Model | None = None
        self._loaded = False
        self._decoder: Any = None

    @property
    def name(self) -> str:
        """``pocketsphinx:`` and ``en-us`` for the wheel's model, or the name of the acoustic model's folder."""
        return f"pocketsphinx:{self._settings.acoustic_model_name}"

    @property
    def batch_size(self) -> int:
        """Clips per call; they are decoded one by one."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``cpu``."""
        return "cpu"

    def prepare(self) -> None:
        """Find and verify the model.

        Raises:
            MissingPrerequisite: if the package is not here.
            BackendError: if the model is incomplete or damaged.
        """
        self._model = find(self._settings)

    def fingerprint(self) -> dict[str, str]:
        """Return the model's files by hash, every option, and the library's version."""
        if self._model is None:
            raise RuntimeError("fingerprint() before prepare()")
        options = self._settings.decoding.model_dump()
        return {
            "kind": "pocketsphinx",
            "samprate": str(self._settings.samprate),
            **{f"sha256.{name}": digest for name, digest in self._model.sha256.items()},
            "version.pocketsphinx": version("pocketsphinx"),
            **{f"decoding.{name}": json.dumps(value) for name, value in options.items()},
        }

    def load(self) -> None:
        """Bring the model into memory.

        Raises:
            BackendError: if the engine cannot use it.
        """
        if self._model is None:
            raise RuntimeError("load() before prepare()")
        self._decoder = self._new_decoder(self._model)
        self._loaded = True

    def _new_decoder(self, model: Model) -> Any:
        engine = importlib.import_module("pocketsphinx")
        told = self._settings.decoding.model_dump()
        try:
            return engine.Decoder(
                hmm=str(model.acoustic_model),
                lm=str(model.language_model),
                dict=str(model.dictionary),
                samprate=self._settings.samprate,
                seed=0,  # an acoustic model that asks for dither gets the same dither in every clip
                loglevel="FATAL",
                **told,
            )
        except (RuntimeError, ValueError, OSError, KeyError, TypeError) as error:
            raise BackendError(
                f"asr: pocketsphinx cannot use {model.acoustic_model}, {model.language_model} and {model.dictionary}"
                f" together ({line(error)}): one is damaged, or they do not belong to each other."
            ) from error

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Transcribe each clip by itself; one that fails gives a FAILED hypothesis and the rest go on."""
        if not self._loaded:
            raise RuntimeError("transcribe() before load()")
        return [self._answer(request.samples) for request in batch]

    def _answer(self, samples: NDArray[np.float32] | None) -> Hypothesis:
        problem = unusable(samples)
        if samples is None or problem:
            return Hypothesis("", Status.FAILED, detail=problem)
        started_s = time.perf_counter()
        try:
            text = self._hear(samples)
        except Exception as error:  # whatever one clip does to the engine must not end a run of thousands
            self._decoder = None  # it may be left in the middle of that clip: the next one gets a new decoder
            detail = f"the engine failed on this clip: {line(error)}"
            return Hypothesis("", Status.FAILED, detail=detail, decode_s=time.perf_counter() - started_s)
        note = note_on_length(samples)
        return Hypothesis(text, Status.OK, detail=note, decode_s=time.perf_counter() - started_s)

    def _hear(self, samples: NDArray[np.float32]) -> str:
        if self._decoder is None and self._model is not None:
            self._decoder = self._new_decoder(self._model)
        decoder = self._decoder
        pcm = np.clip(np.rint(samples * np.float32(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
        # The cepstral mean and the noise estimate outlive a clip, and words of the next would hang on them: start anew.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)  # the mean is then that of the whole clip
        decoder.end_utt()
        found = decoder.hyp()
        return str(found.hypstr) if found is not None else ""

    def close(self) -> None:
        """Forget the decoder; its memory goes with it."""
        self._decoder = None
        self._loaded = False
