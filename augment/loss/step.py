"""The step that loses packets of 16-bit samples and conceals the holes from the signal around them."""

from typing import ClassVar

from pydantic import BaseModel, field_validator

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.loss.concealment import conceal
from augment.loss.measure import loss_measures, loss_promises
from augment.loss.pattern import Concealment, LossSettings, lost_packets, plan_losses
from augment.resources import Resources
from augment.step import Effect, Law, Plain, Plan, PlanInput, PlanValue, Scene, Stage, planned_integers


class LossStepSettings(LossSettings):
    """Loss outside a codec: ``pitch``, ``repeat`` or ``zero``."""

    @field_validator("conceal")
    @classmethod
    def _without_a_decoder(cls, conceal: Concealment) -> Concealment:
        if conceal == "codec":
            raise ValueError(
                "only a codec can conceal with its own decoder: write this loss into the codec step, or choose "
                "'pitch', 'repeat' or 'zero'"
            )
        return conceal


class Loss(Plain):
    """Lose packets and conceal the holes; rate 0 changes nothing."""

    Settings: ClassVar[type[BaseModel]] = LossStepSettings
    stage = Stage.LOSS
    law = Law.NONLINEAR

    def __init__(self, settings: LossStepSettings) -> None:
        self._settings = settings
        self._packet_samples = settings.packet_ms * SAMPLE_RATE_HZ // 1000

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``lost``: start and length of each run of lost packets.

        Raises:
            ConditionError: if the slot has no pattern with the asked number of losses.
        """
        packets = self._packets(target.samples_16k)
        return {"lost": plan_losses(self._settings, seed=resources.seed, slot=slot, packets=packets)}

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the samples as a receiver plays them.

        Raises:
            ConditionError: if the plan does not fit these samples, or nothing is lost at a rate above 0.
        """
        lost = lost_packets(planned_integers(planned, "lost"), self._packets(samples.size))
        how = self._settings.conceal
        if how == "codec":
            raise ConditionError("there is no codec here to conceal a loss")
        return Effect(
            conceal(samples, lost, packet_samples=self._packet_samples, sample_rate_hz=SAMPLE_RATE_HZ, how=how),
            promises=loss_promises(self._settings, lost),
            realised=loss_measures(lost, packet_s=self._settings.packet_ms / 1000, active=scene.speech.activity_mask()),
        )

    def _packets(self, samples_16k: int) -> int:
        return -(-samples_16k // self._packet_samples)
