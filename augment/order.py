"""Which steps may follow each other in a chain: one noise of a kind, a level before any noise, the way of the sound."""

from typing import Final

from augment.step import Law, Stage, Step

SETS_SNR: Final = "add_noise"
"""The kind of step that sets an SNR."""

NamedSteps = list[tuple[str, Step]]
"""Each step with its kind."""


def order_problems(where: str, steps: NamedSteps, *, physical: bool) -> list[str]:
    """Return one sentence for each way in which the steps at ``where`` cannot follow each other.

    ``physical``: they must also stand in the order from mouth to recognizer.
    """
    problems = _noise_problems(where, steps) + _level_problems(where, steps)
    ordered = sorted(steps, key=lambda item: item[1].stage)
    if physical and ordered != steps:
        problems.append(
            f"{where}: sound does not travel in the order {_listed(steps)}. Write {_listed(ordered)}, or say "
            "'order: free' if this order is meant."
        )
    return problems


def _noise_problems(where: str, steps: NamedSteps) -> list[str]:
    stages = [step.stage for kind, step in steps if kind == SETS_SNR]
    twice = sorted({stage.name.lower() for stage in stages if stages.count(stage) > 1})
    return [
        f"{where}: two {SETS_SNR} steps of one role ({role}), but a rendering has one SNR: keep one, or give one the "
        "other role."
        for role in twice
    ]


def _level_problems(where: str, steps: NamedSteps) -> list[str]:
    """Name the steps that need the level of the talker where it can no longer be told apart from a noise."""
    problems, noisy, bent = [], False, ""
    for kind, step in steps:
        if step.stage == Stage.LEVEL and noisy:
            problems.append(f"{where}: nothing may set the level once noise was added: put {kind} before {SETS_SNR}.")
        elif step.needs_speech_level and bent:
            problems.append(
                f"{where}: {kind} needs the level of the speech alone, and behind {bent} it cannot be told apart from "
                f"the noise: put {kind} first."
            )
        noisy = noisy or step.law == Law.ADDITIVE
        bent = bent or (kind if noisy and step.law == Law.NONLINEAR else "")
    return problems


def _listed(steps: NamedSteps) -> str:
    return " > ".join(kind for kind, _ in steps)
