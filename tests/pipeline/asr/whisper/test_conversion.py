"""CTranslate2's weights become openai-whisper's, number for number; anything else is refused with a sentence."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.asr.whisper.conversion import converted
from pipeline.errors import BackendError

STATE, HEADS, LAYERS, VOCABULARY, MELS, AUDIO, TEXT = 8, 2, 2, 30, 5, 12, 7
TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def variables(dtype: str = "float16") -> dict[str, np.ndarray]:
    """A model as CTranslate2 lays it out: projections of one input fused, norms called gamma and beta."""
    rng = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    made = {
        "encoder/conv1/weight": random(STATE, MELS, 3), "encoder/conv1/bias": random(STATE),
        "encoder/conv2/weight": random(STATE, STATE, 3), "encoder/conv2/bias": random(STATE),
        "encoder/position_encodings/encodings": random(AUDIO, STATE),
        "encoder/num_heads": np.array(HEADS, dtype="int16"),
        "decoder/embeddings/weight": random(VOCABULARY, STATE),
        "decoder/position_encodings/encodings": random(TEXT, STATE),
        "decoder/num_heads": np.array(HEADS, dtype="int16"),
        "decoder/alignment_heads": np.zeros((1, 2), dtype="int16"),
    }  # fmt: skip
    for side in ("encoder", "decoder"):
        made |= {f"{side}/layer_norm/{name}": random(STATE) for name in ("gamma", "beta")}
        for layer in range(LAYERS):
            at = f"{side}/layer_{layer}"
            parts = {"self_attention/linear_0": (3 * STATE, STATE), "self_attention/linear_1": (STATE, STATE)}
            parts |= {"ffn/linear_0": (4 * STATE, STATE), "ffn/linear_1": (STATE, 4 * STATE)}
            norms = ["self_attention", "ffn"]
            if side == "decoder":
                norms.append("attention")
                parts |= {"attention/linear_0": (STATE, STATE), "attention/linear_1": (2 * STATE, STATE)}
                parts |= {"attention/linear_2": (STATE, STATE)}
            for part, shape in parts.items():
                made |= {f"{at}/{part}/weight": random(*shape), f"{at}/{part}/bias": random(shape[0])}
            for part in norms:
                made |= {f"{at}/{part}/layer_norm/{name}": random(STATE) for name in ("gamma", "beta")}
    return made


def written(path: Path, values: dict[str, np.ndarray], *, version: int = 6, name: str = "WhisperSpec") -> Path:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    data = struct.pack("<I", version) + text(name) + struct.pack("<II", 3, len(values))
    for variable, value in values.items():
        data += text(variable) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        data += struct.pack("<BI", TYPES[str(value.dtype)], value.nbytes) + value.tobytes()
    data += struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight")
    path.write_bytes(data)
    return path


def test_fused_projections_are_split_in_the_order_query_key_value(tmp_path: Path) -> None:
    values = variables()
    state = converted(written(tmp_path / "model.bin", values)).state
    for side, layer in (("encoder", 1), ("decoder", 0)):
        fused = values[f"{side}/layer_{layer}/self_attention/linear_0/weight"]
        bias = values[f"{side}/layer_{layer}/self_attention/linear_0/bias"]
        for at, name in enumerate(("query", "key", "value")):
            part = slice(at * STATE, (at + 1) * STATE)
            assert np.array_equal(state[f"{side}.blocks.{layer}.attn.{name}.weight"], fused[part])
            if name != "key":
                assert np.array_equal(state[f"{side}.blocks.{layer}.attn.{name}.bias"], bias[part])
    fused = values["decoder/layer_1/attention/linear_1/weight"]
    assert np.array_equal(state["decoder.blocks.1.cross_attn.key.weight"], fused[:STATE])
    assert np.array_equal(state["decoder.blocks.1.cross_attn.value.weight"], fused[STATE:])


def test_what_comes_out_is_what_the_engine_loads(tmp_path: Path) -> None:
    torch, whisper = pytest.importorskip("torch"), pytest.importorskip("whisper")
    made = converted(written(tmp_path / "model.bin", variables("float32")))
    model = whisper.Whisper(whisper.ModelDimensions(**made.dims))
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in made.state.items()})
    assert made.dims == {
        "n_mels": MELS, "n_audio_ctx": AUDIO, "n_audio_state": STATE, "n_audio_head": HEADS, "n_audio_layer": LAYERS,
        "n_vocab": VOCABULARY, "n_text_ctx": TEXT, "n_text_state": STATE, "n_text_head": HEADS, "n_text_layer": LAYERS,
    }  # fmt: skip


@pytest.mark.parametrize("kept", [0, 3, 17, 500, 0.5, 0.999])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    whole = written(tmp_path / "whole.bin", variables()).read_bytes()
    cut = tmp_path / "model.bin"
    cut.write_bytes(whole[: int(kept if kept >= 1 or kept == 0 else kept * len(whole))])
    with pytest.raises(BackendError, match=r"model\.bin"):
        converted(cut)


@pytest.mark.parametrize("changes", [{"version": 7}, {"name": "TransformerSpec"}])
def test_another_format_is_refused_by_name(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BackendError, match="not a CTranslate2 Whisper model of format 6"):
        converted(written(tmp_path / "model.bin", variables(), **changes))


def test_quantized_weights_are_refused(tmp_path: Path) -> None:
    values = variables()
    values["encoder/layer_0/ffn/linear_0/weight"] = np.zeros((4 * STATE, STATE), dtype="int8")
    with pytest.raises(BackendError, match="only unquantized weights"):
        converted(written(tmp_path / "model.bin", values))


@pytest.mark.recognizer
def test_the_packaged_model_has_the_dimensions_of_tiny_en(tiny_en_folder: Path) -> None:
    made = converted(tiny_en_folder / "model.bin")
    # openai-whisper's model card: 39 M parameters, 4 layers of width 384 with 6 heads
    assert (made.dims["n_audio_state"], made.dims["n_audio_layer"], made.dims["n_text_head"]) == (384, 4, 6)
    parameters = sum(value.size for name, value in made.state.items() if name != "encoder.positional_embedding")
    assert 36e6 < parameters < 40e6
