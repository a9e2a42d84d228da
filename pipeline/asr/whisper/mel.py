"""Log-mel spectrograms of clips as openai-whisper makes them, without transforming the silence it appends.

The engine appends 30 s of zeros to the audio, transforms all of it, and later puts zeros in place of most of that.
Frames of the zeros hold the lowest value and nothing else, so here they are written down instead; the frames that
hold audio are the engine's own.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from whisper.audio import HOP_LENGTH, N_FFT, N_FRAMES, log_mel_spectrogram

_RANGE: Final = 8.0
"""Decades below the loudest value at which the engine cuts off before it scales by (x + 4) / 4."""


def padded_log_mel(samples: NDArray[np.float32], n_mels: int, device: torch.device) -> torch.Tensor:
    """Return what the engine makes of ``samples`` with 30 s of zeros after them.

    Args:
        samples: mono, 16 kHz, shape (n,), n >= 1.
        n_mels: 80 or 128.
        device: where it is computed and stays.

    Returns:
        Shape (n_mels, n // 160 + 3000), float32.
    """
    clip = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    made: torch.Tensor = log_mel_spectrogram(
        clip, n_mels, padding=N_FFT, device=device
    )  # so far do the last frames of audio reach
    # a frame without sound holds the engine's floor of 1e-10, or 8 decades below the loudest value where that is more
    silence = ((made.max() * 4 - 4 - _RANGE).clamp(min=-10.0) + 4) / 4
    whole = silence.expand(n_mels, samples.size // HOP_LENGTH + N_FRAMES).clone()
    whole[:, : made.shape[-1]] = made
    return whole
