"""A condition: a named, ordered chain of steps that plans in integers and renders 16-bit samples.

Every utterance is first set to the target active level; the steps follow; nothing is normalized
afterwards, so level and condition are never confounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field, ValidationError

from augment import RENDERER_VERSION
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import Samples
from augment.mistakes import did_you_mean, sentences
from augment.order import SETS_SNR, order_problems
from augment.rendering import Done, Realised, Rendering, finished
from augment.resources import Resources
from augment.source import Source, Speech
from augment.step import (
    Acoustics,
    Effect,
    Law,
    Plan,
    PlanInput,
    PlanValue,
    Promise,
    Scene,
    Stage,
    Step,
    StepSettings,
)

__all__ = [
    "Acoustics",
    "Condition",
    "ConditionSettings",
    "Plan",
    "PlanInput",
    "PlanValue",
    "Probe",
    "Realised",
    "Rendering",
    "Source",
    "build_condition",
]

Probe = Literal["speech", "noise_only"]
Family = Literal["reference", "noise", "room", "handset", "channel", "last_mile"]

_PLACES: Final = ("path", "file")
"""Settings that say where something lies."""


class ConditionSettings(StepSettings):
    """A condition as its YAML file describes it; each of ``steps`` is a ``kind`` and that step's own keys."""

    version: Annotated[int, Field(ge=1)]
    """A change of any number is a new version."""
    family: Family
    description: Annotated[str, Field(min_length=1)]
    sources: list[str] = Field(default_factory=list)
    """Standards and publications behind the numbers."""
    order: Literal["physical", "free"] = "physical"
    """``physical``: from mouth to recognizer, as ``Stage`` lists it; ``free``: as written here."""
    steps: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was checked and built; make one with ``build_condition``."""

    name: str
    settings: ConditionSettings
    acoustics: Acoustics
    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    parameters: tuple[dict[str, Any], ...]
    """Each step's kind and all of its settings, defaults included."""
    definition: dict[str, Any]
    """Everything that decides a rendered sample, apart from audio, plan and seed; JSON-able."""

    @property
    def family(self) -> Family:
        """The condition's family."""
        return self.settings.family

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError, before anything is planned, with everything that cannot be made here."""
        problems = []
        for number, step in enumerate(self.steps):
            try:
                step.check(resources)
            except ConditionError as error:
                problems.append(f"{self._where(number)}: {error}")
        if problems:
            raise ConditionError(" | ".join(problems))

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Decide everything that is drawn for one utterance in one slot.

        Returns:
            Integers and file hashes by ``<step number>.<name>``: JSON-able, and all that ``render`` needs.

        Raises:
            ConditionError: if there is no such slot or no realization for this target.
        """
        if not 0 <= slot < resources.slots:
            raise ConditionError(f"conditions.{self.name}: slot {slot} is not one of 0 to {resources.slots - 1}")
        plan: dict[str, PlanValue] = {}
        for number, step in enumerate(self.steps):
            plan |= {f"{number}.{key}": value for key, value in step.plan(target, slot, resources).items()}
            target = replace(target, samples_16k=step.length_out(target.samples_16k))
        return plan

    def render(
        self, samples: ArrayLike | Source, plan: Plan, resources: Resources, *, probe: Probe = "speech"
    ) -> Rendering:
        """Render one utterance as planned.

        Args:
            samples: one channel at 16 kHz, full scale 1.0, any level; a ``Source`` is measured once for all conditions.
            plan: what ``plan`` returned for it.
            resources: the same talkers, seed and slots.
            probe: ``noise_only`` leaves the talker out and everything else as it is: the same noise at the same gain
                through the same channel; silence where the condition adds no noise.

        Raises:
            NoActiveSpeechError: if the samples hold no active speech.
            ConditionError: if they are not finite numbers, the plan does not fit, or what came out is further from
                what was asked than its tolerance.
        """
        source = samples if isinstance(samples, Source) else Source(samples)
        speech, level = source.leveled(self.acoustics.target_level_dbov)
        current = speech.samples if probe == "speech" else np.zeros_like(speech.samples)
        done: list[Done] = []
        for number, step in enumerate(self.steps):
            scene = Scene(self.acoustics, resources, speech)
            effect = self._applied(number, current, plan, scene)
            speech = self._followed(number, current, effect, plan, scene)
            current = effect.samples
            done.append(Done(self.kinds[number], step.stage, effect))
        rendering = finished(current, level, done)
        self._check_clipping(rendering.realised)
        return rendering

    def _where(self, number: int) -> str:
        return f"conditions.{self.name}.steps.{number} ({self.kinds[number]})"

    def _applied(self, number: int, samples: Samples, plan: Plan, scene: Scene) -> Effect:
        step = self.steps[number]
        try:
            effect = step.apply(samples, _of_step(number, plan), scene)
        except NoActiveSpeechError as error:
            raise NoActiveSpeechError(f"{self._where(number)}: {error}") from error
        except ConditionError as error:
            raise ConditionError(f"{self._where(number)}: {error}") from error
        expected, finite = step.length_out(samples.size), int(np.count_nonzero(np.isfinite(effect.samples)))
        if effect.samples.shape != (expected,) or finite < expected:
            raise ConditionError(
                f"{self._where(number)}: {expected} samples should come out, {effect.samples.size} did, "
                f"{finite} of them finite"
            )
        for promise in effect.promises:
            if not promise.kept:
                raise ConditionError(f"{self._where(number)}: {_broken(promise)}")
        return effect

    def _followed(self, number: int, before: Samples, effect: Effect, plan: Plan, scene: Scene) -> Speech:
        """Return the talker alone behind a step; behind a nonlinear one, once noise was added, as before it."""
        step, speech = self.steps[number], scene.speech
        if step.law == Law.ADDITIVE:
            return speech
        if before is speech.samples:
            return speech if effect.samples is before else Speech(effect.samples)
        noisy = any(earlier.law == Law.ADDITIVE for earlier in self.steps[:number])
        if (noisy and step.law == Law.NONLINEAR) or not any(map(_looks_at_speech, self.steps[number + 1 :])):
            return speech
        return Speech(self._applied(number, speech.samples, plan, scene).samples)

    def _check_clipping(self, realised: Realised) -> None:
        allowed = self.acoustics.clipped_tolerance
        if realised.clipped_share > allowed:
            raise ConditionError(
                f"conditions.{self.name}: {realised.clipped_share:.1%} of the samples lie beyond full scale, so that "
                f"16 bits do not hold what was asked (acoustics.clipped_tolerance is {allowed:.1%}): lower "
                "acoustics.target_level_dbov or raise snr_db"
            )


def _looks_at_speech(step: Step) -> bool:
    # a loss asks when the talker is active, and a pause that is made changes when that is
    return step.needs_speech_level or step.stage in (Stage.SILENCE, Stage.CODEC, Stage.LOSS)


def _of_step(number: int, plan: Plan) -> dict[str, PlanValue]:
    prefix = f"{number}."
    return {key.removeprefix(prefix): value for key, value in plan.items() if key.startswith(prefix)}


def _broken(promise: Promise) -> str:
    unit = f" {promise.unit}" if promise.unit else ""
    got = "could not be measured" if promise.got is None else f"came out as {promise.got:.4g}{unit}"
    return f"{promise.what} {got} instead of {promise.asked:.4g}{unit} (tolerance {promise.tolerance:.4g}{unit})"


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
    named = [(kind, step) for kind, step, _ in built]
    problems += order_problems(f"conditions.{name}.steps", named, physical=settings.order == "physical")
    if problems:
        raise ConditionError("\n".join(problems))
    parameters = tuple({"kind": kind} | model.model_dump(mode="json") for kind, _, model in built)
    return Condition(
        name=name,
        settings=settings,
        acoustics=acoustics,
        kinds=tuple(kind for kind, _, _ in built),
        steps=tuple(step for _, step, _ in built),
        parameters=parameters,
        definition=_definition(settings, acoustics, parameters),
    )


def _definition(
    settings: ConditionSettings, acoustics: Acoustics, parameters: tuple[dict[str, Any], ...]
) -> dict[str, Any]:
    # the SNR weighting changes no sample of a condition without noise, so it is no part of its identity
    sets_snr = any(step["kind"] == SETS_SNR for step in parameters)
    return {
        "renderer_version": RENDERER_VERSION,
        "version": settings.version,
        "target_level_dbov": acoustics.target_level_dbov,
        "snr_weighting": acoustics.snr_weighting if sets_snr else None,
        "steps": [_without_places(step) for step in parameters],
    }


def _without_places(parameters: dict[str, Any]) -> dict[str, Any]:
    """Leave out where files lie: what they hold is in the plan, as a hash."""
    return {
        key: _without_places(value) if isinstance(value, dict) else value
        for key, value in parameters.items()
        if key not in _PLACES
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
