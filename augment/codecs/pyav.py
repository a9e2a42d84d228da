"""Codecs out of PyAV, which brings FFmpeg's libraries: encode to packets, decode packets.

PyAV is imported only here, and only when a codec is used: nothing else needs it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from augment.codecs.coder import INSTALL_HINT, Lost, Pcm, aligned, padded
from augment.pcm import to_int16
from augment.resample import resampled

if TYPE_CHECKING:
    from av import AudioCodecContext, AudioFrame, Packet
    from av.audio.stream import AudioStream


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder wrote: its packets in order, and what its decoder must be told first."""

    packets: "list[Packet[AudioStream]]"
    header: bytes | None


@dataclass(frozen=True, slots=True)
class PyavCoder:
    """An encoder and a decoder of FFmpeg, by their names there."""

    encoder: str
    decoder: str
    rate_hz: int
    bitrate: int
    frame: int
    """Samples that the encoder takes at a time; the input is padded to a multiple and two more."""
    delay_samples: int = 0
    """What the decoder leaves of the delay, at ``rate_hz``."""
    sample_format: Literal["s16", "s16p", "fltp"] = "s16"
    decoded_rate_hz: int | None = None
    """Where the decoder has a rate of its own."""
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    decoder_options: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str | None:
        """Return why this machine cannot encode it, found out by opening the encoder."""
        return missing_decoder(self.decoder) or self._missing_encoder()

    def round_trip(self, pcm: Pcm, lost: Lost | None = None) -> Pcm:
        """Return ``pcm`` encoded and decoded."""
        encoded = self.encoded(pcm)
        return self.decoded(encoded.packets, length=pcm.size, header=encoded.header)

    def encoded(self, pcm: Pcm) -> Encoded:
        """Return the packets of ``pcm``, those of the padding included."""
        context = self._opened()
        # PyAV cuts the one long frame into the encoder's own
        packets = [*context.encode(self._av_frame(padded(pcm, self.frame, 2))), *context.encode(None)]
        return Encoded(packets, context.extradata)

    def decoded(self, packets: "Iterable[Packet[AudioStream]]", *, length: int, header: bytes | None = None) -> Pcm:
        """Return ``length`` samples at ``rate_hz``, without delay."""
        rate_hz = self.decoded_rate_hz or self.rate_hz
        samples = decode(self.decoder, packets, rate_hz=rate_hz, header=header, options=self.decoder_options)
        if rate_hz != self.rate_hz:
            samples, _ = to_int16(resampled(samples / 32768.0, rate_hz, self.rate_hz))
        return aligned(samples, self.delay_samples, length)

    def _missing_encoder(self) -> str | None:
        import av

        try:
            self._opened()
        except (av.FFmpegError, ValueError) as error:
            return _lacks("encoder", self.encoder, error)
        return None

    def _opened(self) -> "AudioCodecContext":
        context = _context(self.encoder, "w", self.rate_hz, self.encoder_options)
        context.format = self.sample_format
        context.bit_rate = self.bitrate
        context.time_base = Fraction(1, self.rate_hz)
        context.open()
        return context

    def _av_frame(self, pcm: Pcm) -> "AudioFrame":
        from av import AudioFrame

        samples = pcm[np.newaxis]
        scaled = (samples / 32768.0).astype(np.float32) if self.sample_format == "fltp" else samples
        frame = AudioFrame.from_ndarray(scaled, format=self.sample_format, layout="mono")
        frame.sample_rate = self.rate_hz
        frame.pts = 0
        frame.time_base = Fraction(1, self.rate_hz)
        return frame


def packet(data: bytes) -> "Packet[AudioStream]":
    """Return ``data`` as a packet for ``decode``."""
    from av import Packet

    return cast("Packet[AudioStream]", Packet(data))


def missing_decoder(name: str) -> str | None:
    """Return why this machine cannot decode with FFmpeg's decoder ``name``, or None if it can."""
    try:
        import av
    except ImportError as error:
        return f"PyAV cannot be imported ({error}): run {INSTALL_HINT}"
    try:
        av.Codec(name, "r")
    except ValueError as error:
        return _lacks("decoder", name, error)
    return None


def decode(
    decoder: str,
    packets: "Iterable[Packet[AudioStream]]",
    *,
    rate_hz: int,
    header: bytes | None = None,
    options: Mapping[str, str] | None = None,
) -> Pcm:
    """Return the samples of ``packets``, at least one, with whatever delay the decoder leaves.

    Args:
        decoder: its name in FFmpeg.
        packets: in order.
        rate_hz: of the samples that it gives.
        header: what the encoder had to say beforehand.
        options: of the decoder.
    """
    context = _context(decoder, "r", rate_hz, options or {})
    context.extradata = header
    frames = [frame for packet in [*packets, None] for frame in context.decode(packet)]
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    return to_int16(samples.astype(np.float64))[0] if samples.dtype.kind == "f" else samples.astype(np.int16)


def _context(name: str, mode: Literal["r", "w"], rate_hz: int, options: Mapping[str, str]) -> "AudioCodecContext":
    import av

    context = cast("AudioCodecContext", av.CodecContext.create(name, mode))
    context.thread_count = 1
    context.sample_rate = rate_hz
    context.layout = "mono"
    context.options = dict(options)
    return context


def _lacks(part: str, name: str, error: Exception) -> str:
    import av

    return f"PyAV {av.__version__} has no {part} {name} here ({error}): run {INSTALL_HINT}, whose wheels hold it"
