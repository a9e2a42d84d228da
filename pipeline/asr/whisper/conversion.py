"""CTranslate2's Whisper weights turned into the layout of openai-whisper, word for word the same numbers.

The file is little-endian (source: CTranslate2's ``model_spec.py``, ``_save``): version; name of the specification and
its revision; the variables, each with name, shape, type and bytes; and aliases. CTranslate2 fuses projections that
share their input: query, key and value of self-attention into ``linear_0``, key and value of cross-attention into
``linear_1``. openai-whisper keeps them apart, and its keys have no bias.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BackendError

VERSION: Final = 6
"""Of the file format."""
SPECIFICATION: Final = "WhisperSpec"
DTYPES: Final = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
"""By the number that the file gives them."""
LAYOUT: Final = "1"
"""Of what is written here; another number is another conversion."""

Arrays = dict[str, NDArray[Any]]

_BLOCK: Final = {
    "self_attention/layer_norm": "attn_ln",
    "self_attention/linear_1": "attn.out",
    "attention/layer_norm": "cross_attn_ln",
    "attention/linear_0": "cross_attn.query",
    "attention/linear_2": "cross_attn.out",
    "ffn/layer_norm": "mlp_ln",
    "ffn/linear_0": "mlp.0",
    "ffn/linear_1": "mlp.2",
}
_FUSED: Final = {
    "self_attention/linear_0": ("attn.query", "attn.key", "attn.value"),
    "attention/linear_1": ("cross_attn.key", "cross_attn.value"),
}
_SINGLE: Final = {
    "encoder/conv1/weight": "encoder.conv1.weight",
    "encoder/conv1/bias": "encoder.conv1.bias",
    "encoder/conv2/weight": "encoder.conv2.weight",
    "encoder/conv2/bias": "encoder.conv2.bias",
    "encoder/position_encodings/encodings": "encoder.positional_embedding",
    "encoder/layer_norm/gamma": "encoder.ln_post.weight",
    "encoder/layer_norm/beta": "encoder.ln_post.bias",
    "decoder/embeddings/weight": "decoder.token_embedding.weight",
    "decoder/position_encodings/encodings": "decoder.positional_embedding",
    "decoder/layer_norm/gamma": "decoder.ln.weight",
    "decoder/layer_norm/beta": "decoder.ln.bias",
}
_ENDING: Final = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What openai-whisper loads: ``dims`` by the names of its ``ModelDimensions``, and its state dictionary."""

    dims: dict[str, int]
    state: Arrays


def converted(path: Path) -> Checkpoint:
    """Read ``model.bin`` and return it in openai-whisper's layout, every number as it was.

    Raises:
        BackendError: if the file is not a float16 or float32 Whisper model of this format, or is cut short.
    """
    try:
        variables = dict(_variables(BytesIO(path.read_bytes()), path))
        state = dict(_renamed(variables))
        return Checkpoint(_dims(variables, state), state)
    except (struct.error, KeyError, ValueError) as error:
        raise BackendError(
            f"asr.model: {path} cannot be converted ({type(error).__name__}: {error}). It is cut short, or not a "
            "Whisper model of CTranslate2; fetch it again."
        ) from error


def _variables(file: BytesIO, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    (version,) = struct.unpack("<I", file.read(4))
    name = _text(file) if version == VERSION else ""
    if name != SPECIFICATION:
        raise BackendError(
            f"asr.model: {path} is not a CTranslate2 Whisper model of format {VERSION} (format {version}, {name!r})."
        )
    _, count = struct.unpack("<II", file.read(8))
    for _ in range(count):
        variable = _text(file)
        (rank,) = struct.unpack("<B", file.read(1))
        shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
        dtype, size = struct.unpack("<BI", file.read(5))
        data = file.read(size)
        if len(data) != size:
            raise ValueError(f"'{variable}' holds {len(data)} of {size} bytes")
        yield variable, np.frombuffer(data, dtype=DTYPES[dtype]).reshape(shape)
    (aliases,) = struct.unpack("<I", file.read(4))  # other names of these, of which the other layout has none
    for _ in range(2 * aliases):
        _text(file)


def _text(file: BytesIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    text = file.read(length)
    if len(text) != length:
        raise ValueError(f"a name holds {len(text)} of {length} bytes")
    return text.removesuffix(b"\0").decode()


def _renamed(variables: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in variables.items():
        if name in _SINGLE:
            yield _SINGLE[name], _floating(name, value)
        elif "/layer_" in name:
            side, layer, *rest = name.split("/")
            part, ending = "/".join(rest[:-1]), rest[-1]
            block = f"{side}.blocks.{int(layer.removeprefix('layer_'))}"
            for target, piece in _pieces(part, ending, _floating(name, value)):
                yield f"{block}.{target}", piece


def _pieces(part: str, ending: str, value: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    if part in _BLOCK:
        yield f"{_BLOCK[part]}.{_ENDING[ending]}", value
        return
    targets = _FUSED[part]
    for target, piece in zip(targets, np.split(value, len(targets)), strict=True):
        if ending == "weight" or not target.endswith(
            ".key"
        ):  # a key's bias shifts every score alike, and is left out there
            yield f"{target}.{_ENDING[ending]}", piece


def _floating(name: str, value: NDArray[Any]) -> NDArray[Any]:
    if value.dtype not in (np.float16, np.float32):
        raise ValueError(f"'{name}' is {value.dtype}: only unquantized weights can be converted")
    return value


def _dims(variables: Mapping[str, NDArray[Any]], state: Arrays) -> dict[str, int]:
    n_audio_ctx, n_audio_state = state["encoder.positional_embedding"].shape
    n_text_ctx, n_text_state = state["decoder.positional_embedding"].shape
    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": n_audio_ctx,
        "n_audio_state": n_audio_state,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": _layers(state, "encoder"),
        "n_vocab": state["decoder.token_embedding.weight"].shape[0],
        "n_text_ctx": n_text_ctx,
        "n_text_state": n_text_state,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": _layers(state, "decoder"),
    }


def _layers(state: Arrays, side: str) -> int:
    return len({name.split(".")[2] for name in state if name.startswith(f"{side}.blocks.")})
