"""The batched form of each step that has one."""

from collections.abc import Callable
from typing import Any, Final

from augment import SAMPLE_RATE_HZ
from augment.bandpass import Filter
from augment.batched.channel import Lossy, Resampled, Telephone, Unchanged
from augment.batched.coverage import step_settings
from augment.batched.form import Form
from augment.batched.linear import Filtered, Leveled
from augment.batched.mixing import Clipped, Mixed, Quantized
from augment.chain import Condition
from augment.clip import Clip
from augment.codecs import Codec, CodecSettings
from augment.codecs.g711 import G711Settings
from augment.gain import Gain
from augment.handset import Handset
from augment.leveling import Level
from augment.loss import Loss
from augment.loss.pattern import LossSettings
from augment.noise import AddNoise
from augment.quantize import Quantize
from augment.resample import Resample, ResampleSettings
from augment.rooms import Reverb
from augment.step import Step


def forms_of(condition: Condition) -> list[Form]:
    """Return the batched form of each step of a condition that is ``covered``."""
    return [
        _FORMS[type(step)](step, settings)
        for step, settings in zip(condition.steps, step_settings(condition), strict=True)
    ]


def _resampled(step: Step, settings: ResampleSettings) -> Form:
    return Unchanged() if settings.rate_hz == SAMPLE_RATE_HZ else Resampled()


def _coded(step: Step, settings: CodecSettings) -> Form:
    if not isinstance(settings.root, G711Settings):
        raise TypeError(f"{settings.root.name} has no batched form")
    return Telephone(settings.root)


def _lossy(step: Step, settings: LossSettings) -> Form:
    return Lossy(settings)


_FORMS: Final[dict[type, Callable[[Any, Any], Form]]] = {
    AddNoise: Mixed,
    Clip: Clipped,
    Codec: _coded,
    Filter: Filtered,
    Gain: Filtered,
    Handset: Filtered,
    Level: Leveled,
    Loss: _lossy,
    Quantize: Quantized,
    Resample: _resampled,
    Reverb: Filtered,
}
