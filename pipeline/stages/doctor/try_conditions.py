"""In a child: ask each condition of the study what this machine lacks to make it."""

import hashlib
from collections.abc import Mapping
from typing import Any, NoReturn

from augment.chain import Acoustics, ConditionSettings, build_condition
from augment.errors import ConditionError
from augment.resources import Resources, Talker, TalkerRecording
from pipeline import plugins

_ACCENTS, _VOICES = 4, 160
"""A pool that even the largest babble finds enough talkers in; the corpus's own is a matter of the corpus."""


def attempt(told: Mapping[str, Any]) -> dict[str, str | None]:
    """Return for each of ``conditions`` why it cannot be made here; None for one that can."""
    acoustics = Acoustics.model_validate(told["acoustics"])
    resources = Resources(told["seed"], acoustics.slots, map(_talker, range(_VOICES)), acoustics.target_level_dbov)
    kinds = {name: point.load() for name, point in plugins.available(plugins.STEPS).items()}
    return {
        name: _problem(name, raw, kinds=kinds, acoustics=acoustics, resources=resources)
        for name, raw in told["conditions"].items()
    }


def _problem(
    name: str, raw: object, *, kinds: Mapping[str, type], acoustics: Acoustics, resources: Resources
) -> str | None:
    settings = ConditionSettings.model_validate(raw)
    try:
        build_condition(name, settings, step_types=kinds, acoustics=acoustics).check(resources)
    except ConditionError as error:
        return str(error)
    return None


def _talker(number: int) -> Talker:
    name = f"voice {number:03d}"
    recording = TalkerRecording(hashlib.sha256(name.encode()).hexdigest(), _unread)
    return Talker(name, f"accent {number % _ACCENTS}", name, (recording,))


def _unread() -> NoReturn:
    raise ConditionError("the check of a condition wants to hear talkers, and the doctor has none")
