"""What a step of a condition is: it plans in integers, then applies the plan to samples.

To add an effect, write one file with a class of this shape and register it under the
``augment.steps`` entry points. ``chain`` knows steps only through this protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from augment.errors import ConditionError
from augment.level import Samples, Weighting
from augment.plan import Pairing
from augment.resources import Resources

PlanValue = int | str | list[int] | list[str]
Plan = Mapping[str, PlanValue]


class StepSettings(BaseModel):
    """Base of every step's settings: frozen, no unknown key, no silent conversion, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Acoustics(StepSettings):
    """What all conditions of a study share."""

    target_level_dbov: Annotated[float, Field(ge=-60, le=-10)] = -26.0
    """Active speech level that every utterance is set to before the first step."""
    snr_weighting: Weighting = "a"
    """Frequency weighting in which a requested SNR holds."""
    pairing: Pairing = "slot"
    slots: Annotated[int, Field(ge=1, le=4096)] = 32
    """Number of realizations of each noise."""
    snr_tolerance_db: Annotated[float, Field(gt=0, le=6)] = 0.5
    """A rendering whose measured SNR is further off is refused."""


class Stage(IntEnum):
    """Where an effect happens on the way from mouth to recognizer; gaps leave room for more."""

    NOISE = 20
    HANDSET = 30
    CODEC = 60


@dataclass(frozen=True, slots=True)
class PlanInput:
    """What a plan may know of an utterance. ``group`` is the voice it must not meet in babble."""

    utterance_id: str
    group: str
    samples_16k: int
    """Length at 16 kHz."""


def planned_integer(planned: Plan, name: str) -> int:
    """Return an integer of a plan.

    Raises:
        ConditionError: if the plan does not hold it.
    """
    value = planned.get(name)
    if not isinstance(value, int):
        raise ConditionError(f"the plan has {name}: {value!r} where an integer belongs: plan again")
    return value


@dataclass(frozen=True, slots=True)
class Effect:
    """What one step did to the samples; as many samples out as in."""

    samples: Samples
    snr_requested_db: float | None = None
    snr_db: Mapping[Weighting, float] = field(default_factory=dict)
    """Measured on the noise that was mixed; no entry where the weighted speech has no active level."""
    loss_share: float | None = None
    clipped_share: float = 0.0
    delay_removed_s: float = 0.0


class Step(Protocol):
    """One effect. The constructor does no work."""

    Settings: ClassVar[type[BaseModel]]
    stage: ClassVar[Stage]

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError, before anything is planned, if this step cannot be made from ``resources``."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Decide everything that is drawn: integers and file hashes only."""

    def apply(self, samples: Samples, planned: Plan, acoustics: Acoustics, resources: Resources) -> Effect:
        """Return the samples after this effect, same length, at 16 kHz, as planned."""
