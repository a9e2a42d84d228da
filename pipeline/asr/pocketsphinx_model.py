"""Where PocketSphinx's model lies, and the proof that it is whole.

The engine maps its files into memory and reads a cut-off one as far as it goes (weights of a fifth of their size were
taken without a word), so the wheel's model is compared with the hashes that its installer recorded. A user's
own model is taken as it is; its hashes name it in the run.
"""

import base64
import importlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from pipeline.artifacts import file_sha256
from pipeline.asr.pocketsphinx_options import BUILT_IN, PocketSphinxSettings
from pipeline.errors import BackendError, MissingPrerequisite

NEEDED = ("mdef", "means", "variances", "transition_matrices", "feat.params")
"""Files of an acoustic model; its mixture weights are ``sendump`` or ``mixture_weights``."""
MIXTURES = ("sendump", "mixture_weights")
OPTIONAL = ("noisedict", "feature_transform", "mllr_matrix")


@dataclass(frozen=True, slots=True)
class Model:
    """A verified model, and the SHA-256 of its files by their role."""

    acoustic_model: Path
    language_model: Path
    dictionary: Path
    sha256: dict[str, str]


def find(settings: PocketSphinxSettings) -> Model:
    """Return the model that the settings name, the wheel's own where they name none.

    Raises:
        MissingPrerequisite: if the package is not installed.
        BackendError: if a file is missing, cut off or no dictionary.
    """
    try:
        engine = importlib.import_module("pocketsphinx")
    except ImportError as error:
        raise MissingPrerequisite(
            f"asr: kind pocketsphinx needs the package pocketsphinx ({error}). Run: pip install -e '.[pocketsphinx]'"
        ) from error
    if settings.acoustic_model is None and settings.language != "en":
        raise BackendError(
            f"asr.language: the model in pocketsphinx's wheel knows English only, not {settings.language!r}. Give the"
            " three files of another: asr.acoustic_model, asr.language_model and asr.dictionary"
        )
    wheel = Path(engine.get_model_path(BUILT_IN))
    acoustic = _chosen(settings.acoustic_model, wheel / BUILT_IN)
    language = _chosen(settings.language_model, wheel / "en-us.lm.bin")
    dictionary = _chosen(settings.dictionary, wheel / "cmudict-en-us.dict")
    files = {f"acoustic_model.{path.name}": path for path in _acoustic_files(acoustic)}
    files |= {"language_model": language, "dictionary": dictionary}
    for role, path in files.items():
        if not path.is_file():
            raise BackendError(f"asr.{role.partition('.')[0]}: {path} is not a file; give the file's path, or null.")
    _check_dictionary(dictionary)
    sha256 = {role: file_sha256(path) for role, path in files.items()}
    recorded = _recorded()
    for role, path in files.items():
        if recorded.get(path.resolve(), sha256[role]) != sha256[role]:
            raise BackendError(
                f"asr: {path} is not what the package pocketsphinx installed (SHA-256 {sha256[role]}): damaged or"
                " exchanged. Run: pip install --force-reinstall pocketsphinx"
            )
    return Model(acoustic, language, dictionary, sha256)


def _chosen(given: str | None, built_in: Path) -> Path:
    return built_in if given is None else Path(given).expanduser()


def _acoustic_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BackendError(f"asr.acoustic_model: {folder} is not a folder; give the acoustic model's folder, or null.")
    mixtures = [name for name in MIXTURES if (folder / name).is_file()]
    absent = [name for name in NEEDED if not (folder / name).is_file()]
    if absent or not mixtures:
        lacking = ", ".join(absent + ([] if mixtures else [" or ".join(MIXTURES)]))
        raise BackendError(
            f"asr.acoustic_model: {folder} lacks {lacking}: give the folder of a whole acoustic model, or null."
        )
    present = (*NEEDED, *mixtures, *(name for name in OPTIONAL if (folder / name).is_file()))
    return [folder / name for name in present]


def _check_dictionary(path: Path) -> None:
    """Refuse what is no dictionary: the engine would take it, and then know no words."""
    try:
        entries = sum(len(entry.split()) > 1 for entry in path.read_text(encoding="utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise BackendError(
            f"asr.dictionary: {path} is not UTF-8 text ({error.reason} at byte {error.start})."
        ) from error
    if not entries:
        raise BackendError(
            f"asr.dictionary: {path} has no line with a word and its phones, such as 'hello HH AH L OW'."
        )


def _recorded() -> dict[Path, str]:
    """Return the SHA-256 by path that the installer recorded of the package's files."""
    files = importlib.metadata.files("pocketsphinx") or ()
    return {
        Path(str(file.locate())).resolve(): base64.urlsafe_b64decode(f"{file.hash.value}==").hex()
        for file in files
        if file.hash is not None and file.hash.mode == "sha256" and "model" in file.parts
    }
