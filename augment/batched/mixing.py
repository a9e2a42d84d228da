"""Batched forms of the steps that add something or bend the waveform sample by sample: noise, clip, quantize."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from augment.batched.form import NOTHING, Formed, RowScene
from augment.batched.rows import Rows
from augment.clip import Clip, ClipSettings
from augment.errors import ConditionError
from augment.level import Samples
from augment.noise import AddNoise
from augment.noise.add import AddNoiseSettings
from augment.quantize import Quantize, QuantizeSettings
from augment.step import Effect, Plan


class Mixed:
    """The batched form of ``add_noise``: the step itself makes the noise, at its gain, by adding it to silence."""

    def __init__(self, step: AddNoise, settings: AddNoiseSettings) -> None:
        self._step = step

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Add to each row its own noise."""
        effects: list[Effect | None] = []
        noises: list[Samples] = []
        for row, (plan, length) in enumerate(zip(planned, rows.layout.lengths, strict=True)):
            silence = np.zeros(length)
            try:
                effect = self._step.apply(silence, plan, scene.of(row))
            except ConditionError:
                effects.append(None)
                noises.append(silence)
            else:
                effects.append(replace(effect, samples=NOTHING))
                noises.append(effect.samples)
        noise = Rows.of(noises, rows.layout.device)
        return Formed(Rows(noise.samples + rows.samples, rows.layout), effects)


class Clipped:
    """The batched form of ``clip``."""

    def __init__(self, step: Clip, settings: ClipSettings) -> None:
        self._headroom_db = settings.headroom_db

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Hold each row at the limit of its own talker."""
        levels = scene.speech.levels("none")
        limits_dbov = [level.level_dbov + self._headroom_db if level else 0.0 for level in levels]
        limits = rows.column([10.0 ** (limit_dbov / 20.0) for limit_dbov in limits_dbov])
        shares = rows.shares(rows.samples.abs() > limits)
        effects = [
            Effect(NOTHING, realised={"overload_share": share, "threshold_dbov": limit_dbov}) if level else None
            for level, share, limit_dbov in zip(levels, shares, limits_dbov, strict=True)
        ]
        return Formed(Rows(rows.samples.clamp(-limits, limits), rows.layout), effects)


class Quantized:
    """The batched form of ``quantize``."""

    def __init__(self, step: Quantize, settings: QuantizeSettings) -> None:
        self._half = 2.0 ** (settings.bits - 1)

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Round to the nearest of 2^bits values, half to even."""
        steps = (rows.samples * self._half).round().clamp(-self._half, self._half - 1.0)
        nonzero = rows.shares(steps != 0.0)
        beyond = rows.shares(rows.samples.abs() > 1.0)
        effects = [
            Effect(NOTHING, realised={"zero_share": 1.0 - share}, clipped_share=over)
            for share, over in zip(nonzero, beyond, strict=True)
        ]
        return Formed(Rows(steps / self._half, rows.layout), effects)
