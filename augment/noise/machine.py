"""A machine that beeps: harmonic pulses in groups, over a broadband floor, like a bedside alarm.

The frequency rules and the grouping of 3 + 2 pulses follow IEC 60601-1-8 (150-1000 Hz, at least four
harmonics between 300 and 4000 Hz); the timings within a call are this program's own.
"""

from functools import partial
from math import ceil, floor
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.noise.source import Computed, Draws
from augment.noise.spectra import TURNS, colored_magnitude, shaped_noise
from augment.noise.track import TRACK_S, TRACK_SAMPLES, periods
from augment.plan import uniform
from augment.step import StepSettings

_RAMP_S: Final = 0.01
_STRETCH: Final = 0.01
"""Share by which the time between calls may be changed to make it go into a cycle."""

_Count = Annotated[int, Field(ge=1, le=20)]


class MachineSettings(StepSettings):
    """The call: ``groups`` of pulses, ``calls`` times, evenly spaced, in every ``period_s``."""

    kind: Literal["machine"] = "machine"
    f0_hz: Annotated[float, Field(ge=50, le=4000)] = 523.0
    """Held to a thirtieth of a hertz, so that a cycle closes."""
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
    """Held, within 1 %, to what makes a whole number of calls in 30 s."""
    floor_db: Annotated[float, Field(ge=-80, le=20)] = -20.0
    """RMS of the pink floor against the RMS of the pulses, both over the whole track."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if periods(self.f0_hz) * self.harmonics >= TRACK_SAMPLES // 2:
            raise ValueError(f"partial {self.harmonics} of {self.f0_hz:g} Hz is not below {SAMPLE_RATE_HZ // 2} Hz")
        calls = TRACK_S * self.calls / self.period_s
        if abs(round(calls) / calls - 1.0) > _STRETCH:
            longer_s, shorter_s = (TRACK_S * self.calls / whole for whole in (floor(calls), ceil(calls)))
            raise ValueError(
                f"{calls:.4g} calls fall into the {TRACK_S} s of a track, which must hold a whole number of them: "
                f"set period_s to {shorter_s:.4g} or {longer_s:.4g}"
            )
        call_s = self.onsets_s()[-1] + self.pulse_s
        if call_s > self.spacing_s():
            raise ValueError(f"one call lasts {call_s:.2f} s, but only {self.spacing_s():.2f} s are its share")
        return self

    def onsets_s(self) -> list[float]:
        """Return when each pulse of one call begins."""
        onsets, start = [], 0.0
        for count in self.groups:
            onsets += [start + pulse * (self.pulse_s + self.pulse_gap_s) for pulse in range(count)]
            start = onsets[-1] + self.pulse_s + self.group_gap_s
        return onsets

    def spacing_s(self) -> float:
        """Return the time from one call to the next, of which a cycle holds a whole number."""
        return TRACK_S / round(TRACK_S * self.calls / self.period_s)


def machine(settings: MachineSettings, family: str) -> Computed:
    """Return the source: slots differ in when the calls come, in the partials' phases and in the floor."""
    return Computed(family, settings, lambda draws: _machine(settings, draws))


def _machine(settings: MachineSettings, draws: Draws) -> Samples:
    turns = uniform(draws("phases"), settings.harmonics + 1)
    pulses = _tone(settings, turns[1:]) * _envelope(settings, shift_s=float(turns[0]) * settings.period_s)
    floor = shaped_noise(partial(colored_magnitude, exponent=1.0), uniform(draws("floor"), TURNS))
    gain = 10.0 ** (settings.floor_db / 20.0) * np.sqrt(np.mean(np.square(pulses)))
    return np.asarray(pulses + gain * floor)


def _tone(settings: MachineSettings, turns: Samples) -> Samples:
    time_s = np.arange(TRACK_SAMPLES) / SAMPLE_RATE_HZ
    f0_hz = periods(settings.f0_hz) / TRACK_S
    tone = np.zeros(TRACK_SAMPLES)
    for number, turn in enumerate(turns):
        amplitude = 10.0 ** (number * settings.harmonic_step_db / 20.0)
        tone += amplitude * np.cos(2.0 * np.pi * (f0_hz * (number + 1) * time_s + turn))
    return tone


def _envelope(settings: MachineSettings, *, shift_s: float) -> Samples:
    """Return the pulses' gain: raised-cosine ramps of 10 ms, the track taken as a circle."""
    time_s = (np.arange(TRACK_SAMPLES) / SAMPLE_RATE_HZ + shift_s) % settings.spacing_s()
    gain = np.zeros(TRACK_SAMPLES)
    for onset_s in settings.onsets_s():
        edge_s = np.minimum(time_s - onset_s, onset_s + settings.pulse_s - time_s)
        gain += 0.5 - 0.5 * np.cos(np.pi * np.clip(edge_s / _RAMP_S, 0.0, 1.0))
    return gain
