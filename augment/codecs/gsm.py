"""GSM 06.10 full rate, 13 kbit/s at 8 kHz: the first digital mobile telephones; libsndfile holds it."""

import io
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import soundfile

from augment.codecs.coder import Coder, CoderSettings, Lost, Pcm, aligned, padded

_FRAME: Final = 160
_FORMAT: Final = "RAW"  # 33 bytes a frame and nothing else
_SUBTYPE: Final = "GSM610"


class GsmSettings(CoderSettings):
    """The one mode it has."""

    name: Literal["gsm_fr"]

    def coder(self) -> Coder:
        """Return the coder."""
        return Gsm()


@dataclass(frozen=True, slots=True)
class Gsm:
    """Frames of 20 ms without delay."""

    rate_hz: int = 8_000
    delay_samples: int = 0

    def missing(self) -> str | None:
        """Return a reason if libsndfile was built without it."""
        if soundfile.check_format(_FORMAT, _SUBTYPE):
            return None
        return (
            f"libsndfile {soundfile.__libsndfile_version__} was built without {_SUBTYPE}: run pip install soundfile, "
            "whose wheels hold it"
        )

    def round_trip(self, pcm: Pcm, lost: Lost | None = None) -> Pcm:
        """Return ``pcm`` encoded and decoded."""
        frames = io.BytesIO()
        soundfile.write(frames, padded(pcm, _FRAME), self.rate_hz, format=_FORMAT, subtype=_SUBTYPE)
        frames.seek(0)
        decoded, _ = soundfile.read(
            frames, samplerate=self.rate_hz, channels=1, format=_FORMAT, subtype=_SUBTYPE, dtype="int16"
        )
        return aligned(np.asarray(decoded, dtype=np.int16), self.delay_samples, pcm.size)
