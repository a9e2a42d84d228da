"""The step that adds silence: before the utterance, behind it, and in its longest pause.

Recognizers invent words in silence, and not equally for every accent. Silence on a line is never digital
zero, so what is added is Hoth room noise at a stated level; the utterance itself is not touched.
"""

from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import BaseModel, Field

from augment import SAMPLE_RATE_HZ
from augment.errors import NoActiveSpeechError
from augment.level import HANGOVER_S, Samples
from augment.noise.steady import HothSettings, hoth
from augment.noise.track import cut, planned_offset
from augment.resources import Resources
from augment.source import Speech
from augment.step import (
    Effect,
    Law,
    Measured,
    Plain,
    Plan,
    PlanInput,
    PlanValue,
    Scene,
    Stage,
    StepSettings,
    planned_integer,
)

_FAMILY: Final = "silence"
_HELD: Final = round(HANGOVER_S * SAMPLE_RATE_HZ)
_QUIET: Final = SAMPLE_RATE_HZ // 20  # 50 ms

_Duration = Annotated[float, Field(ge=0, le=60)]


class SilenceSettings(StepSettings):
    """How much, where and how loud; all three 0 changes nothing."""

    before_s: _Duration = 0.0
    after_s: _Duration = 0.0
    gap_s: _Duration = 0.0
    """In the middle of the longest pause inside the utterance."""
    floor_dbov: Annotated[float, Field(ge=-90, le=-30)] = -70.0
    """RMS of everything that is added, unweighted."""


class Silence(Plain):
    """Add room noise around and inside the utterance, which comes out longer. One noise a slot, for everyone alike."""

    Settings: ClassVar[type[BaseModel]] = SilenceSettings
    stage = Stage.SILENCE
    law = Law.LINEAR

    def __init__(self, settings: SilenceSettings) -> None:
        self._before = round(settings.before_s * SAMPLE_RATE_HZ)
        self._after = round(settings.after_s * SAMPLE_RATE_HZ)
        self._gap = round(settings.gap_s * SAMPLE_RATE_HZ)
        self._floor_dbov = settings.floor_dbov
        self._noise = hoth(HothSettings(), _FAMILY)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``track``, the slot, and ``offset``, where in its cycle the noise begins."""
        return {"track": slot, "offset": planned_offset(resources.seed, _FAMILY, slot=slot)}

    def length_out(self, samples_16k: int) -> int:
        """Return the length with everything that is added."""
        return self._before + samples_16k + self._gap + self._after

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the samples with the noise around and between them.

        Realised beside the floor, in the time of the utterance as it came: ``gap_at_s``; ``gap_in``, a ``pause`` or,
        where the speech has none, the ``quietest_50ms`` inside it; ``pause_s``, how long that pause was.

        Raises:
            NoActiveSpeechError: if a gap is asked for and there is no active speech to find a pause in.
        """
        added = self._before + self._gap + self._after
        if not added:
            return Effect(samples)
        noise = cut(self._noise.track(planned, scene.resources), planned_integer(planned, "offset"), length=added)
        noise *= 10.0 ** (self._floor_dbov / 20.0) / np.sqrt(np.mean(np.square(noise)))
        at, found = _gap(scene.speech) if self._gap else (0, {})
        before, gap, after = np.split(noise, [self._before, self._before + self._gap])
        padded = np.concatenate([before, samples[:at], gap, samples[at:], after])
        return Effect(padded, realised=found | {"floor_dbov": self._floor_dbov})


def _gap(speech: Speech) -> tuple[int, dict[str, Measured]]:
    """Return before which sample a gap belongs, and how that place was found.

    Raises:
        NoActiveSpeechError: if there is no active speech.
    """
    active = np.flatnonzero(speech.activity_mask())
    if not active.size:
        raise NoActiveSpeechError("no active speech is left in which to find a pause for gap_s")
    silent = np.diff(active) - 1
    longest = int(np.argmax(silent)) if silent.size else 0
    if not silent.size or not silent[longest]:
        at = _quietest(speech.samples, int(active[0]), int(active[-1]) + 1 - _HELD)
        return at, {"gap_at_s": at / SAMPLE_RATE_HZ, "gap_in": "quietest_50ms"}
    begins, ends = int(active[longest]) + 1 - _HELD, int(active[longest + 1])
    at = (begins + ends) // 2
    return at, {"gap_at_s": at / SAMPLE_RATE_HZ, "gap_in": "pause", "pause_s": (ends - begins) / SAMPLE_RATE_HZ}


def _quietest(samples: Samples, begins: int, ends: int) -> int:
    """Return the middle of the quietest 50 ms of speech without a pause, 0.2 s or more from both of its ends.

    The middle of the speech where it is too short for that.
    """
    inner = samples[begins + _HELD : max(begins, ends - _HELD)]
    if inner.size < _QUIET:
        return max(begins, (begins + ends) // 2)
    energy = np.concatenate([[0.0], np.cumsum(np.square(inner))])
    return begins + _HELD + int(np.argmin(energy[_QUIET:] - energy[:-_QUIET])) + _QUIET // 2
