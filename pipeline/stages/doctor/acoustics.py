"""Codecs, simulated rooms, and every condition of the study: can this machine make them?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Final

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count, listed
from pipeline.config import Study
from pipeline.stages.doctor import requirements
from pipeline.stages.doctor.children import Answer, Children

CODECS: Final[Mapping[str, Mapping[str, Any]]] = {
    "g711": {},
    "g722": {},
    "g726": {},
    "gsm_fr": {},
    "amr_nb": {"bitrate": 12_200},
    "amr_wb": {"bitrate": 12_650},
    "opus": {"bitrate": 16_000},
    "mp3": {"bitrate": 32_000},
    "aac": {"bitrate": 32_000},
}
"""Settings by which each codec is tried."""
ROOMS = "pyroomacoustics"


def told(study: Study) -> dict[str, dict[str, Any]]:
    """Return what the processes are told that try the codecs, the conditions and, where there can be one, a room."""
    settings = study.settings
    tried: dict[str, dict[str, Any]] = {
        "conditions": {"conditions": settings.conditions, "acoustics": settings.acoustics, "seed": settings.seed},
        "codecs": {"codecs": {name: {"name": name, **raw} for name, raw in CODECS.items()}},
    }
    if requirements.installed(ROOMS):
        tried["room"] = {}
    return tried


def ask(study: Study, children: Children) -> dict[str, Future[Answer]]:
    """Let the codecs, a room and the conditions be tried, each in a process."""
    return {task: children.ask(task, what) for task, what in told(study).items()}


def codecs(answer: Answer, used: Mapping[str, str]) -> Iterator[Check]:
    """Say which codecs work; those that do not, by the reason that they share.

    Args:
        answer: of the process that tried them.
        used: codecs that the study uses, each with a condition that does.
    """
    if answer.found is None:
        yield _broken("codecs", answer, needed=bool(used), advice="Run: pip install --force-reinstall av soundfile")
        return
    working = [name for name, problem in answer.found.items() if problem is None]
    yield Check("codecs", Verdict.OK, f"one second encoded and decoded with {listed(working)}")
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for name, problem in answer.found.items():
        if problem is not None:
            reasons[problem].append(name)
    for problem, names in reasons.items():
        users = [f"{name} in {used[name]}" for name in names if name in used]
        found = f"{listed(names)}: {problem}"
        if users:
            advice = f"Do what it says, or leave out the conditions that use it ({listed(users)})"
            yield Check("codecs", Verdict.FAIL, found, advice)
        else:
            yield Check(
                "codecs", Verdict.NOTE, f"{found}. This study does not use {'it' if len(names) == 1 else 'them'}"
            )


def room(answer: Answer | None, why: str | None) -> Iterator[Check]:
    """Say whether rooms can be simulated; ``why`` names what in the study needs that, or is None."""
    install = "Run: pip install -e '.[rooms]'"
    if answer is None:
        found = f"{ROOMS} is not installed; only rooms of kind 'simulated' need it"
        yield Check("simulated rooms", Verdict.FAIL if why else Verdict.NOTE, found, install)
    elif answer.found is None:
        yield _broken("simulated rooms", answer, needed=why is not None, advice=install)
    else:
        yield Check("simulated rooms", Verdict.OK, f"one was made with {ROOMS} {requirements.installed(ROOMS)}")


def conditions(answer: Answer) -> Iterator[Check]:
    """Say of each condition that cannot be made here why; the others share a line."""
    if answer.found is None:
        yield _broken("conditions", answer, needed=True, advice="Run: python -m pipeline 'stages=[describe]'")
        return
    good = [name for name, problem in answer.found.items() if problem is None]
    if good:
        yield Check("conditions", Verdict.OK, f"{count(len(good), 'condition')} can be made here: {listed(good)}")
    for name, problem in answer.found.items():
        if problem is not None:
            advice = f"Do what it says, or leave the condition out: '~conditions.{name}'"
            yield Check(f"condition {name}", Verdict.FAIL, problem, advice)


def _broken(name: str, answer: Answer, *, needed: bool, advice: str) -> Check:
    found = f"could not be tried: {answer.problem}"
    return Check(name, Verdict.FAIL if needed or not answer.ended else Verdict.NOTE, found, advice)
