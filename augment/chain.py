"""A condition: a named, ordered chain of steps that plans in integers and renders 16-bit samples.

Every utterance is first set to the target active level; the steps follow; nothing is normalized
afterwards, so level and condition are never confounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field, ValidationError

from augment import RENDERER_VERSION
from augment.errors import ConditionError
from augment.level import Samples, checked
from augment.mistakes import did_you_mean, sentences
from augment.rendering import Realised, Rendering, finished
from augment.resources import Resources
from augment.step import Acoustics, Effect, Plan, PlanInput, PlanValue, Step, StepSettings

__all__ = [
    "Acoustics",
    "Condition",
    "ConditionSettings",
    "Plan",
    "PlanInput",
    "PlanValue",
    "Realised",
    "Rendering",
    "build_condition",
]

Family = Literal["reference", "noise", "room", "handset", "channel", "last_mile"]

_SETS_SNR: Final = frozenset({"add_noise"})
"""Kinds of step of which a condition may hold one, because a rendering reports one SNR."""


class ConditionSettings(StepSettings):
    """A condition as its YAML file describes it; each of ``steps`` is a ``kind`` and that step's own keys."""

    version: Annotated[int, Field(ge=1)]
    """A change of any number is a new version."""
    family: Family
    description: Annotated[str, Field(min_length=1)]
    sources: list[str] = Field(default_factory=list)
    """Standards and publications behind the numbers."""
    order: Literal["physical", "free"] = "physical"
    """``physical``: from mouth to recognizer (noise, handset, codec); ``free``: as listed."""
    steps: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was checked and built; make one with ``build_condition``."""

    name: str
    settings: ConditionSettings
    acoustics: Acoustics
    steps: tuple[Step, ...]
    definition: dict[str, Any]
    """Everything that decides a rendered sample, apart from audio, plan and seed; JSON-able."""

    @property
    def family(self) -> Family:
        """The condition's family."""
        return self.settings.family

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError, before anything is planned, if this condition cannot be made here."""
        for step in self.steps:
            try:
                step.check(resources)
            except ConditionError as error:
                raise ConditionError(f"conditions.{self.name}: {error}") from error

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Decide everything that is drawn for one utterance in one slot.

        Returns:
            Integers and file hashes by ``<step number>.<name>``: JSON-able, and all that ``render`` needs.

        Raises:
            ConditionError: if there is no such slot or no realization for this target.
        """
        if not 0 <= slot < resources.slots:
            raise ConditionError(f"conditions.{self.name}: slot {slot} is not one of 0 to {resources.slots - 1}")
        plans = [step.plan(target, slot, resources) for step in self.steps]
        return {f"{number}.{key}": value for number, planned in enumerate(plans) for key, value in planned.items()}

    def render(self, samples: ArrayLike, plan: Plan, resources: Resources) -> Rendering:
        """Render one utterance as planned.

        Args:
            samples: one channel at 16 kHz, full scale 1.0, any level.
            plan: what ``plan`` returned for it.
            resources: the same talkers, seed and slots.

        Raises:
            NoActiveSpeechError: if the samples hold no active speech.
            ConditionError: if they are not finite numbers, the plan does not fit, or the measured SNR is off
                by more than the tolerance.
        """
        source = checked(samples)
        gain, level = resources.leveling(source, self.acoustics.target_level_dbov)
        current = source * gain
        effects: list[Effect] = []
        for number, step in enumerate(self.steps):
            effects.append(self._applied(number, step, current, plan, resources))
            current = effects[-1].samples
        return finished(current, level, effects)

    def _applied(self, number: int, step: Step, samples: Samples, plan: Plan, resources: Resources) -> Effect:
        where = f"conditions.{self.name}.steps.{number}"
        prefix = f"{number}."
        planned = {key.removeprefix(prefix): value for key, value in plan.items() if key.startswith(prefix)}
        effect = step.apply(samples, planned, self.acoustics, resources)
        finite = int(np.count_nonzero(np.isfinite(effect.samples)))
        if effect.samples.shape != samples.shape or finite < samples.size:
            raise ConditionError(
                f"{where}: {samples.size} samples went in, {effect.samples.size} came out, {finite} of them finite"
            )
        self._check_snr(effect, where)
        return effect

    def _check_snr(self, effect: Effect, where: str) -> None:
        if effect.snr_requested_db is None:
            return
        weighting, tolerance_db = self.acoustics.snr_weighting, self.acoustics.snr_tolerance_db
        measured_db = effect.snr_db.get(weighting)
        if measured_db is None or abs(measured_db - effect.snr_requested_db) > tolerance_db:
            raise ConditionError(
                f"{where}: SNR under weighting {weighting!r} came out as {measured_db} dB instead of "
                f"{effect.snr_requested_db} dB (tolerance {tolerance_db} dB)"
            )


def build_condition(
    name: str, settings: ConditionSettings, *, step_types: Mapping[str, type], acoustics: Acoustics
) -> Condition:
    """Build a condition from plug-in classes; reads no audio.

    Args:
        name: of the condition.
        settings: as its file describes it.
        step_types: the step class of each kind. Only these can be reached: a file names kinds, never Python.
        acoustics: what all conditions of the study share.

    Raises:
        ConditionError: with every mistake in the steps, one sentence each.
    """
    problems: list[str] = []
    built: list[tuple[str, Step, BaseModel]] = []
    for number, raw in enumerate(settings.steps):
        where = f"conditions.{name}.steps.{number}"
        step = _step(raw, step_types, where=where, problems=problems)
        if step:
            built.append(step)
    problems += _order_problems(name, settings, [(kind, step) for kind, step, _ in built])
    if problems:
        raise ConditionError("\n".join(problems))
    return Condition(
        name=name,
        settings=settings,
        acoustics=acoustics,
        steps=tuple(step for _, step, _ in built),
        definition=_definition(settings, acoustics, [(kind, model) for kind, _, model in built]),
    )


def _definition(
    settings: ConditionSettings, acoustics: Acoustics, steps: list[tuple[str, BaseModel]]
) -> dict[str, Any]:
    # the SNR weighting changes no sample of a condition without noise, so it is no part of its identity
    sets_snr = any(kind in _SETS_SNR for kind, _ in steps)
    return {
        "renderer_version": RENDERER_VERSION,
        "version": settings.version,
        "target_level_dbov": acoustics.target_level_dbov,
        "snr_weighting": acoustics.snr_weighting if sets_snr else None,
        "steps": [{"kind": kind} | model.model_dump(mode="json") for kind, model in steps],
    }


def _step(
    raw: dict[str, Any], step_types: Mapping[str, type], *, where: str, problems: list[str]
) -> tuple[str, Step, BaseModel] | None:
    """Return one step and its settings, or None after adding its mistakes to ``problems``."""
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in step_types:
        what = "this key is missing" if kind is None else f"unknown kind {kind!r}"
        problems.append(f"{where}.kind: {what}.{did_you_mean(str(kind), step_types)}")
        return None
    step_type: Any = step_types[kind]
    try:
        model = step_type.Settings.model_validate({key: value for key, value in raw.items() if key != "kind"})
    except ValidationError as error:
        problems += sentences(error, step_type.Settings, where=where)
        return None
    return kind, step_type(model), model


def _order_problems(name: str, settings: ConditionSettings, steps: list[tuple[str, Step]]) -> list[str]:
    where = f"conditions.{name}.steps"
    kinds = [kind for kind, _ in steps]
    problems = [
        f"{where}: {kind} occurs {kinds.count(kind)} times, but a rendering has one SNR: keep one."
        for kind in sorted(_SETS_SNR)
        if kinds.count(kind) > 1
    ]
    physical = sorted(steps, key=lambda item: item[1].stage)
    if settings.order == "physical" and physical != steps:
        problems.append(
            f"{where}: sound does not travel in the order {' > '.join(kinds)}. Write "
            f"{' > '.join(kind for kind, _ in physical)}, or say 'order: free' if this order is meant."
        )
    return problems
