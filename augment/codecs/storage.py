"""The codecs of stored audio at 16 kHz: MP3 (MPEG-2 layer III, LAME) and AAC-LC (FFmpeg's own encoder)."""

from typing import Annotated, Final, Literal

from pydantic import Field

from augment.codecs.coder import Coder, CoderSettings
from augment.codecs.pyav import PyavCoder

_RATE_HZ: Final = 16_000
_MP3_FRAME: Final = 576
_AAC_FRAME: Final = 1024
_AAC_DELAY: Final = 1024  # one block; the decoder of MP3 is told of its own, this one is not

Mp3Rate = Literal[
    8_000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 144_000, 160_000
]
"""What MPEG-2 layer III has at 16 kHz."""


class Mp3Settings(CoderSettings):
    """Constant bit rate, one channel."""

    name: Literal["mp3"]
    bitrate: Mp3Rate

    def coder(self) -> Coder:
        """Return the coder."""
        return PyavCoder("libmp3lame", "mp3float", _RATE_HZ, self.bitrate, frame=_MP3_FRAME, sample_format="fltp")


class AacSettings(CoderSettings):
    """One channel; at 16 kHz the format has no room for more than 96 kbit/s."""

    name: Literal["aac"]
    bitrate: Annotated[int, Field(ge=12_000, le=96_000)]

    def coder(self) -> Coder:
        """Return the coder."""
        return PyavCoder(
            "aac",
            "aac",
            _RATE_HZ,
            self.bitrate,
            frame=_AAC_FRAME,
            delay_samples=_AAC_DELAY,
            sample_format="fltp",
        )
