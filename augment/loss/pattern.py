"""Which packets are lost: the two-state model of Gilbert and Elliott, by loss rate and mean burst length.

A packet is lost or received; bursts last ``mean_burst`` packets on average, gaps as long as the rate asks
for. Every packet consumes one raw integer, whatever the settings, and is lost where that integer is small:
so all conditions of a slot lose packets at the same times as far as their rates and bursts allow.

Loss rate of short clips varies wildly by luck (3 s at 3 % is 4 packets, or none, or 15). ``exact`` therefore
takes a stretch of the slot's long sequence in which exactly the asked number is lost.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from augment.errors import ConditionError
from augment.plan import generator, integers
from augment.step import StepSettings

FAMILY: Final = "loss"

Concealment = Literal["codec", "pitch", "repeat", "zero"]

_BITS: Final = 53
_ONE: Final = 1 << _BITS
"""A probability is an integer out of this; the float it comes from loses nothing."""

_SHORTEST_SEARCHED: Final = 1 << 16
_MANY: Final = 64
_LOWEST_RATE: Final = 0.001
_LONGEST_SEQUENCE: Final = 1 << 22


class LossSettings(StepSettings):
    """Packet loss, and what the receiver does about it."""

    rate: Annotated[float, Field(ge=0, le=0.9)]
    """Share of the packets that are lost; 0, or at least 0.001."""
    mean_burst: Annotated[float, Field(ge=1)] = 1.0
    """Mean length of a run of lost packets, in packets. With 1, no two in a row are lost."""
    max_burst_ms: Annotated[int, Field(ge=5, le=10_000)] = 200
    """No run of losses is longer."""
    packet_ms: Annotated[int, Field(ge=5, le=120)] = 20
    exact: bool = True
    """Lose exactly ``rate`` x packets, rounded, and at least one, in every rendering."""
    conceal: Concealment = "pitch"
    """``codec``: the decoder's own; ``pitch``: repeat the last pitch period; ``repeat``: the last packet; ``zero``."""

    @property
    def max_burst(self) -> int:
        """The longest run in whole packets."""
        return self.max_burst_ms // self.packet_ms

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if 0.0 < self.rate < _LOWEST_RATE:
            raise ValueError(f"rate {self.rate:g} loses less than one packet in 1000: give 0 or more than that")
        if self.mean_burst > self.max_burst:
            raise ValueError(
                f"max_burst_ms {self.max_burst_ms} holds {self.max_burst} packets of {self.packet_ms} ms, fewer than "
                f"mean_burst {self.mean_burst:g}: raise max_burst_ms or lower mean_burst"
            )
        if self.rate * (1.0 + self.mean_burst) > self.mean_burst:
            raise ValueError(
                f"with one packet received between bursts of {self.mean_burst:g}, at most "
                f"{self.mean_burst / (1.0 + self.mean_burst):.3f} is lost: lower rate or raise mean_burst"
            )
        return self


def losses_asked(settings: LossSettings, packets: int) -> int:
    """Return how many of ``packets`` are lost where the count is exact: rate x packets, at least one above rate 0."""
    return max(1, round(settings.rate * packets)) if settings.rate else 0


def plan_losses(settings: LossSettings, *, seed: int, slot: int, packets: int) -> list[int]:
    """Decide which of ``packets`` are lost.

    With ``exact``, a window of the slot's sequence with the asked number of losses, drawn from all such windows. The
    number changes by at most one from a window to the next, so between one with too few and one with too many
    lies one that fits; and a sequence of 64 clips and 64 bursts has both. (Not the first that fits: there
    a loss has just come in, so the last packet of a clip would be lost far too often.) Without ``exact``, the
    beginning of the sequence: a short clip has the beginning of a longer one's pattern.

    Args:
        settings: of the loss.
        seed: of the study.
        slot: whose sequence; neither the utterance nor the condition enters.
        packets: length of the clip in packets, the last one perhaps partly filled.

    Returns:
        Start and length of each run of losses, one after another, in packets.

    Raises:
        ConditionError: if no window has the asked number of losses, or the clip is longer than any sequence.
    """
    if not settings.rate or packets < 1:
        return []
    lost = _sequence(_Chain.of(settings), seed, slot, _sequence_length(settings, packets))
    return _runs(lost[_window_start(settings, lost, seed=seed, slot=slot, packets=packets) :][:packets])


def lost_packets(runs: Sequence[int], packets: int) -> NDArray[np.bool_]:
    """Return for each of ``packets`` whether it is lost, from what ``plan_losses`` returned.

    Raises:
        ConditionError: if the runs do not fit ``packets``.
    """
    starts, lengths = np.array(runs[0::2], dtype=np.int64), np.array(runs[1::2], dtype=np.int64)
    lost = np.zeros(packets, dtype=np.bool_)
    if not runs:
        return lost
    ordered = starts.size == lengths.size and starts[0] >= 0 and np.all(lengths > 0)
    if not ordered or np.any(starts[1:] <= (starts + lengths)[:-1]) or starts[-1] + lengths[-1] > packets:
        raise ConditionError(f"the planned losses are no runs within {packets} packets: plan again")
    for start, length in zip(starts, lengths, strict=True):
        lost[start : start + length] = True
    return lost


class _Chain(NamedTuple):
    """The model as integers out of 2^53: a packet is lost where the top bits of its raw integer lie below one."""

    at_start: int
    after_received: int
    after_lost: int
    max_burst: int

    @classmethod
    def of(cls, settings: LossSettings) -> "_Chain":
        """Return the chain whose rate and mean burst are the settings', the cap on bursts included.

        Gilbert-Elliott: p = rate / (mean_burst (1 - rate)); q = 1 / mean_burst where no burst reaches the cap.
        """
        p = settings.rate / (settings.mean_burst * (1.0 - settings.rate))
        return cls(
            at_start=round(settings.rate * _ONE),
            after_received=min(_ONE, round(p * _ONE)),
            after_lost=_continuation(settings.mean_burst, settings.max_burst),
            max_burst=settings.max_burst,
        )


@lru_cache(maxsize=256)
def _continuation(mean_burst: float, max_burst: int) -> int:
    """Return the probability that a burst goes on, out of 2^53, for which capped bursts have the mean length.

    A burst cut off at M packets is shorter than 1 / q on average: its mean is 1 + r + ... + r^(M - 1) with
    r = 1 - q. That grows with r, which is found by bisection, with additions and multiplications only: they
    are the same on every machine.
    """
    low, high = 0, _ONE
    while low < high:
        middle = (low + high) // 2
        r, mean = middle / _ONE, 1.0
        for _ in range(max_burst - 1):
            mean = 1.0 + r * mean
        low, high = (middle + 1, high) if mean < mean_burst else (low, middle)
    return low


def _sequence_length(settings: LossSettings, packets: int) -> int:
    """Return how much of a slot's sequence is looked at: for an exact count many clips and many bursts of it."""
    if packets > _LONGEST_SEQUENCE // 4:
        raise ConditionError(
            f"packet loss is planned for up to {_LONGEST_SEQUENCE // 4} packets, not {packets}: split the recording"
        )
    bursts = round(_MANY * settings.mean_burst / settings.rate)
    needed = max(_SHORTEST_SEARCHED, _MANY * packets, bursts) if settings.exact else packets
    return min(1 << (needed - 1).bit_length(), _LONGEST_SEQUENCE)


@lru_cache(maxsize=128)
def _sequence(chain: _Chain, seed: int, slot: int, length: int) -> NDArray[np.bool_]:
    """Return for each packet of a slot's sequence whether it is lost; a longer one begins with a shorter one."""
    raw = generator(seed, FAMILY, slot, "packets").bit_generator.random_raw(length) >> np.uint64(64 - _BITS)
    begins = np.flatnonzero(raw < np.uint64(chain.after_received))
    ends = np.flatnonzero(raw >= np.uint64(chain.after_lost))
    lost = np.zeros(length, dtype=np.bool_)
    start = 0 if int(raw[0]) < chain.at_start else _first(begins, 1, length)
    while start < length:
        end = min(_first(ends, start + 1, length), start + chain.max_burst)
        lost[start:end] = True
        start = _first(begins, end + 1, length)
    lost.setflags(write=False)
    return lost


def _first(positions: NDArray[np.int64], lowest: int, otherwise: int) -> int:
    index = int(positions.searchsorted(lowest))
    return int(positions[index]) if index < positions.size else otherwise


def _window_start(settings: LossSettings, lost: NDArray[np.bool_], *, seed: int, slot: int, packets: int) -> int:
    if not settings.exact:
        return 0
    asked = losses_asked(settings, packets)
    before = np.concatenate([[0], np.cumsum(lost, dtype=np.int64)])
    fitting = np.flatnonzero(before[packets:] - before[:-packets] == asked)
    if not fitting.size:
        raise ConditionError(
            f"slot {slot} has no stretch of {packets} packets with exactly {asked} lost at rate {settings.rate:g} and "
            f"mean burst {settings.mean_burst:g}: say 'exact: false', or change one of them"
        )
    return int(fitting[integers(generator(seed, FAMILY, slot, "window"), [fitting.size])[0]])


def _runs(lost: NDArray[np.bool_]) -> list[int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]])))
    edges[1::2] -= edges[0::2]
    return [int(edge) for edge in edges]
