"""The step that adds noise at a stated SNR: active level of the weighted speech minus RMS of the weighted noise.

The noise is measured over the very segment that is mixed, so a short clip that meets a quiet stretch of
a track still gets the SNR it asked for. It is measured again on what was mixed, before 16 bits.
"""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, Field

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import WEIGHTINGS, ActiveLevel, Samples, Weighting, weighted_powers
from augment.noise.babble import Babble, BabbleSettings
from augment.noise.machine import Machine, MachineSettings
from augment.noise.source import NoiseSource
from augment.noise.track import cut, joins, planned_offset
from augment.resources import Resources
from augment.step import Acoustics, Effect, Plan, PlanInput, PlanValue, Stage, StepSettings, planned_integer


class AddNoiseSettings(StepSettings):
    """Which noise, and how far it lies below the speech in the study's weighting."""

    source: Annotated[BabbleSettings | MachineSettings, Field(discriminator="kind")]
    snr_db: Annotated[float, Field(ge=-20, le=60)]


class AddNoise:
    """Mix one segment of a slot's track into the speech."""

    Settings: ClassVar[type[BaseModel]] = AddNoiseSettings
    stage: ClassVar[Stage] = Stage.NOISE

    def __init__(self, settings: AddNoiseSettings) -> None:
        self._snr_db = settings.snr_db
        self._source = _source(settings.source)

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the source cannot make its tracks."""
        self._source.check(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the track, the offset that belongs to it, and how often the segment passes the track's end."""
        planned = self._source.plan(target, slot, resources)
        offset = planned_offset(resources.seed, self._source.family, slot=planned_integer(planned, "track"))
        return planned | {"offset": offset, "joins": joins(offset, target.samples_16k)}

    def apply(self, samples: Samples, planned: Plan, acoustics: Acoustics, resources: Resources) -> Effect:
        """Return the mixture.

        Raises:
            NoActiveSpeechError: if the speech is silent in the study's weighting.
            ConditionError: if the noise segment is silent.
        """
        levels = resources.active_levels(samples, WEIGHTINGS)
        noise = self._segment(planned, samples.size, resources)
        noise = noise * _gain(noise, levels, acoustics.snr_weighting, self._snr_db)
        mixture = samples + noise
        return Effect(mixture, snr_requested_db=self._snr_db, snr_db=_measured(mixture - samples, levels))

    def _segment(self, planned: Plan, length: int, resources: Resources) -> Samples:
        return cut(self._source.track(planned, resources), planned_integer(planned, "offset"), length=length)


def _source(settings: BabbleSettings | MachineSettings) -> NoiseSource:
    return Babble(settings) if isinstance(settings, BabbleSettings) else Machine(settings)


def _gain(noise: Samples, levels: dict[Weighting, ActiveLevel], weighting: Weighting, snr_db: float) -> float:
    if weighting not in levels:
        raise NoActiveSpeechError(f"no active speech is left under weighting {weighting!r}, in which the SNR is set")
    power = weighted_powers(noise, SAMPLE_RATE_HZ)[weighting]
    if not power:
        raise ConditionError(f"the noise segment is silent under weighting {weighting!r}: no gain gives it an SNR")
    return float(10.0 ** ((levels[weighting].level_dbov - snr_db) / 20.0) / np.sqrt(power))


def _measured(noise: Samples, levels: dict[Weighting, ActiveLevel]) -> dict[Weighting, float]:
    """Return the SNR in every weighting in which both the speech and the noise have a level."""
    powers = weighted_powers(noise, SAMPLE_RATE_HZ)
    return {w: level.level_dbov - 10.0 * float(np.log10(powers[w])) for w, level in levels.items() if powers[w]}
