"""A condition over a batch of utterances: what ``augment.chain`` does to one, with all rows at once in each step.

A row that cannot be rendered, or comes out further from what was asked than its tolerance, is given up here; who asked
for it lets the reference path render it and say what is wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from augment import SAMPLE_RATE_HZ
from augment.batched.form import NOTHING, Form, RowScene
from augment.batched.levels import Measurement
from augment.batched.rows import Rows
from augment.batched.speech import SpeechRows
from augment.chain import Condition, Probe
from augment.level import ActiveLevel, Samples
from augment.rendering import Done, Rendering, recorded
from augment.resources import Resources
from augment.step import Effect, Law, Plan


@dataclass(frozen=True, slots=True, eq=False)
class Leveled:
    """Utterances at the target active level."""

    members: tuple[int, ...]
    """Their places in the batch that they were taken from; those without active speech are not here."""
    speech: SpeechRows
    levels: tuple[ActiveLevel, ...]
    """That they came with."""


def leveled(signals: Sequence[Samples], members: Sequence[int], target_dbov: float, device: torch.device) -> Leveled:
    """Bring ``signals``, which are the ``members`` of a batch, to an active level; leave out those that have none."""
    rows = Rows.of(signals, device)
    measurement = Measurement(rows, SAMPLE_RATE_HZ)
    levels, gains = measurement.levels(), measurement.gains_to(target_dbov)
    kept = [row for row, gain in enumerate(gains) if gain is not None]
    speech = rows.chosen(kept).scaled([gains[row] or 0.0 for row in kept]) if kept else rows
    return Leveled(
        members=tuple(members[row] for row in kept),
        speech=SpeechRows(lambda: speech),
        levels=tuple(level for row in kept if (level := levels[row])),
    )


def rendered(
    condition: Condition,
    forms: Sequence[Form],
    group: Leveled,
    plans: Sequence[Plan],
    resources: Resources,
    *,
    probe: Probe,
) -> list[Rendering | None]:
    """Return the rendering of each utterance of a group; None for one that is given up."""
    speech = group.speech
    rows = speech.rows if probe == "speech" else speech.rows.scaled([0.0] * len(plans))
    done: list[list[Done]] = [[] for _ in plans]
    given_up = [False] * len(plans)
    noisy = False
    for number, (step, form) in enumerate(zip(condition.steps, forms, strict=True)):
        planned = [_of_step(number, plan) for plan in plans]
        scene = RowScene(condition.acoustics, resources, speech)
        formed = form(rows, planned, scene)
        for row, effect in enumerate(formed.effects):
            given_up[row] |= effect is None or not all(promise.kept for promise in effect.promises)
            done[row].append(Done(condition.kinds[number], step.stage, effect or Effect(NOTHING)))
        if step.law != Law.ADDITIVE and not (noisy and step.law == Law.NONLINEAR):
            speech = _followed(rows, formed.rows, form, planned, scene)
        rows, noisy = formed.rows, noisy or step.law == Law.ADDITIVE
    made = _finished(rows, group.levels, done)
    allowed = condition.acoustics.clipped_tolerance
    return [
        None if lost or one is None or one.realised.clipped_share > allowed else one
        for one, lost in zip(made, given_up, strict=True)
    ]


def _followed(before: Rows, after: Rows, form: Form, planned: Sequence[Plan], scene: RowScene) -> SpeechRows:
    """Return the talkers alone behind a step; where they are not what went into it, it is made when it is asked for."""
    speech = scene.speech
    if before is speech.rows:
        return speech if after is before else SpeechRows(lambda: after)
    return SpeechRows(lambda: form(speech.rows, planned, scene).rows)


def _of_step(number: int, plan: Plan) -> Plan:
    prefix = f"{number}."
    return {key.removeprefix(prefix): value for key, value in plan.items() if key.startswith(prefix)}


def _finished(rows: Rows, levels_in: Sequence[ActiveLevel], done: Sequence[Sequence[Done]]) -> list[Rendering | None]:
    """Return the rows as 16 bits with what was measured on the way; None where they are not finite."""
    pcm = rows.pcm()
    peaks, shares = rows.peaks(), rows.shares(rows.samples.abs() > 1.0)
    levels_out = Measurement(Rows(pcm.double() / 32768.0, rows.layout), SAMPLE_RATE_HZ).levels()
    signals = [signal[:length] for signal, length in zip(pcm.cpu().numpy(), rows.layout.lengths, strict=True)]
    told = zip(signals, peaks, shares, levels_in, levels_out, done, strict=True)
    return [
        recorded(signal.copy(), beyond=share, peak=peak, levels=(before, after), done=steps)
        if math.isfinite(peak)
        else None
        for signal, peak, share, before, after, steps in told
    ]
