"""What a codec is. To add one, write its settings and its coder in one file and name the settings in ``step``."""

from typing import ClassVar, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from augment.loss.pattern import LossSettings
from augment.step import StepSettings

Pcm: TypeAlias = NDArray[np.int16]
"""One channel of 16-bit samples at the codec's rate."""
Lost: TypeAlias = NDArray[np.bool_]
"""For each packet of 20 ms whether it is lost."""

PACKET_MS: Final = 20
"""A frame of AMR, and what a packet of the others usually holds."""

INSTALL_HINT: Final = 'pip install "asr-accent-study[codecs]"'


class Coder(Protocol):
    """Encoder and decoder of one codec with one set of settings. Nothing is kept between two calls."""

    @property
    def rate_hz(self) -> int:
        """At which samples go in and come out."""

    @property
    def delay_samples(self) -> int:
        """Delay of encoder and decoder at ``rate_hz``; ``round_trip`` has removed it."""

    def missing(self) -> str | None:
        """Return why this machine cannot encode it, and what to do about that; None if it can."""

    def round_trip(self, pcm: Pcm, lost: Lost | None = None) -> Pcm:
        """Return ``pcm`` encoded and decoded: the same length, without delay, at whatever level the codec gives it.

        Args:
            pcm: any number of samples at ``rate_hz``.
            lost: the packets that the decoder never sees and conceals; only where the settings say ``conceals``.
        """


class CoderSettings(StepSettings):
    """What the settings of every codec have in common."""

    conceals: ClassVar[bool] = False
    """Whether the decoder itself can fill the hole of a lost packet."""

    loss: LossSettings | None = None
    """Packets of 20 ms that never arrive."""

    @field_validator("loss")
    @classmethod
    def _fits_the_codec(cls, loss: LossSettings | None) -> LossSettings | None:
        if loss and loss.conceal == "codec" and not cls.conceals:
            raise ValueError(
                "only the decoders of amr_nb and amr_wb conceal a loss themselves: write conceal: pitch, repeat or zero"
            )
        if loss and loss.packet_ms != PACKET_MS:
            raise ValueError(
                f"a codec's packet lasts {PACKET_MS} ms: leave packet_ms out, or lose packets in a loss step"
            )
        return loss


def padded(pcm: Pcm, frame: int, tail_frames: int = 0) -> Pcm:
    """Return ``pcm`` with silence up to a whole number of frames and ``tail_frames`` more."""
    return np.pad(pcm, (0, -pcm.size % frame + tail_frames * frame))


def aligned(decoded: Pcm, delay: int, length: int) -> Pcm:
    """Return ``length`` samples of what was decoded, from ``delay`` on; silence where the codec gave fewer."""
    kept = decoded[delay : delay + length]
    return np.pad(kept, (0, length - kept.size))
