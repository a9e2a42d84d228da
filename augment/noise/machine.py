"""A machine that beeps: harmonic pulses in groups, over a broadband floor, like a bedside alarm.

The frequency rules and the grouping of 3 + 2 pulses follow IEC 60601-1-8 (150-1000 Hz, at least four
harmonics between 300 and 4000 Hz); the timings within a call are this program's own.
"""

from typing import Annotated, ClassVar, Final, Literal, Self

import numpy as np
import scipy.fft
from pydantic import Field, model_validator

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.noise.track import TRACK_SAMPLES
from augment.plan import generator
from augment.resources import TRACK_S, Resources, Track
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer

_RAMP_S: Final = 0.01
_FLOOR_FROM_HZ: Final = 20.0

_Count = Annotated[int, Field(ge=1, le=20)]


class MachineSettings(StepSettings):
    """The call: ``groups`` of pulses, ``calls`` times, evenly spaced, in every ``period_s``."""

    kind: Literal["machine"] = "machine"
    f0_hz: Annotated[float, Field(ge=50, le=4000)] = 523.0
    harmonics: Annotated[int, Field(ge=1, le=40)] = 5
    """Number of partials, the fundamental included."""
    harmonic_step_db: Annotated[float, Field(ge=-40, le=0)] = -4.0
    """Level of each partial against the one below it."""
    pulse_s: Annotated[float, Field(ge=0.02, le=2)] = 0.15
    pulse_gap_s: Annotated[float, Field(ge=0, le=2)] = 0.1
    group_gap_s: Annotated[float, Field(ge=0, le=5)] = 0.3
    groups: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=8, strict=False)] = (3, 2)
    calls: Annotated[int, Field(ge=1, le=10)] = 2
    period_s: Annotated[float, Field(ge=0.1, le=30)] = 4.0
    floor_db: Annotated[float, Field(ge=-80, le=20)] = -20.0
    """RMS of the pink floor against the RMS of the pulses, both over the whole track."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.f0_hz * self.harmonics >= SAMPLE_RATE_HZ / 2:
            raise ValueError(f"partial {self.harmonics} of {self.f0_hz:g} Hz lies above {SAMPLE_RATE_HZ // 2} Hz")
        call_s = self.onsets_s()[-1] + self.pulse_s
        if call_s > self.period_s / self.calls:
            raise ValueError(
                f"one call lasts {call_s:.2f} s, but only {self.period_s / self.calls:.2f} s are its share"
            )
        return self

    def onsets_s(self) -> list[float]:
        """Return when each pulse of one call begins."""
        onsets, start = [], 0.0
        for count in self.groups:
            onsets += [start + pulse * (self.pulse_s + self.pulse_gap_s) for pulse in range(count)]
            start = onsets[-1] + self.pulse_s + self.group_gap_s
        return onsets


class Machine:
    """One track a slot: slots differ in when the calls come, in the partials' phases and in the floor."""

    family: ClassVar[str] = "machine"

    def __init__(self, settings: MachineSettings) -> None:
        self._settings = settings

    def check(self, resources: Resources) -> None:
        """Need nothing: the noise is computed."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the slot's own track."""
        return {"track": slot}

    def track(self, planned: Plan, resources: Resources) -> Track:
        """Return the planned track."""
        slot = planned_integer(planned, "track")
        key = (self.family, self._settings.model_dump_json(), slot)
        return resources.track(key, lambda: _machine(self._settings, resources.seed, slot))


def _machine(settings: MachineSettings, seed: int, slot: int) -> Samples:
    turns = _uniform(seed, slot, purpose="phases", count=settings.harmonics + 1)
    pulses = _tone(settings, turns[1:]) * _envelope(settings, shift_s=float(turns[0]) * settings.period_s)
    floor = _pink(_uniform(seed, slot, purpose="floor", count=TRACK_SAMPLES // 2 + 1))
    gain = 10.0 ** (settings.floor_db / 20.0) * np.sqrt(np.mean(np.square(pulses)) / np.mean(np.square(floor)))
    return np.asarray(pulses + gain * floor)


def _tone(settings: MachineSettings, turns: Samples) -> Samples:
    time_s = np.arange(TRACK_SAMPLES) / SAMPLE_RATE_HZ
    tone = np.zeros(TRACK_SAMPLES)
    for partial, turn in enumerate(turns):
        amplitude = 10.0 ** (partial * settings.harmonic_step_db / 20.0)
        tone += amplitude * np.cos(2.0 * np.pi * (settings.f0_hz * (partial + 1) * time_s + turn))
    return tone


def _envelope(settings: MachineSettings, *, shift_s: float) -> Samples:
    """Return the pulses' gain: raised-cosine ramps of 10 ms, the track taken as a circle."""
    share_s = settings.period_s / settings.calls
    time_s = (np.arange(TRACK_SAMPLES) / SAMPLE_RATE_HZ + shift_s) % TRACK_S % share_s
    gain = np.zeros(TRACK_SAMPLES)
    for onset_s in settings.onsets_s():
        edge_s = np.minimum(time_s - onset_s, onset_s + settings.pulse_s - time_s)
        gain += 0.5 - 0.5 * np.cos(np.pi * np.clip(edge_s / _RAMP_S, 0.0, 1.0))
    return gain


def _pink(turns: Samples) -> Samples:
    """Return noise of 1/f power density from 20 Hz on; equal magnitudes a bin, random phases, no seam."""
    frequency_hz = scipy.fft.rfftfreq(TRACK_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    audible = frequency_hz >= _FLOOR_FROM_HZ
    magnitude = np.where(audible, 1.0 / np.sqrt(np.maximum(frequency_hz, _FLOOR_FROM_HZ)), 0.0)
    noise: Samples = scipy.fft.irfft(magnitude * np.exp(2j * np.pi * turns), TRACK_SAMPLES)
    return noise


def _uniform(seed: int, slot: int, *, purpose: str, count: int) -> Samples:
    # raw integers, because NumPy does not freeze its distributions
    raw = generator(seed, Machine.family, slot, purpose).bit_generator.random_raw(count)
    return np.asarray(raw, dtype=np.float64) / 2.0**64
