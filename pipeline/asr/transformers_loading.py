"""From a verified folder to a model in memory: its kind, where it computes, and whether its weights are whole."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.asr.clips import line
from pipeline.asr.transformers_models import CtcModel, Model, Parts, WritingModel
from pipeline.asr.transformers_options import TransformersSettings
from pipeline.asr.transformers_weights import Found
from pipeline.errors import BackendError, MissingPrerequisite, first_five

DEFAULT_DTYPE = {"cpu": "float32", "cuda": "float16"}
ONLY_TRAINED = "masked_spec_embed"
"""A weight that published models may lack: it is read in training alone."""


@dataclass(frozen=True, slots=True)
class Description:
    """Whether a model writes token by token (or is CTC), and the languages that it can be told, if any."""

    writes: bool
    is_multilingual: bool | None
    """None: not a Whisper"""
    languages: tuple[str, ...]

    def check_language(self, language: str | None, name: str) -> None:
        """Raise BackendError if a Whisper lacks ``language``."""
        if language is None or self.is_multilingual is None:
            return
        if not self.is_multilingual and language != "en":
            raise BackendError(
                f"asr.generation.language: {name} knows English only, not {language!r}. Use asr.generation.language=en,"
                " or a model of many languages"
            )
        if self.is_multilingual and language not in self.languages:
            known = ", ".join(self.languages)
            raise BackendError(f"asr.generation.language: {name} does not know {language!r} but {known}.")


def describe(folder: Path) -> Description:
    """Return what the model's own files say of it.

    Raises:
        MissingPrerequisite: if the library is not installed.
        BackendError: if it is no speech recognizer, or one whose code is not in the library.
    """
    library = _library()
    try:
        config = library.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (ValueError, OSError, KeyError) as error:
        raise BackendError(
            f"asr.model: {folder} cannot be read as a model of the installed transformers: {line(error)} (A model that"
            " brings its own code is never run.)"
        ) from error
    writes = type(config) in library.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING
    if not writes and type(config) not in library.MODEL_FOR_CTC_MAPPING:
        raise BackendError(
            f"asr.model: {folder} is of type {config.model_type!r}, which is neither a CTC nor a sequence-to-sequence"
            " recognizer of the installed transformers. Use asr=command for an engine of another kind."
        )
    if config.model_type != "whisper":
        return Description(writes, None, ())
    said = _generation(folder)
    languages = tuple(str(token).strip("<|>") for token in said.get("lang_to_id", {}))
    return Description(writes, bool(said.get("is_multilingual", False)), languages)


def _generation(folder: Path) -> dict[str, Any]:
    path = folder / "generation_config.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise BackendError(f"asr.model: {path} is not JSON: {error}") from error
    return said if isinstance(said, dict) else {}


def _library() -> ModuleType:
    try:
        importlib.import_module("torch")
        return importlib.import_module("transformers")
    except (ImportError, OSError) as error:  # torch with the wrong CUDA libraries raises OSError
        raise MissingPrerequisite(
            f"asr: kind transformers needs the packages transformers and torch ({line(error)})."
            " Run: pip install -e '.[transformers]'"
        ) from error


def settle_device(asked: str) -> str:
    """Return ``cpu`` or a CUDA device with its number.

    Raises:
        MissingPrerequisite: if torch, or that CUDA device, is not here.
    """
    _library()
    cuda = importlib.import_module("torch").cuda
    devices = cuda.device_count() if cuda.is_available() else 0
    kind, _, index = asked.partition(":")
    if kind == "cuda" and int(index or 0) >= devices:
        seen = "no CUDA device is" if not devices else f"only {devices} CUDA device(s) are"
        raise MissingPrerequisite(f"asr.device: {asked} is asked for, but {seen} seen here. Use asr.device=cpu")
    return "cpu" if kind == "cpu" or not devices else f"cuda:{int(index or 0)}"


def settle_dtype(device: str, asked: str) -> str:
    """Return the number type to compute in."""
    return DEFAULT_DTYPE[device] if asked == "auto" else asked


def load(found: Found, settings: TransformersSettings, *, place: str, dtype: str) -> Model:
    """Bring a verified model into memory.

    Raises:
        BackendError: if its weights are truncated, incomplete or another model's, or the device cannot hold it.
    """
    library = _library()
    library.logging.set_verbosity_error()  # it advises on every other call
    library.logging.disable_progress_bar()
    writes = describe(found.folder).writes
    maker = library.AutoModelForSpeechSeq2Seq if writes else library.AutoModelForCTC
    number = getattr(importlib.import_module("torch"), dtype)
    told = {"trust_remote_code": False, "local_files_only": True}
    try:
        model, info = maker.from_pretrained(
            found.folder, dtype=number, use_safetensors=found.safe, output_loading_info=True, **told
        )
        parts = Parts(
            model=model.to(place).eval(),
            extractor=library.AutoFeatureExtractor.from_pretrained(found.folder, **told),
            tokenizer=library.AutoTokenizer.from_pretrained(found.folder, **told),
            device=place,
            dtype=number,
        )
    except Exception as error:  # safetensors, pickle and every tokenizer raise errors of their own
        raise BackendError(f"asr.model: {found.folder} cannot be loaded on {place}: {line(error)}") from error
    lacking = sorted(name for name in info["missing_keys"] if not name.endswith(ONLY_TRAINED))
    if lacking:
        raise BackendError(
            f"asr.model: the weights in {found.folder} lack {first_five(lacking)}, which would be made up at random:"
            " they are another model's, or of one that was not trained to transcribe."
        )
    return WritingModel(parts, settings) if writes else CtcModel(parts, settings)
