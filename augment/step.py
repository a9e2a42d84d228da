"""What a step of a condition is: it plans in integers, then applies the plan to samples.

To add an effect, write one file with a class of this shape and register it under the
``augment.steps`` entry points. ``chain`` knows steps only through this protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Annotated, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from augment.decoding import LONGEST_S
from augment.errors import ConditionError
from augment.level import Samples, Weighting
from augment.plan import Pairing
from augment.resources import Resources
from augment.source import Speech

PlanValue = int | str | list[int] | list[str]
Plan = Mapping[str, PlanValue]
Measured = float | int | str


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
    longest_s: Annotated[float, Field(gt=0, le=LONGEST_S)] = 1_800.0
    """A longer recording is not rendered: that is done whole, in memory."""
    clipped_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.01
    """A rendering of which a larger share lies beyond full scale is refused: its SNR would be another one."""


class Stage(IntEnum):
    """Where an effect happens on the way from mouth to recognizer; gaps leave room for more."""

    SILENCE = 5
    ROOM = 10
    LEVEL = 15
    NOISE = 20
    HANDSET = 30
    FILTER = 35
    MICROPHONE = 40
    GAIN = 45
    OVERLOAD = 50
    QUANTIZE = 52
    RESAMPLE = 55
    CODEC = 60
    LOSS = 65


class Law(StrEnum):
    """Whether speech and noise can still be told apart after a step."""

    LINEAR = "linear"
    """Of a sum it makes the sum of what it makes of the parts: the talker alone can be followed through it."""
    ADDITIVE = "additive"
    """It adds something and leaves the speech as it is."""
    NONLINEAR = "nonlinear"


@dataclass(frozen=True, slots=True)
class PlanInput:
    """What a plan may know of an utterance. ``group`` is the voice it must not meet in babble."""

    utterance_id: str
    group: str
    samples_16k: int
    """Length at 16 kHz where the step begins."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One value that a step was asked for, and what came out of it. A rendering that breaks one is refused."""

    what: str
    asked: float
    got: float | None
    """None where it could not be measured, which breaks the promise."""
    tolerance: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether what came out lies within the tolerance."""
        return self.got is not None and abs(self.got - self.asked) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Effect:
    """What one step did to the samples."""

    samples: Samples
    snr_db: Mapping[Weighting, float] = field(default_factory=dict)
    """Of a noise, measured on what was mixed; no entry where the weighted speech has no active level."""
    promises: tuple[Promise, ...] = ()
    realised: Mapping[str, Measured] = field(default_factory=dict)
    """Everything else that was measured, by names that carry their unit."""
    clipped_share: float = 0.0
    """Of the samples that this step itself turned into 16 bits, those beyond full scale."""
    delay_removed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step may look at beside the samples."""

    acoustics: Acoustics
    resources: Resources
    speech: Speech
    """The talker alone as heard at this point; before any noise its samples are the samples."""


class Step(Protocol):
    """One effect. The constructor does no work."""

    Settings: ClassVar[type[BaseModel]]

    @property
    def stage(self) -> Stage:
        """Where it stands on the way from mouth to recognizer."""

    @property
    def law(self) -> Law:
        """Whether the talker alone can be followed through it."""

    @property
    def needs_speech_level(self) -> bool:
        """Whether ``scene.speech`` must still have the level of the talker in the samples."""

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError, before anything is planned, if this step cannot be made from ``resources``."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Decide everything that is drawn: integers and file hashes only."""

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the samples after this effect, ``length_out`` of them, at 16 kHz, as planned."""

    def length_out(self, samples_16k: int) -> int:
        """Return how many samples come out of ``samples_16k``."""


class Plain:
    """Base of the steps that draw nothing, need nothing and keep the length."""

    needs_speech_level: bool = False

    def check(self, resources: Resources) -> None:
        """Need nothing."""

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Draw nothing."""
        return {}

    def length_out(self, samples_16k: int) -> int:
        """Keep the length."""
        return samples_16k


def planned_integer(planned: Plan, name: str) -> int:
    """Return an integer of a plan.

    Raises:
        ConditionError: if the plan does not hold it.
    """
    value = planned.get(name)
    if not isinstance(value, int):
        raise _unplanned(name, value, "an integer")
    return value


def planned_integers(planned: Plan, name: str) -> list[int]:
    """Return a list of integers of a plan.

    Raises:
        ConditionError: if the plan does not hold it.
    """
    value = planned.get(name)
    if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
        raise _unplanned(name, value, "a list of integers")
    return [item for item in value if isinstance(item, int)]


def planned_text(planned: Plan, name: str) -> str:
    """Return a text of a plan, such as a file's hash.

    Raises:
        ConditionError: if the plan does not hold it.
    """
    value = planned.get(name)
    if not isinstance(value, str):
        raise _unplanned(name, value, "a text")
    return value


def _unplanned(name: str, value: object, wanted: str) -> ConditionError:
    return ConditionError(f"the plan has {name}: {value!r} where {wanted} belongs: plan again")
