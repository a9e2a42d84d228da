"""Whether the chosen recognizer finds and verifies what it needs; nothing is fetched and nothing is written."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor.children import Answer, Children
from pipeline.stages.doctor.restraint import FETCH

NAME = "recognizer"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_DIGITS = 12
_OTHER = "Do what it says, or choose another recognizer: python -m pipeline --help lists them under asr"


def ask(study: Study, children: Children) -> Future[Answer]:
    """Let the recognizer prepare itself, from its section of the configuration."""
    return children.ask(NAME, {"asr": study.settings.asr, "device": next(iter(study.settings.devices or ()), None)})


def checks(answer: Answer) -> Iterator[Check]:
    """Say what was found and by which hash, or what is lacking."""
    if answer.found is not None:
        yield _found(answer.found)
    elif answer.wanted:
        yield _later(answer)
    else:
        advice = _OTHER if answer.sentence else f"See it whole by running the study. {_OTHER}"
        yield Check(NAME, Verdict.FAIL, answer.problem, advice)


def _found(found: Mapping[str, Any]) -> Check:
    hashes = "; ".join(f"{name} {value[:_DIGITS]}" for name, value in found["hashes"].items())
    said = "; ".join(found["said"]) or "ready"
    text = f"{found['name']} on {found['device']}: {said}{f'; {hashes}' if hashes else ''}"
    if found["warned"]:
        return Check(NAME, Verdict.NOTE, f"{text}. It warns: {'; '.join(found['warned'])}")
    return Check(NAME, Verdict.OK, text)


def _later(answer: Answer) -> Check:
    """Judge a recognizer that wanted to fetch or make something: a run would let it."""
    if FETCH not in answer.wanted:
        found = "its weights would be converted or downloaded, and kept, when a study runs for the first time"
        return Check(NAME, Verdict.NOTE, f"{found}; the doctor writes nothing. It said: {answer.problem}")
    offline = [name for name in OFFLINE if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")]
    if offline:
        return Check(NAME, Verdict.FAIL, answer.problem, f"Unset {' and '.join(offline)}, or do what the line says.")
    found = "its weights are not here and would be downloaded when a study runs; the doctor downloads nothing"
    advice = (
        "Run the study once where the network is reached, or name weights that are here with asr.model=/path/to/them"
    )
    return Check(NAME, Verdict.NOTE, f"{found}. It said: {answer.problem}", advice)
