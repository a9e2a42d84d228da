"""What the study as configured needs beyond the core: optional packages, codecs and graphics cards, each with why."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import Study

_RECOGNIZERS: Mapping[str, tuple[str, ...]] = {
    "endpoint": ("httpx2", "tenacity"),
    "faster_whisper": ("faster-whisper",),
    "pocketsphinx": ("pocketsphinx",),
    "transformers": ("torch", "transformers"),
    "whisper": ("openai-whisper", "torch"),
}
_CORPORA: Mapping[str, tuple[str, ...]] = {"probes": ("hibari-tts",)}
_ENGINES: Mapping[str, str] = {"faster_whisper": "ctranslate2", "transformers": "torch", "whisper": "torch"}
_WITHOUT_PYAV = frozenset({"g711", "gsm_fr"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A graphics card that a setting asks for."""

    setting: str
    """such as ``asr.device=cuda:1``"""
    engine: str | None
    """``torch`` or ``ctranslate2``: who computes on it; None where that is not known here"""
    index: int
    """number of the card"""


def packages(study: Study) -> dict[str, str]:
    """Return the distributions that the study needs beyond the core, each with the choice that needs it."""
    recognizer, corpus = str(study.settings.asr.get("kind")), str(study.settings.corpus.get("kind"))
    found = dict.fromkeys(_RECOGNIZERS.get(recognizer, ()), f"asr.kind={recognizer}")
    found |= dict.fromkeys(_CORPORA.get(corpus, ()), f"corpus.kind={corpus}")
    if study.stats.regression:
        found["glmm"] = "stats.regression=true"
    if study.render.device:
        found.setdefault("torch", f"render.device={study.render.device}")
    for condition, step in _steps(study):
        if step["kind"] == "codec" and step["name"] not in _WITHOUT_PYAV:
            found.setdefault("av", f"the condition {condition}")
        if step["kind"] == "reverb" and step["room"]["kind"] == "simulated":
            found.setdefault("pyroomacoustics", f"the condition {condition}")
    return found


def codecs(study: Study) -> dict[str, str]:
    """Return the codecs that the study's conditions use, each with the first condition that does."""
    found: dict[str, str] = {}
    for condition, step in _steps(study):
        if step["kind"] == "codec":
            found.setdefault(step["name"], condition)
    return found


def cards(study: Study) -> list[Asked]:
    """Return the graphics cards that settings ask for by name; ``auto`` asks for none."""
    engine = _ENGINES.get(str(study.settings.asr.get("kind")))
    placed = [(_placing(study), device, engine) for device in _devices(study)]
    rendering = ("render.device", study.render.device, "torch")
    return [asked for setting, device, by in [*placed, rendering] for asked in _asked(setting, device, by)]


def engines(study: Study) -> set[str]:
    """Return the engines that compute on a graphics card in this study if they see one."""
    engine = _ENGINES.get(str(study.settings.asr.get("kind")))
    hearing = {engine} if engine and any(device != "cpu" for device in _devices(study)) else set()
    return hearing | ({"torch"} if study.render.device == "cuda" else set())


def _placing(study: Study) -> str:
    return "devices" if study.settings.devices else "asr.device"


def _devices(study: Study) -> list[str]:
    """Return where the recognizer is to work: on several devices, on one, or (``auto``) wherever it can."""
    return list(study.settings.devices or [str(study.settings.asr.get("device", "auto"))])


def _asked(setting: str, device: str | None, engine: str | None) -> Iterator[Asked]:
    if match := re.fullmatch(r"cuda(?::(\d+))?", device or ""):
        yield Asked(f"{setting}={device}", engine, int(match[1] or 0))


def _steps(study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    for condition in study.conditions:
        for step in condition.parameters:
            yield condition.name, step
