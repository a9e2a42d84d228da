"""The spectrogram is the engine's, although the silence after the clip is not transformed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
audio = pytest.importorskip("whisper.audio")


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 40_000), level=st.sampled_from([0.0, 1e-7, 1e-3, 1.0]), seed=st.integers(0, 9))
def test_it_equals_that_of_the_clip_with_thirty_seconds_of_zeros(n: int, level: float, seed: int) -> None:
    from pipeline.asr.whisper.mel import padded_log_mel

    samples = (level * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)
    made = padded_log_mel(samples, 80, torch.device("cpu"))
    wanted = audio.log_mel_spectrogram(samples, 80, padding=audio.N_SAMPLES)
    assert made.shape == wanted.shape
    assert made.dtype == wanted.dtype
    torch.testing.assert_close(made, wanted, atol=2e-5, rtol=0)


def test_models_of_128_bands_get_128() -> None:
    from pipeline.asr.whisper.mel import padded_log_mel

    assert padded_log_mel(np.ones(16_000, dtype=np.float32), 128, torch.device("cpu")).shape == (128, 3100)
