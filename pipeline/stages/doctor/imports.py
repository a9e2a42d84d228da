"""Whether the heavy packages that are installed can be imported, each tried in a process of its own."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.card.doctor import Check, Verdict
from pipeline.stages.doctor import requirements
from pipeline.stages.doctor.children import Answer, Children


@dataclass(frozen=True, slots=True)
class Heavy:
    """A module, the distribution that holds it, and its parts that are loaded only when they are asked for."""

    module: str
    distribution: str
    parts: tuple[str, ...] = ()


HEAVY = (
    Heavy("torch", "torch"),
    Heavy("torchaudio", "torchaudio"),
    Heavy("ctranslate2", "ctranslate2"),
    Heavy("faster_whisper", "faster-whisper"),
    Heavy("whisper", "openai-whisper"),
    Heavy("transformers", "transformers"),
    Heavy("datasets", "datasets"),
    Heavy("librosa", "librosa", ("librosa.feature.spectral",)),
    Heavy("soundfile", "soundfile"),
    Heavy("av", "av"),
)

Asked = Mapping[str, Future[Answer]]


def ask(children: Children) -> dict[str, Future[Answer]]:
    """Let each installed package be imported; by module."""
    here = (heavy for heavy in HEAVY if requirements.installed(heavy.distribution))
    return {one.module: children.ask("import", {"module": one.module, "parts": one.parts}) for one in here}


def checks(asked: Asked) -> Iterator[Check]:
    """Say of each package whether it can be imported; of one that is not installed, only that."""
    for heavy in HEAVY:
        if heavy.module in asked:
            yield judge(heavy, asked[heavy.module].result())
        else:
            yield Check(f"import {heavy.module}", Verdict.NOTE, f"{heavy.distribution} is not installed")


def judge(heavy: Heavy, answer: Answer) -> Check:
    """Return the check of one package from what its process answered."""
    name, version = f"import {heavy.module}", requirements.installed(heavy.distribution)
    if answer.found is None:
        found = f"{heavy.distribution} {version} cannot be imported: {answer.problem}"
        return Check(name, Verdict.FAIL, found, _advice(heavy, answer))
    apart = _torch_apart() if heavy.module == "torchaudio" else ""
    if apart:
        return Check(name, Verdict.FAIL, apart, _TOGETHER)
    return Check(name, Verdict.OK, f"{version}, in {answer.found['took_s']:.1f} s")


_TOGETHER = (
    "Run: pip install 'torch==2.11.*' 'torchaudio==2.11.*' - they belong together by version and by build: both for "
    "processors only, or both for the same CUDA. Without use for torchaudio: pip uninstall torchaudio"
)


def _advice(heavy: Heavy, answer: Answer) -> str:
    by_hand = f"See it whole with: python -c 'import {heavy.module}'"
    if heavy.module == "torchaudio":
        return _TOGETHER
    if not answer.ended and "did not end" in answer.problem:
        return f"{by_hand}. A slow or remote disk, or a driver that hangs, can be why."
    wanted = next((one.wanted for one in _declared() if one.name == heavy.distribution), heavy.distribution)
    return f"Run: pip install --force-reinstall '{wanted}'. {by_hand}"


def _declared() -> Iterator[requirements.Package]:
    yield from requirements.core()
    for packages in requirements.extras().values():
        yield from packages


def _torch_apart() -> str:
    """Return how the versions of torch and torchaudio differ in what must be the same; empty if they do not."""
    torch, torchaudio = requirements.installed("torch"), requirements.installed("torchaudio")
    if torch is None:
        return "torchaudio is installed without torch"
    if torch.split(".")[:2] != str(torchaudio).split(".")[:2]:
        return f"torchaudio {torchaudio} is imported, but it was built for another torch than {torch}"
    return ""
