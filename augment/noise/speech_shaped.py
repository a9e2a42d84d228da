"""Steady noise with the long-term average spectrum of the study's own talkers: masking by energy alone.

Every accent weighs the same, however many recordings it has; a pool in which one accent is large would
otherwise make a noise that masks that accent best.
"""

import hashlib
import json
from collections.abc import Sequence
from itertools import islice, zip_longest
from typing import Final, Literal

import numpy as np
import scipy.fft
import scipy.signal

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.level import Samples
from augment.noise.spectra import TURNS, shaped_noise
from augment.noise.track import TRACK_SAMPLES, NoiseTrack
from augment.plan import generator, permutation, uniform
from augment.resources import Recorded, Resources, Talker, TalkerRecording
from augment.step import Plan, PlanInput, PlanValue, StepSettings, planned_integer

_PER_ACCENT: Final = 32
"""Recordings of an accent: each makes 3 % of its spectrum, and all are soon read."""

_WINDOW_SAMPLES: Final = 1024
"""64 ms: resolves the slope of speech and not the pitch of a voice that happens to be in the pool."""

_Used = dict[str, tuple[TalkerRecording, ...]]


class SpeechShapedSettings(StepSettings):
    """Nothing to choose: the talkers are those of the study."""

    kind: Literal["speech_shaped"] = "speech_shaped"


class SpeechShaped:
    """One spectrum, and for every slot its own phases."""

    def __init__(self, settings: SpeechShapedSettings, family: str) -> None:
        self.family = family

    def check(self, resources: Resources) -> None:
        """Raise a ConditionError if there are no talkers."""
        if not resources.talkers:
            raise ConditionError(
                "speech-shaped noise needs the recordings of the study's talkers, and there are none: load a corpus "
                "with audio, or use kind: hoth"
            )

    def plan(self, target: PlanInput, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return the slot's own track, and the hash of the recordings whose spectrum it has."""
        return {"track": slot, "recordings_sha256": _sha256(_used(resources))}

    def track(self, planned: Plan, resources: Resources) -> NoiseTrack:
        """Return the planned track.

        Raises:
            ConditionError: if the pool is no longer what was planned with, or an accent has no active speech.
        """
        slot, used = planned_integer(planned, "track"), _used(resources)
        sha256 = _sha256(used)
        if planned.get("recordings_sha256") != sha256:
            raise ConditionError("speech-shaped noise was planned with other talkers than are here: plan again")
        return resources.track(f"{self.family} {sha256} slot {slot}", lambda: self._cycle(slot, used, resources))

    def _cycle(self, slot: int, used: _Used, resources: Resources) -> Samples:
        turns = uniform(generator(resources.seed, self.family, slot, "phases"), TURNS)
        return shaped_noise(_magnitude(resources, used), turns)


def _used(resources: Resources) -> _Used:
    accents = sorted({talker.accent for talker in resources.talkers})
    return resources.remember(
        "speech_shaped recordings", lambda: {accent: _dealt(accent, resources) for accent in accents}
    )


def _dealt(accent: str, resources: Resources) -> tuple[TalkerRecording, ...]:
    """Return some recordings of an accent: talkers in random order take turns until there are enough."""
    talkers = [talker for talker in resources.talkers if talker.accent == accent]
    order = permutation(generator(resources.seed, "speech_shaped", 0, f"talkers {accent}"), len(talkers))
    turns = zip_longest(*(_recordings(talkers[i]) for i in order))
    return tuple(islice((recording for turn in turns for recording in turn if recording), _PER_ACCENT))


def _recordings(talker: Talker) -> Sequence[TalkerRecording]:
    return sorted(talker.recordings, key=lambda recording: recording.sha256)


def _sha256(used: _Used) -> str:
    content = json.dumps([[accent, [recording.sha256 for recording in dealt]] for accent, dealt in used.items()])
    return hashlib.sha256(content.encode()).hexdigest()


def _magnitude(resources: Resources, used: _Used) -> Samples:
    """Return the amplitude at each bin of a cycle: the mean power spectrum of the accents' mean spectra."""
    spectrum = resources.remember(
        ("speech_shaped spectrum", _sha256(used)),
        lambda: np.mean([_accent_spectrum(accent, dealt, resources) for accent, dealt in used.items()], axis=0),
    )
    frequency_hz = scipy.fft.rfftfreq(TRACK_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    measured_hz = scipy.fft.rfftfreq(_WINDOW_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    return np.asarray(np.sqrt(np.interp(frequency_hz, measured_hz, spectrum)))


def _accent_spectrum(accent: str, dealt: Sequence[TalkerRecording], resources: Resources) -> Samples:
    """Return the mean of the recordings' power spectra, each of unit power, so that pauses carry no weight."""
    spectra = [_spectrum(samples) for one in dealt if (samples := resources.recording(one)) is not None]
    if not spectra:
        raise ConditionError(f"accent {accent!r} has no recording with active speech among {len(dealt)}: leave it out")
    return np.asarray(np.mean(spectra, axis=0))


def _spectrum(samples: Recorded) -> Samples:
    padded = np.pad(samples.astype(np.float64), (0, max(0, _WINDOW_SAMPLES - samples.size)))
    _, power = scipy.signal.welch(padded, SAMPLE_RATE_HZ, nperseg=_WINDOW_SAMPLES)
    return np.asarray(power / np.sum(power))
