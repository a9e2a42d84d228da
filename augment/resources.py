"""What the steps share while a study renders: talkers, pre-rendered noise tracks, levels already measured.

One ``Resources`` serves several renderer threads. Everything cached is a pure function of its key, so
neither threads nor the size of a cache can change a sample.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import ActiveLevel, Samples, Weighting, active_speech_level, checked, gain_to_level, weight

Value = TypeVar("Value")
Track = NDArray[np.float32]

TRACK_S: Final = 30
"""Length of every pre-rendered noise track."""

_TRACK_BYTES: Final = 256 * 2**20
_RECORDING_BYTES: Final = 96 * 2**20
_REMEMBERED_LEVELS: Final = 16_384
_REMEMBERED_VALUES: Final = 256


@dataclass(frozen=True, slots=True)
class TalkerRecording:
    """One recording of a talker: its hash, and how to read it (float32, 16 kHz, one channel)."""

    sha256: str
    load: Callable[[], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Talker:
    """Someone whose speech may become babble. A target never hears babble that holds its own ``group``."""

    talker_id: str
    accent: str
    group: str
    recordings: tuple[TalkerRecording, ...]


class Resources:
    """Talkers, seed and slots of one study, with bounded caches; safe to share between threads."""

    def __init__(self, seed: int, slots: int, talkers: Iterable[Talker] = (), target_level_dbov: float = -26.0) -> None:
        """Take note of the pool; nothing is read yet.

        Args:
            seed: of the study.
            slots: number of realizations of each noise.
            talkers: the pool for babble, in any order; those without a recording are left aside.
            target_level_dbov: active level of every recording in a babble track.

        Raises:
            ConditionError: if two talkers share an id.
        """
        self.seed = seed
        self.slots = slots
        self.talkers = tuple(sorted((t for t in talkers if t.recordings), key=lambda t: t.talker_id))
        if len({talker.talker_id for talker in self.talkers}) < len(self.talkers):
            raise ConditionError("two talkers of the babble pool share a talker_id: give each its own")
        self.target_level_dbov = target_level_dbov
        self._tracks: _Cache[Track] = _Cache(_TRACK_BYTES, lambda track: track.nbytes)
        self._recordings: _Cache[Track | None] = _Cache(_RECORDING_BYTES, lambda x: 64 if x is None else x.nbytes)
        self._levels: _Cache[ActiveLevel | None] = _Cache(_REMEMBERED_LEVELS, lambda _: 1)
        self._gains: _Cache[tuple[float, ActiveLevel]] = _Cache(_REMEMBERED_LEVELS, lambda _: 1)
        self._small: _Cache[Any] = _Cache(_REMEMBERED_VALUES, lambda _: 1)

    def track(self, key: Hashable, build: Callable[[], Samples]) -> Track:
        """Return the noise track of ``key``, built at most once while it stays cached."""

        def frozen() -> Track:
            track = build().astype(np.float32)
            track.setflags(write=False)
            return track

        return self._tracks.get(key, frozen)

    def remember(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return a small value of ``key``, computed from the pool at most once while it stays cached."""
        value: Value = self._small.get(key, build)
        return value

    def recording(self, recording: TalkerRecording) -> Track | None:
        """Return a talker's recording at the target active level, or None where it holds no active speech.

        Raises:
            ConditionError: if it is not one channel of finite numbers.
        """
        return self._recordings.get(recording.sha256, lambda: self._leveled(recording))

    def active_levels(self, samples: Samples, weightings: Iterable[Weighting]) -> dict[Weighting, ActiveLevel]:
        """Measure the active level of weighted speech, once per content; no entry where nothing is active."""
        digest = _digest(samples)
        levels = {w: self._levels.get((digest, w), partial(_level_or_none, samples, w)) for w in weightings}
        return {weighting: level for weighting, level in levels.items() if level is not None}

    def leveling(self, samples: Samples, target_dbov: float) -> tuple[float, ActiveLevel]:
        """Return the gain that brings speech to an active level, and its level before; once per content.

        Raises:
            NoActiveSpeechError: if it has no active level.
        """
        key = (_digest(samples), target_dbov)
        return self._gains.get(key, lambda: gain_to_level(samples, SAMPLE_RATE_HZ, target_dbov=target_dbov))

    def _leveled(self, recording: TalkerRecording) -> Track | None:
        try:
            signal = checked(recording.load())
            signal = signal - np.mean(signal)
            gain, _ = gain_to_level(signal, SAMPLE_RATE_HZ, target_dbov=self.target_level_dbov)
        except NoActiveSpeechError:
            return None
        except ConditionError as error:
            raise ConditionError(f"babble recording {recording.sha256[:12]}: {error}") from error
        return np.asarray(signal * gain, dtype=np.float32)


def _digest(samples: Samples) -> bytes:
    return hashlib.blake2b(samples.tobytes(), digest_size=16).digest()


def _level_or_none(samples: Samples, weighting: Weighting) -> ActiveLevel | None:
    try:
        return active_speech_level(weight(samples, SAMPLE_RATE_HZ, weighting), SAMPLE_RATE_HZ)
    except NoActiveSpeechError:
        return None


@dataclass
class _Entry(Generic[Value]):
    lock: Lock = field(default_factory=Lock)
    values: list[Value] = field(default_factory=list)
    """Empty until built."""


class _Cache(Generic[Value]):
    """Least recently used values up to a total size; each key is built by one thread while others wait."""

    def __init__(self, capacity: int, size_of: Callable[[Value], int]) -> None:
        self._capacity = capacity
        self._size_of = size_of
        self._used = 0
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, build: Callable[[], Value]) -> Value:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
        with entry.lock:
            if not entry.values:
                entry.values.append(build())
                self._admit(self._size_of(entry.values[0]))
            return entry.values[0]

    def _admit(self, size: int) -> None:
        with self._lock:
            self._used += size
            while self._used > self._capacity and (oldest := self._oldest_built()) is not None:
                self._used -= self._size_of(self._entries.pop(oldest).values[0])

    def _oldest_built(self) -> Hashable | None:
        return next((key for key, entry in self._entries.items() if entry.values), None)
