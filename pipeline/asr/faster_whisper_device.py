"""What faster-whisper can compute on here: the device, its number type, and the decoder that goes with it."""

import importlib
from types import ModuleType

from pipeline.asr.faster_whisper_options import FasterWhisperSettings
from pipeline.errors import BackendError, MissingPrerequisite

DEFAULT_COMPUTE = {"cpu": "float32", "cuda": "float16"}
DEFAULT_DECODER = {"cpu": "sequential", "cuda": "batched"}


def _engine() -> ModuleType:
    try:
        return importlib.import_module("ctranslate2")
    except ImportError as error:
        raise MissingPrerequisite(
            f"asr: kind faster_whisper needs the package faster-whisper ({error}). Run: pip install -e '.[quickstart]'"
        ) from error


def settle_device(asked: str) -> str:
    """Return ``cpu`` or ``cuda`` for what was asked (``auto``, ``cpu``, ``cuda``, ``cuda:1``).

    Raises:
        MissingPrerequisite: if the engine, or that CUDA device, is not here.
    """
    devices = _engine().get_cuda_device_count()
    kind, _, index = asked.partition(":")
    if kind == "cuda" and int(index or 0) >= devices:
        seen = "no CUDA device is" if not devices else f"only {devices} CUDA device(s) are"
        raise MissingPrerequisite(f"asr.device: {asked} is asked for, but {seen} seen here. Use asr.device=cpu")
    return ("cuda" if devices else "cpu") if kind == "auto" else kind


def settle_number(device: str, asked: str) -> str:
    """Return the number type to compute in; ``default`` is float32 on CPU and float16 on CUDA.

    Raises:
        BackendError: if the device cannot compute in it.
    """
    number = DEFAULT_COMPUTE[device] if asked == "default" else asked
    supported = _engine().get_supported_compute_types(device)
    if number not in supported:
        raise BackendError(
            f"asr.compute_type: this machine's {device} cannot compute in {number};"
            f" it can in {', '.join(sorted(supported))}."
        )
    return number


def settle_decoder(device: str, settings: FasterWhisperSettings) -> str:
    """Return ``sequential`` or ``batched``; ``auto`` is sequential on CPU and batched on CUDA.

    Raises:
        BackendError: if the batched decoder cannot do what the decoding options say.
    """
    decoder = DEFAULT_DECODER[device] if settings.decoder == "auto" else settings.decoder
    beyond = settings.decoding.sequential_only()
    if decoder == "batched" and beyond:
        raise BackendError(
            f"asr.decoder: the batched decoder (here {settings.decoder} on {device}) cannot do what"
            f" asr.decoding says of {', '.join(beyond)}. Take those back, or use asr.decoder=sequential"
        )
    return decoder
