"""Batched forms of what a line does: a lower sampling rate, G.711, and lost packets without a pitch search."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.batched.coverage import HALF_RATE_HZ
from augment.batched.form import NOTHING, Formed, RowScene
from augment.batched.resampling import doubled, halved
from augment.batched.rows import Rows
from augment.codecs.g711 import G711Settings, round_trip_table
from augment.errors import ConditionError
from augment.level import Samples
from augment.loss.concealment import SignalConcealment, conceal
from augment.loss.measure import loss_measures, loss_promises
from augment.loss.pattern import LossSettings, lost_packets
from augment.step import Effect, Plan, planned_integers

_FULL: Final = 32768


class Resampled:
    """The batched form of ``resample`` by way of 8 kHz."""

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Leave nothing above 4 kHz."""
        return Formed(doubled(halved(rows), rows), [Effect(NOTHING)] * len(planned))


class Unchanged:
    """The batched form of a step whose settings have no effect."""

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Return what came."""
        return Formed(rows, [Effect(NOTHING)] * len(planned))


class Telephone:
    """The batched form of G.711: a table of all 16-bit samples, at 8 kHz, perhaps with losses."""

    def __init__(self, settings: G711Settings) -> None:
        self._table = round_trip_table(settings.law)
        self._losses = Losses(settings.loss, HALF_RATE_HZ) if settings.loss else None

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Encode, lose and decode."""
        narrow = halved(rows)
        beyond = narrow.shares(narrow.samples.abs() > 1.0)
        table = torch.from_numpy(self._table / float(_FULL)).to(rows.layout.device)
        decoded = narrow.with_samples(table[narrow.pcm().long() + _FULL])
        effects: Sequence[Effect | None] = [Effect(NOTHING)] * len(planned)
        if self._losses:
            decoded, effects = self._losses(decoded, planned, scene)
        counted = [
            Effect(NOTHING, promises=effect.promises, realised=effect.realised, clipped_share=share) if effect else None
            for effect, share in zip(effects, beyond, strict=True)
        ]
        return Formed(doubled(decoded, rows), counted)


class Lossy:
    """The batched form of ``loss`` by zero or repeat."""

    def __init__(self, settings: LossSettings) -> None:
        self._losses = Losses(settings, SAMPLE_RATE_HZ)

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Lose packets and fill the holes."""
        filled, effects = self._losses(rows, planned, scene)
        return Formed(filled, effects)


class Losses:
    """Losses as a choice of samples: which one is heard in each place, and how loud."""

    def __init__(self, settings: LossSettings, rate_hz: int) -> None:
        """Take the rate of the samples that are lost."""
        self._settings = settings
        self._rate_hz = rate_hz
        self._how: SignalConcealment = "repeat" if settings.conceal == "repeat" else "zero"

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> tuple[Rows, list[Effect | None]]:
        """Return the rows, the very same where nothing is lost, and what the step says of each."""
        packet_s = self._settings.packet_ms / 1000
        wide = scene.speech.rows.layout.lengths
        effects: list[Effect | None] = []
        patterns = []
        for row, (plan, length) in enumerate(zip(planned, wide, strict=True)):
            packets = -(-length // round(packet_s * SAMPLE_RATE_HZ))
            try:
                lost = lost_packets(planned_integers(plan, "lost"), packets)
                promises = loss_promises(self._settings, lost)
            except ConditionError:
                lost = np.zeros(packets, dtype=np.bool_)
                effects.append(None)
            else:
                active = scene.speech.activity_masks[row]
                effects.append(
                    Effect(NOTHING, promises=promises, realised=loss_measures(lost, packet_s=packet_s, active=active))
                )
            patterns.append(lost)
        return (self._concealed(rows, patterns) if any(map(np.any, patterns)) else rows), effects

    def _concealed(self, rows: Rows, patterns: Sequence[NDArray[np.bool_]]) -> Rows:
        places = np.zeros(rows.samples.shape, dtype=np.int64)
        gains = np.ones(rows.samples.shape)
        for place, gain, lost, length in zip(places, gains, patterns, rows.layout.lengths, strict=True):
            gain[:length] = self._conceal(np.ones(length), lost)
            # the numbers of the samples, concealed like samples, tell which one is heard where
            told = self._conceal(np.arange(1.0, length + 1.0), lost)
            place[:length] = np.rint(np.divide(told, gain[:length], out=np.ones(length), where=gain[:length] > 0)) - 1
        chosen = rows.samples.gather(1, torch.from_numpy(places).to(rows.layout.device))
        return rows.with_samples(chosen * torch.from_numpy(gains).to(rows.layout.device))

    def _conceal(self, samples: Samples, lost: NDArray[np.bool_]) -> Samples:
        packet = self._settings.packet_ms * self._rate_hz // 1000
        return conceal(samples, lost, packet_samples=packet, sample_rate_hz=self._rate_hz, how=self._how)
