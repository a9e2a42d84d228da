"""Where a transformers model lies, and the hashes that name it in a run.

A folder given by the user is taken as it is; a hub id is looked for in the hub's cache here, then downloaded.
Weights stored as a pickle can hold code, so they are refused unless the user says otherwise.
"""

import importlib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pipeline.artifacts import file_sha256
from pipeline.asr.weights import user_folder
from pipeline.errors import BackendError, MissingPrerequisite

SAFE = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors")
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin")
DESCRIPTIONS = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "merges.txt",
    "vocab*",
    "*.model",
)
"""What the library reads beside the weights; anything else in the folder decides no word."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model's folder, the place it was found in, whether its weights are safetensors, and SHA-256 by file name."""

    folder: Path
    place: str
    safe: bool
    sha256: dict[str, str]


def find(model: str, *, revision: str, allow_pickle: bool) -> Found:
    """Find the model called ``model``: a folder or a hub id.

    Raises:
        BackendError: if what was found is no model, or only has weights in a pickle.
        MissingPrerequisite: if the library is not installed, or the model is not here and cannot be downloaded.
    """
    folder = user_folder(model)
    if folder is not None:
        return _verified(folder, "the folder given by the user", allow_pickle=allow_pickle)
    if model.count("/") != 1:
        raise BackendError(
            f"asr.model: {model!r} is neither a hub id 'owner/name' nor a folder (write a folder as ./{model} or with"
            " its full path)."
        )
    cached = _snapshot(model, revision, here=True)
    if cached is not None and _present(cached, SAFE + PICKLED):
        return _verified(cached, "the hub's cache", allow_pickle=allow_pickle)
    downloaded = _snapshot(model, revision, here=False)
    if downloaded is not None and allow_pickle and not _present(downloaded, SAFE):
        downloaded = _snapshot(model, revision, here=False, weights=PICKLED)
    if downloaded is None:
        raise BackendError(f"asr.model: the hub said that it downloaded {model!r}, but nothing came.")
    return _verified(downloaded, "the hub", allow_pickle=allow_pickle)


def _snapshot(model: str, revision: str, *, here: bool, weights: tuple[str, ...] = SAFE) -> Path | None:
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise MissingPrerequisite(
            f"asr: kind transformers needs the package transformers ({error}). Run: pip install -e '.[transformers]'"
        ) from error
    try:
        wanted = [*DESCRIPTIONS, *weights]
        return Path(hub.snapshot_download(model, revision=revision, local_files_only=here, allow_patterns=wanted))
    except Exception as error:  # the client raises its own, httpx's and the system's errors: all mean "not from there"
        if here:
            return None
        reason = (str(error).splitlines() or [""])[0]
        raise MissingPrerequisite(
            f"asr.model: {model!r} (revision {revision}) is not on this machine and could not be downloaded"
            f" ({type(error).__name__}: {reason}). Either connect this machine to the network once, or copy the model's"
            " folder here and give asr.model=/path/to/folder."
        ) from error


def _present(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [path for path in files if any(fnmatch(path.name, pattern) for pattern in patterns)]


def _verified(folder: Path, place: str, *, allow_pickle: bool) -> Found:
    if not folder.is_dir():
        raise BackendError(f"asr.model: {folder} is not a folder; give the folder that holds config.json.")
    if not (folder / "config.json").is_file():
        raise BackendError(f"asr.model: {folder} lacks config.json: not a model saved by transformers.")
    safe, pickled = _present(folder, SAFE), _present(folder, PICKLED)
    if not safe and pickled and not allow_pickle:
        raise BackendError(
            f"asr.model: the weights in {folder} are a Python pickle ({pickled[0].name}), which can hold code."
            " Convert them to safetensors, or, if you trust their source, say asr.allow_pickle=true"
        )
    weights = safe or pickled
    if not weights:
        raise BackendError(f"asr.model: {folder} lacks model.safetensors: its weights are missing.")
    read = [*_present(folder, DESCRIPTIONS), *weights]
    return Found(folder, place, bool(safe), {path.name: file_sha256(path) for path in read})
