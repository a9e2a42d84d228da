"""Speech codecs, each with what this machine needs to encode it: one file a codec or family, ``step`` is the effect.

Everything happens in memory and in packets, without a container: no delay is left, and as many samples
come out as went in. No codec stands in for another.
"""

from augment.codecs.step import Codec, CodecSettings

__all__ = ["Codec", "CodecSettings"]
