"""The step that gives speech the frequency response of a telephone handset, without delay.

The level changes with what the handset does not let through: a telephone takes 1 to 5 dB from recorded speech (the
medians of five corpora), most where microphones picked up most below 300 Hz. That is recorded and not made up for.
"""

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, Field, model_validator

from augment.handset.curves import Curve, NamedCurve
from augment.handset.file import FileResponse
from augment.handset.pool import HandsetPool, Pool
from augment.handset.response import Response, ResponseSource
from augment.level import Samples
from augment.resources import Resources
from augment.step import Effect, Law, Plain, Plan, PlanInput, PlanValue, Scene, Stage, StepSettings


class HandsetSettings(StepSettings):
    """Which response: one of ``curve``, ``pool`` and ``file``."""

    curve: Curve | None = None
    """``irs_send``: the sending side of an analogue telephone, ITU-T P.48, its 300-3400 Hz filter included;
    ``mirs_send``: the same without that filter, P.830; ``msin``: the high-pass of a mobile phone; ``p341``: a
    wideband handset."""
    pool: Pool | None = None
    """``ts26131_hf``: phones within the tolerance of 3GPP TS 26.131, shared evenly."""
    size: Annotated[int, Field(ge=1, le=64)] = 12
    """Number of phones in the pool."""
    file: Annotated[str, Field(min_length=1)] | None = None
    """A table of Hz and dB, or an impulse response; a relative path starts where the program was started."""

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = [name for name in ("curve", "pool", "file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"say one of curve, pool and file, not {' and '.join(given) or 'none of them'}")
        if "size" in self.model_fields_set and self.pool is None:
            raise ValueError(
                f"size is the number of phones in a pool and has no meaning beside {given[0]}: leave it out"
            )
        return self


class Handset(Plain):
    """Filter with a frequency response that is 0 dB at 1 kHz."""

    Settings: ClassVar[type[BaseModel]] = HandsetSettings
    stage: Stage = Stage.HANDSET
    law: Law = Law.LINEAR

    def __init__(self, settings: HandsetSettings) -> None:
        self._source = _source(settings)

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if the response cannot be made or read."""
        self._source.check(resources)

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return which response belongs to the slot; nothing where there is one for everyone."""
        return self._source.plan(slot, resources)

    def response(self, planned: Plan, resources: Resources) -> Response:
        """Return the planned filter.

        Raises:
            ConditionError: if it is no longer the one that was planned.
        """
        return self._source.response(planned, resources)

    def apply(self, samples: Samples, planned: Plan, scene: Scene) -> Effect:
        """Return the filtered samples; the filter's delay is removed.

        Raises:
            ConditionError: if the response is no longer the one that was planned.
        """
        response = self.response(planned, scene.resources)
        return Effect(response.applied(samples), delay_removed_s=response.delay_s)


def _source(settings: HandsetSettings) -> ResponseSource:
    if settings.curve:
        return NamedCurve(settings.curve)
    if settings.pool:
        return HandsetPool(settings.pool, settings.size)
    return FileResponse(settings.file or "")
