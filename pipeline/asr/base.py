"""What every recognizer looks like to the study, and the two values that cross that border.

The ``transcribe`` stage drives a backend in this order: ``prepare`` (find and verify what it needs),
``fingerprint`` (what decides its words), ``expect`` where the backend has it (see ``Forewarned``), then,
only if something is left to hear, ``load``, ``transcribe`` a batch at a time, and ``close``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from pipeline.records import Status

SAMPLE_RATE_HZ = 16_000
"""Rate of every ``Request.samples``."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One of several transcripts of the same trial: sampled at ``temperature`` (above 0) with ``seed`` alone."""

    repeat: int
    """1, 2, ... of the trial"""
    seed: int
    """below 2**63; decides, with the samples and the fingerprint, every word drawn"""
    temperature: float


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One trial to transcribe.

    ``samples`` is mono, 16 000 Hz, full scale 1.0, shape (n,); None for a backend that needs no audio.
    ``reference``, ``accent`` and ``speaker_id`` are for backends that script their answers; an engine
    that listens must not look at them. ``draw`` is only ever set for a ``Generative`` backend.
    """

    trial_key: str
    utterance_id: str
    condition: str
    accent: str
    speaker_id: str | None
    reference: str
    samples: NDArray[np.float32] | None
    draw: Draw | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a backend said of one trial.

    ``text`` may be empty (then every reference word is a deletion). ``detail`` is a sentence, required
    when ``status`` is not ok. ``decode_s`` is wall time, of a batch each clip's share. The three confidences
    are natural-log probability per token, probability, and characters per compressed byte; ``n_tokens`` counts
    what the decoder emitted. None where the engine has none.
    """

    text: str
    status: Status
    detail: str = ""
    decode_s: float | None = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    n_tokens: int | None = None


class Backend(Protocol):
    """A recognizer, or something that answers in its place.

    The words given for a trial must depend on nothing but the trial and the fingerprint: not on the
    batch it arrives in, its place there, what was heard before, or the number of threads.
    """

    Settings: ClassVar[type[BaseModel]]
    needs_audio: ClassVar[bool]
    """False: ``samples`` are None, and the answer hangs on the utterance's labels, not on its audio."""

    @property
    def name(self) -> str:
        """Label in tables and cards, such as ``faster_whisper:tiny.en``."""
        ...

    @property
    def batch_size(self) -> int:
        """Requests per ``transcribe`` call; also what a crash can cost at most."""
        ...

    @property
    def device(self) -> str:
        """Where it hears: ``cpu``, ``cuda``, or words for somewhere else; final after ``prepare``."""
        ...

    def prepare(self) -> None:
        """Find and verify weights or files; cheap.

        Raises:
            MissingPrerequisite: if something must be installed or fetched first.
            BackendError: if what was found cannot be used.
        """
        ...

    def fingerprint(self) -> dict[str, str]:
        """Return all that decides the words (weights, options, versions); after ``prepare``."""
        ...

    def load(self) -> None:
        """Bring weights into memory; called only when something is left to transcribe."""
        ...

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Return one hypothesis a request, in the order asked. A clip that fails is a FAILED hypothesis."""
        ...

    def close(self) -> None:
        """Release memory and files; may be called at any time, more than once."""
        ...


@runtime_checkable
class Forewarned(Protocol):
    """A backend that wants to see the whole run's trials before the first one is transcribed."""

    def expect(self, trials: Sequence[tuple[str, str]]) -> None:
        """Check all (utterance_id, condition) pairs of the run, remembered ones included; after ``prepare``.

        Raises:
            BackendError: if the run cannot be answered as configured.
        """
        ...


@runtime_checkable
class Placeable(Protocol):
    """A backend of which several copies can work at once, each on a device of its own."""

    def on(self, device: str) -> Self:
        """Return an unloaded copy for ``device`` (``cpu``, ``cuda``, ``cuda:1``); it must be prepared again.

        Its fingerprint is this one's: which of several like devices is used decides no word.
        """
        ...


class RepeatSettings(BaseModel):
    """How often each trial is transcribed again by sampling, to see how much a generative recognizer varies."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    repeats: int = Field(0, ge=0, le=100)
    """sampled transcripts of each trial, beside the one that is scored"""
    repeat_temperatures: tuple[PositiveFloat, ...] = Field((0.4,), min_length=1)
    """repeat k is drawn at number k of these, from the front again after the last"""


@runtime_checkable
class Generative(Protocol):
    """A backend that can sample: it answers requests that carry a ``Draw``, the same draw always the same way."""

    @property
    def repeating(self) -> RepeatSettings:
        """How often and at which temperatures the study wants each trial again."""
        ...
