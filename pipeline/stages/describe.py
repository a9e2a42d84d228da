"""Conditions to words: what each does, its sources, what it needs here and what it costs; hears no corpus.

In: conditions. Out: Descriptions, with CPU times measured on a made-up talker. Excludes nothing: a condition
that cannot be made on this machine is described, and says why.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.chain import Acoustics, Condition, PlanInput, Source
from augment.errors import ConditionError
from augment.resources import Resources, Talker, TalkerRecording
from pipeline.card.described import Described, Descriptions
from pipeline.card.step_words import in_words

NAME = "describe"
CLIP_S = 8.0
REPEATS = 3
"""Times that each condition is measured; the least counts, because everything else on the machine only adds."""

POOL_ACCENTS, POOL_VOICES = 4, 40
"""A pool that even the largest babble finds enough talkers in."""
POOL_CLIP_S = 2.0


def describe(conditions: Sequence[Condition], *, acoustics: Acoustics, seed: int) -> Descriptions:
    """Describe every condition, and render each a few times to measure its cost."""
    resources = Resources(seed, acoustics.slots, _pool(), acoustics.target_level_dbov)
    samples = made_up_voice(0, CLIP_S)
    leveling = _cpu_ms(lambda: Source(samples).leveled(acoustics.target_level_dbov))
    source = Source(samples)
    described = tuple(_described(condition, source, resources) for condition in conditions)
    return Descriptions(acoustics, CLIP_S, leveling, described)


def _described(condition: Condition, source: Source, resources: Resources) -> Described:
    problem, cost = None, None
    try:
        condition.check(resources)
        cost = _cost_ms(condition, source, resources)
    except ConditionError as error:
        problem = str(error)
    length = out = source.samples.size
    for step in condition.steps:
        out = step.length_out(out)
    settings = condition.settings
    return Described(
        name=condition.name,
        version=settings.version,
        family=settings.family,
        description=settings.description,
        sources=tuple(settings.sources),
        steps=tuple(in_words(step) for step in condition.parameters),
        problem=problem,
        cpu_ms=cost,
        added_s=(out - length) / SAMPLE_RATE_HZ,
    )


def _cost_ms(condition: Condition, source: Source, resources: Resources) -> float:
    target = PlanInput("a made-up utterance", "nobody in the pool", source.samples.size)
    plan = condition.plan(target, 0, resources)
    render = partial(condition.render, source, plan, resources)
    render()  # noise tracks and filters are made once in a study
    return _cpu_ms(render)


def _cpu_ms(work: Callable[[], object]) -> float:
    times_s = []
    for _ in range(REPEATS):
        start_s = time.process_time()
        work()
        times_s.append(time.process_time() - start_s)
    return 1000.0 * min(times_s)


def _pool() -> list[Talker]:
    voices = range(POOL_ACCENTS * POOL_VOICES)
    return [Talker(f"voice {n:03d}", f"accent {n % POOL_ACCENTS}", f"voice {n:03d}", (_recording(n),)) for n in voices]


def _recording(voice: int) -> TalkerRecording:
    return TalkerRecording(
        hashlib.sha256(f"made-up voice {voice}".encode()).hexdigest(), partial(made_up_voice, voice, POOL_CLIP_S)
    )


def made_up_voice(voice: int, duration_s: float) -> NDArray[np.float32]:
    """Return something paced like speech: a harmonic tone in syllables of 4 Hz, with a pause every 2 s."""
    time_s = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    f0_hz = 90.0 + voice
    tone = np.zeros(time_s.size)
    for partial_tone in range(1, int(4000.0 / f0_hz)):
        tone += np.sin(2.0 * np.pi * f0_hz * partial_tone * time_s) / partial_tone
    syllables = np.square(np.sin(2.0 * np.pi * 2.0 * time_s + voice)) * (time_s % 2.0 < 1.6)
    return np.asarray(0.1 * tone * syllables, dtype=np.float32)
