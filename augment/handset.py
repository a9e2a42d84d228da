"""The frequency response of a telephone handset, as a filter without delay.

The response is interpolated from a standard's table (linear in dB over log frequency), normalized to
0 dB at 1 kHz, and realized as a linear-phase FIR by frequency sampling. The loss of level below
300 Hz is part of the effect and is not made up for.
"""

import csv
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar, Final, Literal

import numpy as np
from pydantic import BaseModel
from scipy.signal import firwin2, freqz, oaconvolve

from augment import SAMPLE_RATE_HZ
from augment.level import Samples
from augment.resources import Resources
from augment.step import Acoustics, Effect, Plan, PlanInput, PlanValue, Stage, StepSettings

Curve = Literal["irs_send"]

_TABLES: Final[dict[Curve, str]] = {"irs_send": "p48_send.csv"}
_TAPS: Final = 801  # 257 are not enough at 16 kHz: 0.5 dB off in the band, 9 dB at 100 Hz
_KAISER_BETA: Final = 5.0
_GRID: Final = 4097
_REFERENCE_HZ: Final = 1000.0


class HandsetSettings(StepSettings):
    """``irs_send``: the sending side of an analogue telephone, ITU-T P.48, its 300-3400 Hz filter included."""

    curve: Curve


class Handset:
    """Filter with the response of a named curve."""

    Settings: ClassVar[type[BaseModel]] = HandsetSettings
    stage: ClassVar[Stage] = Stage.HANDSET

    def __init__(self, settings: HandsetSettings) -> None:
        self._curve = settings.curve

    def check(self, resources: Resources) -> None:
        """Need nothing: the table is part of this package."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Draw nothing: one curve for everyone."""
        return {}

    def apply(self, samples: Samples, planned: Plan, acoustics: Acoustics, resources: Resources) -> Effect:
        """Return the filtered samples; the filter's delay of 25 ms is removed."""
        delay = _TAPS // 2
        filtered = oaconvolve(samples, _taps(self._curve))[delay : delay + samples.size]
        return Effect(np.asarray(filtered), delay_removed_s=delay / SAMPLE_RATE_HZ)


def table(curve: Curve) -> tuple[Samples, Samples]:
    """Return the frequencies in Hz and the nominal response in dB, as the standard tabulates them."""
    lines = files("augment").joinpath("data", _TABLES[curve]).read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return np.array([float(row["frequency_hz"]) for row in rows]), np.array([float(row["gain_db"]) for row in rows])


@lru_cache
def _taps(curve: Curve) -> Samples:
    known_hz, known_db = table(curve)
    grid_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _GRID)
    # below the table's first row its value holds, down to nothing at 0 Hz
    gain_db = np.interp(np.log(np.maximum(grid_hz, known_hz[0])), np.log(known_hz), known_db)
    gains = np.where(grid_hz > 0.0, 10.0 ** (gain_db / 20.0), 0.0)
    taps = firwin2(_TAPS, grid_hz, gains, nfreqs=_GRID, window=("kaiser", _KAISER_BETA), fs=SAMPLE_RATE_HZ)
    reference = abs(complex(freqz(taps, worN=[_REFERENCE_HZ], fs=SAMPLE_RATE_HZ)[1][0]))
    taps = np.asarray(taps / reference)
    taps.setflags(write=False)
    return taps
