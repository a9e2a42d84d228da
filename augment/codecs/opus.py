"""Opus (RFC 6716): the codec of browsers, messengers and internet telephony, as libopus encodes it for speech."""

from typing import Annotated, Final, Literal

from pydantic import Field

from augment.codecs.coder import Coder, CoderSettings
from augment.codecs.pyav import PyavCoder

_RATE_HZ: Final = 16_000
_FRAME: Final = 320
_DECODER_RATE_HZ: Final = 48_000  # FFmpeg's has no other; it also drops the encoder's look-ahead itself


class OpusSettings(CoderSettings):
    """``bitrate`` in bit/s (variable); 16 000 is a good call, 6 000 a bad one. ``complexity`` costs time, not bits."""

    name: Literal["opus"]
    bitrate: Annotated[int, Field(ge=6_000, le=64_000)]
    complexity: Annotated[int, Field(ge=0, le=10)] = 5

    def coder(self) -> Coder:
        """Return the coder, tuned for intelligible speech."""
        return PyavCoder(
            "libopus",
            "libopus",
            _RATE_HZ,
            self.bitrate,
            frame=_FRAME,
            decoded_rate_hz=_DECODER_RATE_HZ,
            encoder_options={"application": "voip", "compression_level": str(self.complexity)},
        )
