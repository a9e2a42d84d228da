"""The step that adds noise at a stated SNR: active level of the weighted speech minus RMS of the weighted noise.

The noise is measured over the very segment that is mixed, so a short clip that meets a quiet stretch of
a track still gets the SNR it asked for. What was mixed is weighed once more, as the difference between
what came out and what went in.
"""

from typing import Annotated, ClassVar, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import ActiveLevel, Samples, Weighting
from augment.noise.kinds import AnySource, source
from augment.noise.track import NoiseTrack, cut, planned_offset, segment_powers, track_powers
from augment.resources import Resources
from augment.step import (
    Effect,
    Law,
    Plan,
    PlanInput,
    PlanValue,
    Promise,
    Scene,
    Stage,
    StepSettings,
    planned_integer,
)

_LOWEST_DB: Final = -20.0
_HIGHEST_DB: Final = 60.0

_PAUSE_DB: Final = -30.0
"""A segment this far below its track is a pause in the noise; raised to an SNR it would be hiss."""

_Level = Annotated[float, Field(ge=0, le=140)]


class LevelSettings(StepSettings):
    """Sound pressure levels in dB(A) at the microphone; only their difference can be heard in a recording."""

    speech_dba: _Level
    noise_dba: _Level


class AddNoiseSettings(StepSettings):
    """Which noise, and how far it lies below the speech: by ``snr_db`` or by ``level``."""

    source: AnySource
    snr_db: Annotated[float, Field(ge=_LOWEST_DB, le=_HIGHEST_DB)] | None = None
    """In the study's weighting."""
    level: LevelSettings | None = None
    """In dB(A), whatever the study's weighting."""
    role: Literal["environment", "microphone"] = "environment"
    """``microphone``: the noise of the device, which comes after the handset's response."""

    @model_validator(mode="after")
    def _one_snr(self) -> Self:
        if (self.snr_db is None) == (self.level is None):
            raise ValueError("a noise needs either snr_db or level: write one of them")
        if not _LOWEST_DB <= self.asked_db() <= _HIGHEST_DB:
            raise ValueError(
                f"level asks for an SNR of {self.asked_db():g} dB, which is not within {_LOWEST_DB:g} to "
                f"{_HIGHEST_DB:g} dB: bring speech_dba and noise_dba closer together"
            )
        return self

    def asked_db(self) -> float:
        """Return the SNR."""
        if self.level is None:
            return self.snr_db or 0.0
        return self.level.speech_dba - self.level.noise_dba


class AddNoise:
    """Mix one segment of a slot's track into the speech."""

    Settings: ClassVar[type[BaseModel]] = AddNoiseSettings
    law: ClassVar[Law] = Law.ADDITIVE
    needs_speech_level: ClassVar[bool] = True

    def __init__(self, settings: AddNoiseSettings) -> None:
        microphone = settings.role == "microphone"
        self.stage = Stage.MICROPHONE if microphone else Stage.NOISE
        # the device must not repeat, in step, what the surroundings sound like
        kind = settings.source.kind
        self._source = source(settings.source, f"{kind} of the microphone" if microphone else kind)
        self._asked_db = settings.asked_db()
        self._weighting: Weighting | None = "a" if settings.level else None

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the source cannot make its tracks."""
        self._source.check(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the track and the offset that belongs to it."""
        planned = self._source.plan(target, slot, resources)
        offset = planned_offset(resources.seed, self._source.family, slot=planned_integer(planned, "track"))
        return planned | {"offset": offset}

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the mixture.

        Raises:
            NoActiveSpeechError: if the speech is silent in the weighting of the SNR.
            ConditionError: if the noise segment is practically silent, or the track is not what was planned.
        """
        weighting = self._weighting or scene.acoustics.snr_weighting
        level = scene.speech.level(weighting)
        track, offset = self._source.track(planned, scene.resources), planned_integer(planned, "offset")
        powers = segment_powers(track, offset, length=samples.size)
        re_track_db = _re_track_db(track, powers, weighting, offset=offset)
        gain = float(10.0 ** ((level.level_dbov - self._asked_db) / 20.0) / np.sqrt(powers[weighting]))
        mixture = cut(track, offset, length=samples.size)
        mixture *= gain
        mixture += samples
        snr_db = _measured(mixture - samples, powers, gain, scene.speech.levels())
        what = f"the SNR under weighting {weighting!r}"
        return Effect(
            mixture,
            snr_db=snr_db,
            promises=(Promise(what, self._asked_db, snr_db.get(weighting), scene.acoustics.snr_tolerance_db, "dB"),),
            realised={"noise_gain_db": 20.0 * float(np.log10(gain)), "segment_re_track_db": re_track_db},
        )

    def length_out(self, samples_16k: int) -> int:
        """Keep the length."""
        return samples_16k


def _re_track_db(track: NoiseTrack, powers: dict[Weighting, float], weighting: Weighting, *, offset: int) -> float:
    whole = track_powers(track)[weighting]
    re_track_db = _db(powers[weighting] / whole) if whole and powers[weighting] else -np.inf
    if re_track_db < _PAUSE_DB:
        raise ConditionError(
            f"the noise is silent under weighting {weighting!r} where this utterance would meet it, from "
            f"{offset / SAMPLE_RATE_HZ:.2f} s of its track on ({re_track_db:.0f} dB against the whole track): no gain "
            "makes a noise of it; use one without pauses as long as an utterance"
        )
    return re_track_db


def _measured(
    mixed: Samples, powers: dict[Weighting, float], gain: float, levels: dict[Weighting, ActiveLevel]
) -> dict[Weighting, float]:
    """Return the SNR in every weighting in which both the speech and the noise have a level.

    The power of what was ``mixed``, unweighted, corrects what the track's sums say of it.
    """
    energy = float(np.einsum("s,s->", mixed, mixed))  # np.dot would share it out to threads, and round as they fall
    excess_db = _db(energy / mixed.size / (gain**2 * powers["none"]))
    return {
        weighting: level.level_dbov - _db(gain**2 * powers[weighting]) - excess_db
        for weighting, level in levels.items()
        if powers[weighting]
    }


def _db(power: float) -> float:
    return 10.0 * float(np.log10(power))
