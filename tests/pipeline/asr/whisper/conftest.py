"""Small models of openai-whisper with random weights, and noise that they can be asked about."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
whisper = pytest.importorskip("whisper")


def checkpoint_of(*, multilingual: bool = False, seed: int = 0) -> dict[str, Any]:
    """Return a checkpoint of one encoder and two decoder layers; its answers mean nothing and vary with the clip."""
    dims = {
        "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 64, "n_audio_head": 2, "n_audio_layer": 1,
        "n_vocab": 51865 if multilingual else 51864,
        "n_text_ctx": 448, "n_text_state": 64, "n_text_head": 2, "n_text_layer": 2,
    }  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    state = whisper.Whisper(whisper.ModelDimensions(**dims)).state_dict()
    for name, value in state.items():
        if name != "encoder.positional_embedding":
            # loud enough in cross-attention that what is said hangs on what is heard
            scale = (3.6 if "cross_attn" in name else 0.3) if value.ndim > 1 else 0.02
            value.copy_(scale * torch.randn(value.shape, generator=generator) + (name.endswith("ln.weight")))
    return {"dims": dims, "model_state_dict": state}


def noise(seconds: float, seed: int) -> np.ndarray:
    """Return noise of changing level, float32, 16 kHz."""
    rng = np.random.default_rng(seed)
    n = round(seconds * 16_000)
    level = 0.2 * np.abs(np.sin(np.arange(n) / 1600 * (1 + seed % 3))) + 0.001
    return (level * rng.standard_normal(n)).astype(np.float32)


@pytest.fixture(scope="session")
def checkpoint() -> dict[str, Any]:
    return checkpoint_of()


@pytest.fixture
def engine_of() -> Any:
    """Return a maker of loaded engines; each is closed when the test ends."""
    from pipeline.asr.whisper.engine import Engine

    made = []

    def make(checkpoint: dict[str, Any], threads: int = 2) -> Any:
        made.append(Engine(checkpoint, device=torch.device("cpu"), dtype=torch.float32, threads=threads))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def reference_of() -> Callable[..., list[Any]]:
    """Return what openai-whisper's own transcribe() says, one clip after the other."""

    def transcribe(
        checkpoint: dict[str, Any], clips: list[np.ndarray], keywords: dict[str, Any]
    ) -> list[dict[str, Any]]:
        model = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"]))
        model.load_state_dict(checkpoint["model_state_dict"])
        return [whisper.transcribe(model.eval(), clip, **keywords) for clip in clips]

    return transcribe
