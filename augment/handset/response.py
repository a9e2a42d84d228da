"""A frequency response as a filter without delay, from a table or from an impulse response.

A table is interpolated (linear in dB over log frequency) and realized as a linear-phase FIR by frequency
sampling, the phase being what the standards leave open. Either is 0 dB at 1 kHz: the loss of level below 300 Hz is
part of a telephone and is not made up for.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy.signal import firwin2, freqz, oaconvolve

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.resources import Resources
from augment.step import Plan, PlanValue

_TAPS: Final = 801  # 257 are not enough at 16 kHz: 0.5 dB off in the band, 9 dB at 100 Hz
_KAISER_BETA: Final = 5.0
_GRID: Final = 4097
_REFERENCE_HZ: Final = 1000.0
_FAINTEST: Final = 1e-3  # -60 dB


@dataclass(frozen=True, slots=True)
class Response:
    """A filter at 16 kHz."""

    taps: Samples
    delay: int
    """How many of the taps lie before the one that is now."""

    def applied(self, samples: Samples) -> Samples:
        """Return ``samples`` filtered: as many, not delayed; themselves where the response is flat."""
        if self.flat:
            return samples
        filtered = oaconvolve(samples, self.taps)[self.delay : self.delay + samples.size]
        return np.asarray(filtered)

    @property
    def flat(self) -> bool:
        """Whether it leaves samples as they are, bit for bit."""
        return self.taps.size == 1 and bool(self.taps[0] == 1.0)

    @property
    def delay_s(self) -> float:
        """The delay that is removed."""
        return self.delay / SAMPLE_RATE_HZ


class ResponseSource(Protocol):
    """Where responses come from. To add one, write one file and name it in ``step``."""

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the response cannot be made or read."""

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return which response belongs to a slot."""

    def response(self, planned: Plan, resources: Resources) -> Response:
        """Return the planned response."""


def from_table(known_hz: Samples, known_db: Samples, name: str) -> Response:
    """Return the filter of a tabulated response.

    Below the first row its value holds, down to nothing at 0 Hz, and above the last row that one's: where
    a table ends nothing is known, and a slope continued from its last rows would be made up.

    Args:
        known_hz: ascending, above 0.
        known_db: the gain there.
        name: of the table, for the message.

    Raises:
        ConditionError: if it lets practically nothing through at 1 kHz, where it is to have 0 dB.
    """
    if np.all(known_db == known_db[0]):
        return _frozen(np.ones(1), 0)
    grid_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _GRID)
    gain_db = np.interp(np.log(np.maximum(grid_hz, known_hz[0])), np.log(known_hz), known_db)
    gains = np.where(grid_hz > 0.0, 10.0 ** (gain_db / 20.0), 0.0)
    taps = firwin2(_TAPS, grid_hz, gains, nfreqs=_GRID, window=("kaiser", _KAISER_BETA), fs=SAMPLE_RATE_HZ)
    return _frozen(_referenced(np.asarray(taps), name), _TAPS // 2)


def from_impulse_response(impulse_response: Samples, name: str) -> Response:
    """Return the filter that an impulse response is.

    Nothing of it is cut off: its largest sample is taken for now, and what comes before (a linear-phase filter
    is symmetrical about it) and after stays.

    Args:
        impulse_response: one channel at 16 kHz, any level.
        name: of its file, for the message.

    Raises:
        ConditionError: if it is silent, or lets practically nothing through at 1 kHz, where it is to have 0 dB.
    """
    peak = float(np.max(np.abs(impulse_response)))
    if not peak:
        raise ConditionError(f"{name} is silent: every sample is zero")
    if np.count_nonzero(impulse_response) == 1:
        return _frozen(np.ones(1), 0)
    return _frozen(_referenced(impulse_response / peak, name), int(np.argmax(np.abs(impulse_response))))


def gain_db(response: Response, frequency_hz: Samples) -> Samples:
    """Return the gain of a response at each frequency, in dB."""
    return np.asarray(20.0 * np.log10(np.abs(freqz(response.taps, worN=frequency_hz, fs=SAMPLE_RATE_HZ)[1])))


def _referenced(taps: Samples, name: str) -> Samples:
    reference = abs(complex(freqz(taps, worN=[_REFERENCE_HZ], fs=SAMPLE_RATE_HZ)[1][0]))
    strongest = float(np.max(np.abs(np.fft.rfft(taps, max(_GRID, taps.size)))))
    if reference < _FAINTEST * strongest:
        raise ConditionError(
            f"{name} lets practically nothing through at 1 kHz, 60 dB less than elsewhere: it cannot be set to 0 dB "
            "there, so give the response of a telephone"
        )
    return np.asarray(taps / reference)


def _frozen(taps: Samples, delay: int) -> Response:
    taps.setflags(write=False)
    return Response(taps, delay)
