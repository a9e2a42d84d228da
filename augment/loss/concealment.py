"""What a receiver plays where packets are missing, decided from the signal it has.

``pitch`` does what ITU-T G.711 Appendix I describes for 64 kbit/s telephony: the last pitch period goes on
repeating, fades from 10 ms on, is silent from 60 ms on, and overlaps with the first packet that arrives again.
``repeat`` plays the last packet again with the same fade, ``zero`` plays nothing.
"""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from augment.errors import ConditionError
from augment.level import Samples

SignalConcealment = Literal["pitch", "repeat", "zero"]

_FADE_FROM_S: Final = 0.010
_SILENT_FROM_S: Final = 0.060
_OVERLAP_S: Final = 0.00375
_SHORTEST_PERIOD_S: Final = 0.005  # 200 Hz; a higher voice repeats two of its periods
_LONGEST_PERIOD_S: Final = 0.015  # 67 Hz
_COMPARED_S: Final = 0.020


def conceal(
    samples: Samples,
    lost: NDArray[np.bool_],
    *,
    packet_samples: int,
    sample_rate_hz: int,
    how: SignalConcealment,
) -> Samples:
    """Return ``samples`` with the lost packets concealed.

    What lies in a lost packet is never looked at. ``pitch`` also changes up to 3.75 ms of received signal on
    either side of a run of losses, to join it without a step.

    Args:
        samples: one channel.
        lost: for each packet whether it is lost; the last one may be partly filled.
        packet_samples: length of a packet.
        sample_rate_hz: of the samples; 8 and 16 kHz are meant.
        how: to conceal.

    Returns:
        The very same array if nothing is lost.

    Raises:
        ConditionError: if there are not as many packets as the samples fill.
    """
    if lost.size != -(-samples.size // packet_samples):
        raise ConditionError(
            f"{samples.size} samples are {-(-samples.size // packet_samples)} packets of {packet_samples}, "
            f"but losses are planned for {lost.size}: plan again"
        )
    if not np.any(lost):
        return samples
    concealed = samples.copy()
    for start, end in _holes(lost, packet_samples, samples.size):
        if how == "pitch":
            _bridge(concealed, start, end, sample_rate_hz)
        elif how == "repeat" and start:
            packet = concealed[start - packet_samples : start]
            concealed[start:end] = _repeated(packet, end - start, sample_rate_hz)
        else:
            concealed[start:end] = 0.0
    return concealed


def _holes(lost: NDArray[np.bool_], packet_samples: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield the first sample of each run of lost packets and the first behind it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]))) * packet_samples
    for start, end in edges.reshape(-1, 2):
        yield int(start), min(int(end), length)


def _bridge(signal: Samples, start: int, end: int, sample_rate_hz: int) -> None:
    """Fill ``signal`` from ``start`` to ``end`` with its last pitch period and join both ends, in place."""
    cycle = _last_period(signal[:start], sample_rate_hz)
    # the end of the cycle flows into its beginning, so it also takes the place of what was heard just before
    joined = min(cycle.size // 4, start)
    signal[start - joined : start] = cycle[cycle.size - joined :]
    overlap = min(round(_OVERLAP_S * sample_rate_hz), signal.size - end)
    filling = _repeated(cycle, end - start + overlap, sample_rate_hz)
    arriving = _ramp(overlap)
    signal[start:end] = filling[: end - start]
    signal[end : end + overlap] = arriving * signal[end : end + overlap] + (1.0 - arriving) * filling[end - start :]


def _last_period(heard: Samples, sample_rate_hz: int) -> Samples:
    """Return the last pitch period of what was heard; its last quarter turns into what came before its beginning."""
    needed = round((_COMPARED_S + _LONGEST_PERIOD_S) * sample_rate_hz)
    history = heard[-needed:] if heard.size else heard
    history = np.concatenate([np.zeros(needed - history.size), history])
    period = _pitch_period(history, sample_rate_hz)
    cycle = history[-period:].copy()
    quarter = period // 4
    before = history[-period - quarter : -period]
    turning = _ramp(quarter)
    cycle[-quarter:] = (1.0 - turning) * cycle[-quarter:] + turning * before
    return cycle


def _pitch_period(history: Samples, sample_rate_hz: int) -> int:
    """Return the lag in samples at which the last 20 ms resemble what came before them most.

    By normalized autocorrelation: sum x[n] x[n - lag] / sqrt(sum x[n - lag]^2).
    """
    shortest, longest = round(_SHORTEST_PERIOD_S * sample_rate_hz), round(_LONGEST_PERIOD_S * sample_rate_hz)
    compared = history.size - longest
    products = np.correlate(history[: history.size - shortest], history[-compared:], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(np.square(history[: history.size - shortest]))])
    energies = energy[compared:] - energy[:-compared]
    floor = 1e-9 * energy[-1]  # rounding of the running sum; also where there is only silence
    scores = products / np.sqrt(np.maximum(energies, floor) + np.finfo(np.float64).tiny)
    return longest - int(np.argmax(scores))


def _repeated(cycle: Samples, length: int, sample_rate_hz: int) -> Samples:
    """Return ``length`` samples of a cycle over and over, with the fade of a loss that begins at the first."""
    time_s = np.arange(length) / sample_rate_hz
    gain = np.clip((_SILENT_FROM_S - time_s) / (_SILENT_FROM_S - _FADE_FROM_S), 0.0, 1.0)
    return np.asarray(np.resize(cycle, length) * gain)


def _ramp(length: int) -> Samples:
    return np.arange(1, length + 1) / (length + 1.0)
