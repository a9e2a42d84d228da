"""What is kept of the padding changes no feature, and what was encoded before changes no bit."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
whisper = pytest.importorskip("whisper")

N_FRAMES = 3000
ROUNDED_UP_AT = 126
"""The most frames whose audio reaches 64 positions, which lengths are rounded up to a multiple of."""


@pytest.fixture(scope="module")
def module() -> Any:
    """Return an encoder of three layers that answers loudly."""
    generator = torch.Generator().manual_seed(4)
    made = whisper.model.AudioEncoder(80, 1500, 64, 2, 3)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(0.25 * torch.randn(weight.shape, generator=generator))
    return made.eval()


def window(frames: int, seed: int = 0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    mels = torch.zeros(80, N_FRAMES)
    mels[:, :frames] = torch.randn(80, frames, generator=generator)
    return mels


def encoder_of(module: Any) -> Any:
    from pipeline.asr.whisper.encoding import Encoder

    return Encoder(module)


@pytest.mark.parametrize(
    "frames", [0, 1, 2, ROUNDED_UP_AT - 1, ROUNDED_UP_AT, ROUNDED_UP_AT + 1, 300, 1001, 2250, 2500, 2999, N_FRAMES]
)
@torch.no_grad()
def test_the_features_are_the_engines(module: Any, frames: int) -> None:
    mels = window(frames)
    theirs, (ours,) = module(mels[None])[0], encoder_of(module)(mels[None])
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5 * float(theirs.abs().max()))


@torch.no_grad()
def test_a_frame_of_zeros_inside_the_audio_is_no_padding(module: Any) -> None:
    mels = window(300)
    mels[:, 20:280] = 0
    torch.testing.assert_close(encoder_of(module)(mels[None]), module(mels[None]), rtol=0, atol=1e-3)


@torch.no_grad()
def test_what_was_encoded_before_or_beside_changes_no_bit(module: Any) -> None:
    windows = torch.stack([window(frames, seed) for seed, frames in enumerate((300, 1001, 301, 40, 2700))])
    alone = [encoder_of(module)(mels[None])[0] for mels in windows]
    together = encoder_of(module)
    for _ in range(2):
        for one, other in zip(alone, together(windows), strict=True):
            assert torch.equal(one, other)
    for one, other in zip(reversed(alone), together(windows.flip(0)), strict=True):
        assert torch.equal(one, other)
