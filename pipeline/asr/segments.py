"""What an engine says of the segments of a clip, put together for the clip."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of one segment; None where it is not told."""

    n_tokens: int | None
    avg_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None


class Confidences(TypedDict):
    """The keyword arguments of a ``Hypothesis`` that segments decide."""

    avg_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None


def confidences(segments: Sequence[Segment]) -> Confidences:
    """Return the mean log-probability, weighted by tokens (alike where none are told), and the worst of the other two.

    A segment that does not tell a value has no say in it; nor has a window that the engine took for silence, which
    yields no segment.
    """
    told = [(one.avg_logprob, max(one.n_tokens or 0, 1)) for one in segments if one.avg_logprob is not None]
    mean = sum(value * tokens for value, tokens in told) / max(1, sum(tokens for _, tokens in told))
    return {
        "avg_logprob": mean if told and math.isfinite(mean) else None,  # a foreign file may hold any number
        "no_speech_prob": _largest(one.no_speech_prob for one in segments),
        "compression_ratio": _largest(one.compression_ratio for one in segments),
    }


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
