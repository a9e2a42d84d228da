"""The step that sends speech through a codec and back: resample, quantize once, encode, lose, decode, resample.

Resampling is soxr's best: lesser resamplers leak aliased fricatives into the telephone band. Whatever the
codec does to the level is part of the effect and is not made up for.
"""

from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, Field, RootModel

from augment import SAMPLE_RATE_HZ
from augment.codecs.adpcm import G722Settings, G726Settings
from augment.codecs.amr import AmrNbSettings, AmrWbSettings
from augment.codecs.coder import PACKET_MS, Lost, Pcm
from augment.codecs.g711 import G711Settings
from augment.codecs.gsm import GsmSettings
from augment.codecs.opus import OpusSettings
from augment.codecs.storage import AacSettings, Mp3Settings
from augment.errors import ConditionError
from augment.level import Samples
from augment.loss.concealment import conceal
from augment.loss.measure import loss_measures, loss_promises
from augment.loss.pattern import LossSettings, lost_packets, plan_losses
from augment.pcm import to_int16
from augment.resample import fitted, resampled
from augment.resources import Resources
from augment.step import Effect, Law, Plain, Plan, PlanInput, PlanValue, Scene, Stage, planned_integers

_PACKET_16K: Final = PACKET_MS * SAMPLE_RATE_HZ // 1000

OneCodec = (
    G711Settings
    | G722Settings
    | G726Settings
    | GsmSettings
    | AmrNbSettings
    | AmrWbSettings
    | OpusSettings
    | Mp3Settings
    | AacSettings
)


class CodecSettings(RootModel[Annotated[OneCodec, Field(discriminator="name")]]):
    """``name`` says which codec; each has settings of its own."""


class Codec(Plain):
    """Encode and decode in memory; same length out, no delay left."""

    Settings: ClassVar[type[BaseModel]] = CodecSettings
    stage = Stage.CODEC
    law = Law.NONLINEAR

    def __init__(self, settings: CodecSettings) -> None:
        self._name = settings.root.name
        self._loss = settings.root.loss
        self._coder = settings.root.coder()

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if this machine cannot encode the codec. No other is taken instead."""
        missing = self._coder.missing()
        if missing:
            raise ConditionError(f"codec {self._name} cannot be encoded on this machine: {missing}")

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``lost``, where packets may be: start and length of each run of lost packets.

        Raises:
            ConditionError: if the slot has no pattern with the asked number of losses.
        """
        if not self._loss:
            return {}
        packets = _packets(target.samples_16k)
        return {"lost": plan_losses(self._loss, seed=resources.seed, slot=slot, packets=packets)}

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the decoded samples; those beyond full scale at the encoder's 16-bit input are counted.

        Raises:
            ConditionError: if the plan does not fit these samples, or nothing is lost at a rate above 0.
        """
        coder = self._coder
        pcm, clipped_share = to_int16(_resampled(samples, SAMPLE_RATE_HZ, coder.rate_hz))
        delay_s = coder.delay_samples / coder.rate_hz
        if not self._loss:
            decoded = _widened(coder.round_trip(pcm) / 32768.0, coder.rate_hz, samples.size)
            return Effect(decoded, clipped_share=clipped_share, delay_removed_s=delay_s)
        lost = lost_packets(planned_integers(planned, "lost"), _packets(samples.size))
        decoded = _widened(self._received(pcm, lost, self._loss), coder.rate_hz, samples.size)
        return Effect(
            decoded,
            promises=loss_promises(self._loss, lost),
            realised=loss_measures(lost, packet_s=PACKET_MS / 1000, active=scene.speech.activity_mask()),
            clipped_share=clipped_share,
            delay_removed_s=delay_s,
        )

    def _received(self, pcm: Pcm, lost: Lost, loss: LossSettings) -> Samples:
        if loss.conceal == "codec":
            return self._coder.round_trip(pcm, lost) / 32768.0
        rate_hz = self._coder.rate_hz
        packet = PACKET_MS * rate_hz // 1000
        decoded = self._coder.round_trip(pcm) / 32768.0
        return conceal(decoded, lost, packet_samples=packet, sample_rate_hz=rate_hz, how=loss.conceal)


def _packets(samples_16k: int) -> int:
    return -(-samples_16k // _PACKET_16K)


def _widened(decoded: Samples, rate_hz: int, length_16k: int) -> Samples:
    # an odd length comes back one sample longer
    return _resampled(decoded, rate_hz, SAMPLE_RATE_HZ)[:length_16k]


def _resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return ``samples`` at another rate, their number rounded up; as they are if the rates are one."""
    if from_hz == to_hz:
        return samples
    return fitted(resampled(samples, from_hz, to_hz), -(-samples.size * to_hz // from_hz))
