"""The adaptive differential codecs of wired telephony: ITU-T G.726 at 8 kHz, and G.722, the first wideband codec."""

from typing import Final, Literal

from augment.codecs.coder import Coder, CoderSettings
from augment.codecs.pyav import PyavCoder

_G726_RATE_HZ: Final = 8_000
_G726_FRAME: Final = 40  # a whole number of bytes with 2, 3, 4 and 5 bits a sample
_G722_RATE_HZ: Final = 16_000
_G722_DELAY: Final = 22  # of the two filter banks


class G722Settings(CoderSettings):
    """64 kbit/s, 50-7000 Hz: wideband in offices, radio links and cordless telephones."""

    name: Literal["g722"]

    def coder(self) -> Coder:
        """Return the coder."""
        return PyavCoder("g722", "g722", _G722_RATE_HZ, 64_000, frame=320, delay_samples=_G722_DELAY)


class G726Settings(CoderSettings):
    """2 to 5 bits a sample at 8 kHz: trunks, cordless telephones (32 kbit/s)."""

    name: Literal["g726"]
    bitrate: Literal[16_000, 24_000, 32_000, 40_000] = 32_000

    def coder(self) -> Coder:
        """Return the coder."""
        bits = self.bitrate // _G726_RATE_HZ
        return PyavCoder(
            "g726",
            "g726",
            _G726_RATE_HZ,
            self.bitrate,
            frame=_G726_FRAME,
            # nothing in the packets says how many bits a sample has
            decoder_options={"bits_per_coded_sample": str(bits)},
        )
