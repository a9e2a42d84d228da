"""Graphics cards: what torch and CTranslate2 see of them, and whether that is what the study asks for."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count, listed
from pipeline.stages.doctor import requirements
from pipeline.stages.doctor.children import Answer
from pipeline.stages.doctor.imports import Asked
from pipeline.stages.doctor.needs import Asked as AskedCard

DRIVER = Path("/proc/driver/nvidia/version")
VISIBLE = "CUDA_VISIBLE_DEVICES"
ENGINES = ("torch", "ctranslate2")


def checks(asked: Asked, cards: Sequence[AskedCard], used: Collection[str]) -> Iterator[Check]:
    """Say what each engine sees, where they differ and why, and whether every card that is asked for is there.

    Args:
        asked: the answers to come of the processes that import packages.
        cards: the cards that settings ask for by name.
        used: the engines that would compute on a card in this study.
    """
    seen = {name: found for name in ENGINES if (found := _cards(asked, name)) is not None}
    for name, found in seen.items():
        yield _torch(found) if name == "torch" else _ctranslate2(found, needed=name in used)
    if not seen:
        yield Check("CUDA", Verdict.NOTE, "neither torch nor ctranslate2 can be asked for graphics cards here")
    counts = {name: found["count"] for name, found in seen.items()}
    if len(set(counts.values())) > 1:
        yield _difference(counts)
    for card in cards:
        yield _asked(card, counts)


def _cards(asked: Asked, name: str) -> Mapping[str, Any] | None:
    answer = asked[name].result() if name in asked else Answer()
    return answer.found["cards"] if answer.found else None


def _torch(found: Mapping[str, Any]) -> Check:
    name, version, driver = "CUDA in torch", requirements.installed("torch"), _driver(found["driver"])
    if found["count"]:
        cards = f"{count(found['count'], 'card')}: {listed(found['names'])}"
        return Check(name, Verdict.OK, f"{cards}; torch {version} for CUDA {found['built_for']}; {driver}")
    built = f"for CUDA {found['built_for']}" if found["built_for"] else "for processors only"
    text = f"no card is seen{_hidden()}; torch {version} {built}; {driver}"
    if found["driver"] is None:
        return Check(name, Verdict.OK, text)
    advice = (
        "Update the driver, or install the torch that is built for its CUDA"
        if found["built_for"]
        else "Install a build for CUDA: pip install --force-reinstall 'torch==2.11.*' 'torchaudio==2.11.*'"
    )
    return Check(name, Verdict.NOTE, text, f"{advice}; nvidia-smi shows what the driver sees")


def _ctranslate2(found: Mapping[str, Any], *, needed: bool) -> Check:
    name, version = "CUDA in ctranslate2", requirements.installed("ctranslate2")
    seen = count(found["count"], "card") if found["count"] else f"no card is seen{_hidden()}"
    if not found["lacking"]:
        return Check(name, Verdict.OK, f"{seen}; ctranslate2 {version}")
    lacking = listed(found["lacking"])
    text = f"{seen}, but {lacking} cannot be loaded: ctranslate2 {version} would stop at the first clip"
    return Check(name, Verdict.FAIL if needed else Verdict.NOTE, text, _cublas(lacking))


def _cublas(library: str) -> str:
    """Say where to get cuBLAS; torch brings that of its own CUDA version only."""
    major = library.rpartition(".")[2]
    package = f"nvidia-cublas-cu{major}" if major in ("11", "12") else f"'nvidia-cublas=={major}.*'"
    return (
        f"Run: pip install {package} - and add its folder nvidia/cublas/lib in site-packages to LD_LIBRARY_PATH; "
        "or use asr.device=cpu"
    )


def _difference(counts: Mapping[str, int]) -> Check:
    found = "; ".join(f"{name} sees {count(number, 'card')}" for name, number in counts.items())
    blind = min(counts, key=lambda name: counts[name])
    advice = (
        f"{blind} {requirements.installed(blind)} is built without CUDA or for a newer one than the driver's: install "
        "another build of it, or update the driver. It matters to studies that compute on it only"
    )
    return Check("CUDA, both", Verdict.NOTE, found, advice)


def _asked(card: AskedCard, counts: Mapping[str, int]) -> Check:
    engines = [card.engine] if card.engine else list(counts)
    seen = max((counts.get(name, 0) for name in engines), default=0)
    by = listed(engines, empty="no engine")
    if card.index < seen:
        return Check(card.setting, Verdict.OK, f"card {card.index} is there: {by} sees {count(seen, 'card')}")
    found = f"card {card.index} is asked for, and {by} sees {count(seen, 'card')}{_hidden()}"
    setting = card.setting.partition("=")[0]
    instead = f"{setting}={'cpu' if setting == 'asr.device' else 'null'}"
    if seen:
        return Check(
            card.setting, Verdict.FAIL, found, f"Cards are numbered from 0: the last one here is cuda:{seen - 1}"
        )
    advice = f"Check with nvidia-smi that the driver sees a card, and that {by} is built for CUDA; or use {instead}"
    return Check(card.setting, Verdict.FAIL, found, advice)


def _hidden() -> str:
    return f" with {VISIBLE}={os.environ[VISIBLE]!r}" if VISIBLE in os.environ else ""


def _driver(supports: str | None, file: Path = DRIVER) -> str:
    """Return the NVIDIA driver's version, from the file of the kernel's module, and the CUDA that it supports."""
    if supports is None:
        return "no NVIDIA driver"
    try:
        words = file.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        words = []
    version = next((f" {word}" for word in words if word[:1].isdigit() and "." in word), "")
    return f"NVIDIA driver{version} for CUDA up to {supports}"
