"""Transcripts of one trial that are drawn again and again, to see how much a generative recognizer varies.

Every draw has a seed of its own, made of the trial's key and the number of the repeat, so that it comes out the same
in any order, batch and rerun, and more repeats leave the earlier ones as they were.
"""

import hashlib

from pipeline.asr.base import Backend, Draw, Generative, RepeatSettings

NONE = RepeatSettings()


def repeating(backend: Backend) -> RepeatSettings:
    """Return how often the study wants each trial again: never, of a recognizer that does not sample."""
    return backend.repeating if isinstance(backend, Generative) else NONE


def draws(trial_key: str, wanted: RepeatSettings) -> list[Draw]:
    """Return the draws of one trial, repeat 1 first."""
    temperatures = wanted.repeat_temperatures
    return [
        Draw(repeat, _seed(trial_key, repeat), temperatures[(repeat - 1) % len(temperatures)])
        for repeat in range(1, wanted.repeats + 1)
    ]


def _seed(trial_key: str, repeat: int) -> int:
    digest = hashlib.blake2b(f"{trial_key}|repeat {repeat}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def remembered_as(trial_key: str, draw: Draw | None) -> str:
    """Return the key under which the store keeps the transcript that is scored (None), or one draw."""
    return trial_key if draw is None else f"{trial_key}/{draw.repeat}@{draw.temperature!r}"
