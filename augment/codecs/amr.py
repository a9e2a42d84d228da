"""AMR narrowband and wideband: mobile telephony (3GPP TS 26.071 and 26.171; wideband is ITU-T G.722.2).

A lost packet can reach the decoder as a frame without data (TS 26.101 and 26.201, frame type 15), so that its own
concealment runs. OpenCORE's decoders do that; FFmpeg's own either refuse such a frame or play silence.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, get_args

from augment.codecs import vo_amrwbenc
from augment.codecs.coder import Coder, CoderSettings, Lost, Pcm, aligned, padded
from augment.codecs.pyav import PyavCoder, decode, missing_decoder, packet

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream

NarrowbandMode = Literal[4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200]
WidebandMode = Literal[6_600, 8_850, 12_650, 14_250, 15_850, 18_250, 19_850, 23_050, 23_850]

NO_DATA: Final = b"\x7c"
"""A frame's first byte holds its type in bits 3 to 6 and a flag for quality in bit 2; type 15 has nothing more."""

_NB_RATE_HZ: Final = 8_000
_NB_FRAME: Final = 160
_NB_DELAY: Final = 40  # 5 ms of look-ahead
_WB_FRAME: Final = 320
_WB_DECODER: Final = "libopencore_amrwb"


class AmrNbSettings(CoderSettings):
    """300-3400 Hz; 12.2 kbit/s in a good cell, 4.75 to 5.9 in a crowded one."""

    conceals: ClassVar[bool] = True

    name: Literal["amr_nb"]
    bitrate: NarrowbandMode

    def coder(self) -> Coder:
        """Return the coder of the mode."""
        return AmrNb(self.bitrate)


class AmrWbSettings(CoderSettings):
    """50-7000 Hz; 12.65 kbit/s is the usual "HD voice"."""

    conceals: ClassVar[bool] = True

    name: Literal["amr_wb"]
    bitrate: WidebandMode

    def coder(self) -> Coder:
        """Return the coder of the mode."""
        return AmrWb(self.bitrate)


@dataclass(frozen=True, slots=True)
class AmrNb:
    """One mode of AMR."""

    bitrate: NarrowbandMode
    rate_hz: int = _NB_RATE_HZ
    delay_samples: int = _NB_DELAY

    def missing(self) -> str | None:
        """Return why this machine cannot encode it."""
        return self._pyav().missing()

    def round_trip(self, pcm: Pcm, lost: Lost | None = None) -> Pcm:
        """Return ``pcm`` encoded and decoded; where ``lost``, the decoder guesses."""
        coder = self._pyav()
        return coder.decoded(_heard(coder.encoded(pcm).packets, lost), length=pcm.size)

    def frames(self, pcm: Pcm) -> list[bytes]:
        """Return the frames as they travel, those of the padding included."""
        return [bytes(packet) for packet in self._pyav().encoded(pcm).packets]

    def _pyav(self) -> PyavCoder:
        name = "libopencore_amrnb"
        return PyavCoder(name, name, self.rate_hz, self.bitrate, frame=_NB_FRAME, delay_samples=self.delay_samples)


@dataclass(frozen=True, slots=True)
class AmrWb:
    """One mode of AMR-WB; encoded by a library of the system, because no Python package holds an encoder."""

    bitrate: WidebandMode
    rate_hz: int = 16_000
    delay_samples: int = 95

    def missing(self) -> str | None:
        """Return why this machine cannot encode it."""
        return missing_decoder(_WB_DECODER) or vo_amrwbenc.missing()

    def round_trip(self, pcm: Pcm, lost: Lost | None = None) -> Pcm:
        """Return ``pcm`` encoded and decoded; where ``lost``, the decoder guesses."""
        packets = _heard([packet(frame) for frame in self.frames(pcm)], lost)
        return aligned(decode(_WB_DECODER, packets, rate_hz=self.rate_hz), self.delay_samples, pcm.size)

    def frames(self, pcm: Pcm) -> list[bytes]:
        """Return the frames as they travel, those of the padding included."""
        mode = get_args(WidebandMode).index(self.bitrate)
        return vo_amrwbenc.encode(padded(pcm, _WB_FRAME, 2), mode)


def _heard(packets: "list[Packet[AudioStream]]", lost: Lost | None) -> "list[Packet[AudioStream]]":
    """Return what the decoder is given; a frame of silence behind the end is never lost."""
    if lost is None:
        return packets
    gone = [*lost.tolist()[: len(packets)], *[False] * (len(packets) - lost.size)]
    return [packet(NO_DATA) if missed else sent for sent, missed in zip(packets, gone, strict=True)]
