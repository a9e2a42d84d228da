"""Which conditions have a batched form; decided without torch, because it is part of a condition's identity."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel

from augment import SAMPLE_RATE_HZ
from augment.bandpass import Filter
from augment.chain import Condition
from augment.clip import Clip
from augment.codecs import Codec, CodecSettings
from augment.gain import Gain
from augment.handset import Handset
from augment.leveling import Level
from augment.loss import Loss
from augment.loss.pattern import LossSettings
from augment.noise import AddNoise
from augment.quantize import Quantize
from augment.resample import Resample, ResampleSettings
from augment.rooms import Reverb

VERSION: Final = "batched-1"
"""Part of the identity of what the batched path renders: raise it when any of its samples may change."""

HALF_RATE_HZ: Final = SAMPLE_RATE_HZ // 2


def covered(condition: Condition) -> bool:
    """Return whether every step of a condition, with its settings, has a batched form."""
    return all(
        type(step) in _COVERED and _COVERED[type(step)](settings)
        for step, settings in zip(condition.steps, step_settings(condition), strict=True)
    )


def step_settings(condition: Condition) -> list[BaseModel]:
    """Return the settings of each step, as ``build_condition`` read them."""
    raw = ({key: value for key, value in step.items() if key != "kind"} for step in condition.settings.steps)
    return [type(step).Settings.model_validate(keys) for step, keys in zip(condition.steps, raw, strict=True)]


def _always(settings: BaseModel) -> bool:
    return True


def _resampled(settings: ResampleSettings) -> bool:
    # soxr's other ratios pass through other filters, several of them one after another
    return settings.rate_hz in (HALF_RATE_HZ, SAMPLE_RATE_HZ)


def _coded(settings: CodecSettings) -> bool:
    return settings.root.name == "g711" and (settings.root.loss is None or _chosen(settings.root.loss))


def _chosen(loss: LossSettings) -> bool:
    # these play samples that were there; a search for the pitch is no work for a batch
    return loss.conceal in ("zero", "repeat")


# by the very class: what derives from a step may do something else
_COVERED: Final[dict[type, Callable[[Any], bool]]] = {
    AddNoise: _always,
    Clip: _always,
    Codec: _coded,
    Filter: _always,
    Gain: _always,
    Handset: _always,
    Level: _always,
    Loss: _chosen,
    Quantize: _always,
    Resample: _resampled,
    Reverb: _always,
}
