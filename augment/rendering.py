"""What a rendering is, and the record of how it came out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import NoActiveSpeechError
from augment.level import ActiveLevel, Samples, active_speech_level
from augment.pcm import to_int16
from augment.step import Effect


@dataclass(frozen=True, slots=True)
class Realised:
    """What one rendering came out as; None where the condition does not touch it. Levels are unweighted."""

    active_level_in_dbov: float | None
    active_level_out_dbov: float | None
    activity: float | None
    """Of the source, 0 to 1."""
    snr_none_db: float | None
    snr_a_db: float | None
    snr_g712_db: float | None
    snr_wb_db: float | None
    loss_share: float | None
    clipped_share: float
    """Largest share of samples beyond full scale where the chain turns them into 16 bits."""
    peak: float
    delay_removed_s: float
    samples: int
    audio_sha256: str
    """Of the 16-bit samples, little-endian."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendered utterance: as many samples as went in, 16 kHz."""

    samples: NDArray[np.int16]
    realised: Realised


def finished(samples: Samples, level_in: ActiveLevel, effects: Sequence[Effect]) -> Rendering:
    """Return the last step's ``samples`` as 16 bits, with what was measured on the way."""
    rendered, clipped_share = to_int16(samples)
    snr_db = next((effect.snr_db for effect in effects if effect.snr_requested_db is not None), {})
    realised = Realised(
        active_level_in_dbov=level_in.level_dbov,
        active_level_out_dbov=_level_out_dbov(rendered),
        activity=level_in.activity,
        snr_none_db=snr_db.get("none"),
        snr_a_db=snr_db.get("a"),
        snr_g712_db=snr_db.get("g712"),
        snr_wb_db=snr_db.get("wb"),
        loss_share=next((effect.loss_share for effect in effects if effect.loss_share is not None), None),
        clipped_share=max([clipped_share, *(effect.clipped_share for effect in effects)]),
        peak=float(np.max(np.abs(samples))),
        delay_removed_s=sum(effect.delay_removed_s for effect in effects),
        samples=rendered.size,
        audio_sha256=hashlib.sha256(rendered.astype("<i2").tobytes()).hexdigest(),
    )
    return Rendering(rendered, realised)


def _level_out_dbov(rendered: NDArray[np.int16]) -> float | None:
    try:
        return active_speech_level(rendered.astype(np.float64) / 32768.0, SAMPLE_RATE_HZ).level_dbov
    except NoActiveSpeechError:
        return None
