"""What the steps share while a study renders: talkers, and noise tracks that are made once.

One ``Resources`` serves several renderer threads. Everything cached is a pure function of its key, so
neither threads nor the size of a cache can change a sample.
"""

import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import Samples, checked, gain_to_level

if TYPE_CHECKING:
    from augment.noise.track import NoiseTrack

Value = TypeVar("Value")
Recorded = NDArray[np.float32]

_TRACK_BYTES: Final = 256 * 2**20
_RECORDING_BYTES: Final = 96 * 2**20
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

    def __init__(
        self,
        seed: int,
        slots: int,
        talkers: Iterable[Talker] = (),
        target_level_dbov: float = -26.0,
        shelf: Path | None = None,
    ) -> None:
        """Take note of the pool; nothing is read yet.

        Args:
            seed: of the study.
            slots: number of realizations of each noise.
            talkers: the pool for babble, in any order; those without a recording are left aside.
            target_level_dbov: active level of every recording in a babble track.
            shelf: a folder in which processes share the noise tracks that one of them has built; None keeps them in
                this one's memory.

        Raises:
            ConditionError: if two talkers share an id.
        """
        self.seed = seed
        self.slots = slots
        self.talkers = tuple(sorted((t for t in talkers if t.recordings), key=lambda t: t.talker_id))
        if len({talker.talker_id for talker in self.talkers}) < len(self.talkers):
            raise ConditionError("two talkers of the babble pool share a talker_id: give each its own")
        self.target_level_dbov = target_level_dbov
        self._shelf = shelf
        self._tracks: _Cache[NoiseTrack] = _Cache(_TRACK_BYTES, lambda track: 1 if shelf else _bytes_of(track))
        self._recordings: _Cache[Recorded | None] = _Cache(_RECORDING_BYTES, lambda x: 64 if x is None else x.nbytes)
        self._small: _Cache[Any] = _Cache(_REMEMBERED_VALUES, lambda _: 1)

    def track(self, key: str, build: Callable[[], Samples]) -> "NoiseTrack":
        """Return the noise track of ``key``, built at most once while it stays cached.

        Args:
            key: names the samples: everything they depend on beside the seed.
            build: returns one cycle of 30 s.
        """
        from augment.noise.track import noise_track

        return self._tracks.get(key, lambda: self._shelved(key, build) if self._shelf else noise_track(build()))

    def remember(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return a small value of ``key``, computed from the pool at most once while it stays cached."""
        value: Value = self._small.get(key, build)
        return value

    def recording(self, recording: TalkerRecording) -> Recorded | None:
        """Return a talker's recording at the target active level, or None where it holds no active speech.

        Raises:
            ConditionError: if it is not one channel of finite numbers.
        """
        return self._recordings.get(recording.sha256, lambda: self._leveled(recording))

    def _shelved(self, key: str, build: Callable[[], Samples]) -> "NoiseTrack":
        """Map a track from the shelf, after putting it there if no process has; the last rename wins, all are equal."""
        from augment.noise.track import NoiseTrack, noise_track

        folder = self._shelf or Path()
        name = hashlib.blake2b(f"{self.seed} {key}".encode(), digest_size=16).hexdigest()
        paths = [folder / f"{name}.{part}.npy" for part in ("samples", "energies")]
        if not all(path.exists() for path in paths):
            made = noise_track(build())
            _save(made.samples, paths[0])
            _save(made.energies, paths[1])
        samples, energies = (np.load(path, mmap_mode="r") for path in paths)
        return NoiseTrack(samples, energies)

    def _leveled(self, recording: TalkerRecording) -> Recorded | None:
        try:
            signal = checked(recording.load())
            signal = signal - np.mean(signal)
            gain, _ = gain_to_level(signal, SAMPLE_RATE_HZ, target_dbov=self.target_level_dbov)
        except NoActiveSpeechError:
            return None
        except ConditionError as error:
            raise ConditionError(f"babble recording {recording.sha256[:12]}: {error}") from error
        return np.asarray(signal * gain, dtype=np.float32)


def _bytes_of(track: "NoiseTrack") -> int:
    return track.samples.nbytes + track.energies.nbytes


def _save(array: NDArray[Any], path: Path) -> None:
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        np.save(file, array)
    Path(temporary).replace(path)


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
