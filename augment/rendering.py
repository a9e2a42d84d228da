"""What a rendering is, and the record of how it came out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import NoActiveSpeechError
from augment.level import ActiveLevel, Samples, active_speech_level
from augment.pcm import to_int16
from augment.step import Effect, Measured, Stage

_OF_ITS_OWN: Final = ("loss_share", "loss_active_share", "longest_loss_s", "rt60_s", "drr_db", "overload_share")
"""Realised values of steps that have a column of their own; the largest counts where several steps report one."""


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
    """Of the noise of the surroundings; of the microphone's own where there is no other."""
    rt60_s: float | None
    drr_db: float | None
    """Direct sound against reverberation."""
    overload_share: float | None
    """Samples that a clipping step cut off."""
    loss_share: float | None
    loss_active_share: float | None
    """Of the active speech, the share that was lost."""
    longest_loss_s: float | None
    clipped_share: float
    """Largest share of samples beyond full scale where the chain turns them into 16 bits."""
    peak: float
    delay_removed_s: float
    samples: int
    audio_sha256: str
    """Of the 16-bit samples, little-endian."""
    steps: str
    """JSON: for each step its kind and everything that it measured."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendered utterance, 16 kHz."""

    samples: NDArray[np.int16]
    realised: Realised


@dataclass(frozen=True, slots=True)
class Done:
    """One step of a chain, and what it did."""

    kind: str
    stage: Stage
    effect: Effect


def finished(samples: Samples, level_in: ActiveLevel, done: Sequence[Done]) -> Rendering:
    """Return the last step's ``samples`` as 16 bits, with what was measured on the way."""
    rendered, beyond = to_int16(samples)
    peak = float(np.max(np.abs(samples)))
    return recorded(rendered, beyond=beyond, peak=peak, levels=(level_in, _level_out(rendered)), done=done)


def recorded(
    rendered: NDArray[np.int16],
    *,
    beyond: float,
    peak: float,
    levels: tuple[ActiveLevel, ActiveLevel | None],
    done: Sequence[Done],
) -> Rendering:
    """Return a rendering with its record.

    Args:
        rendered: 16-bit samples.
        beyond: share of the samples that lay beyond full scale before they were 16 bits.
        peak: largest magnitude before that.
        levels: of the source, and of ``rendered`` where it has one.
        done: the steps, in order.
    """
    level_in, level_out = levels
    noises = sorted((one for one in done if one.effect.snr_db), key=lambda one: one.stage)
    snr_db = noises[0].effect.snr_db if noises else {}
    realised = Realised(
        active_level_in_dbov=level_in.level_dbov,
        active_level_out_dbov=level_out.level_dbov if level_out else None,
        activity=level_in.activity,
        snr_none_db=snr_db.get("none"),
        snr_a_db=snr_db.get("a"),
        snr_g712_db=snr_db.get("g712"),
        snr_wb_db=snr_db.get("wb"),
        **{name: _largest(name, done) for name in _OF_ITS_OWN},
        clipped_share=max([beyond, *(one.effect.clipped_share for one in done)]),
        peak=peak,
        delay_removed_s=sum(one.effect.delay_removed_s for one in done),
        samples=rendered.size,
        audio_sha256=hashlib.sha256(rendered.astype("<i2").tobytes()).hexdigest(),
        steps=json.dumps([{"kind": one.kind} | _told(one.effect) for one in done]),
    )
    return Rendering(rendered, realised)


def _largest(name: str, done: Sequence[Done]) -> float | None:
    values = [value for one in done if isinstance(value := one.effect.realised.get(name), int | float)]
    return float(max(values)) if values else None


def _told(effect: Effect) -> dict[str, Measured]:
    snr: dict[str, Measured] = {f"snr_{weighting}_db": round(db, 4) for weighting, db in effect.snr_db.items()}
    rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in effect.realised.items()}
    return snr | rounded


def _level_out(rendered: NDArray[np.int16]) -> ActiveLevel | None:
    try:
        return active_speech_level(rendered.astype(np.float64) / 32768.0, SAMPLE_RATE_HZ)
    except NoActiveSpeechError:
        return None
