"""Which steps have a batched form."""

from collections.abc import Callable
from typing import Any, Final

from augment import SAMPLE_RATE_HZ
from augment.bandpass import Filter
from augment.batched.channel import Lossy, Resampled, Telephone, Unchanged
from augment.batched.form import Form
from augment.batched.linear import Filtered, Leveled
from augment.batched.mixing import Clipped, Mixed, Quantized
from augment.batched.resampling import HALF_RATE_HZ
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


def form_of(step: Step, settings: Any) -> Form | None:
    """Return the batched form of a step with these settings, or None if it has none."""
    make = _FORMS.get(type(step))
    return make(step, settings) if make else None


def _resampled(step: Step, settings: ResampleSettings) -> Form | None:
    known: dict[int, Form] = {HALF_RATE_HZ: Resampled(), SAMPLE_RATE_HZ: Unchanged()}
    return known.get(settings.rate_hz)


def _coded(step: Step, settings: CodecSettings) -> Form | None:
    codec = settings.root
    return Telephone(codec) if isinstance(codec, G711Settings) and _chooses(codec.loss) else None


def _lossy(step: Step, settings: LossSettings) -> Form | None:
    return Lossy(settings) if _chooses(settings) else None


def _chooses(loss: LossSettings | None) -> bool:
    """Return whether a loss is concealed by samples that were there: a search for the pitch is no work for a batch."""
    return loss is None or loss.conceal in ("zero", "repeat")


# by the very class: what derives from a step may do something else
_FORMS: Final[dict[type, Callable[[Any, Any], Form | None]]] = {
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
