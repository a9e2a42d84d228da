"""One utterance as the conditions find it: what is measured of it is measured once, for all of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import NoActiveSpeechError
from augment.level import (
    WEIGHTINGS,
    ActiveLevel,
    Samples,
    Weighting,
    active_mask,
    active_speech_level,
    checked,
    gain_to_level,
    weight,
)


class Speech:
    """A talker alone, without any noise, and the levels that steps ask for; each is measured when it is first asked."""

    def __init__(self, samples: Samples) -> None:
        """Take one channel at 16 kHz, full scale 1.0; it must not be changed afterwards."""
        self.samples = samples
        self._levels: dict[Weighting, ActiveLevel | None] = {}
        self._mask: NDArray[np.bool_] | None = None

    def level(self, weighting: Weighting = "none") -> ActiveLevel:
        """Return the active speech level (ITU-T P.56) under a frequency weighting.

        Raises:
            NoActiveSpeechError: if nothing is active under it.
        """
        level = self._measured(weighting)
        if level is None:
            raise NoActiveSpeechError(f"no active speech is left under weighting {weighting!r}")
        return level

    def levels(self) -> dict[Weighting, ActiveLevel]:
        """Return the level under every weighting in which anything is active."""
        measured = {weighting: self._measured(weighting) for weighting in WEIGHTINGS}
        return {weighting: level for weighting, level in measured.items() if level is not None}

    def activity_mask(self) -> NDArray[np.bool_]:
        """Return for each sample whether ITU-T P.56 counts it as active, hangover included; nowhere in silence."""
        if self._mask is None:
            try:
                self._mask = active_mask(self.samples, SAMPLE_RATE_HZ, self.level())
            except NoActiveSpeechError:
                self._mask = np.zeros(self.samples.size, dtype=np.bool_)
        return self._mask

    def _measured(self, weighting: Weighting) -> ActiveLevel | None:
        if weighting not in self._levels:
            try:
                self._levels[weighting] = active_speech_level(
                    weight(self.samples, SAMPLE_RATE_HZ, weighting), SAMPLE_RATE_HZ
                )
            except NoActiveSpeechError:
                self._levels[weighting] = None
        return self._levels[weighting]


class Source:
    """One decoded utterance, at any level; brought to each target level once, whatever the number of conditions."""

    def __init__(self, samples: ArrayLike) -> None:
        """Take one channel at 16 kHz, full scale 1.0.

        Raises:
            NoActiveSpeechError: if there are no samples.
            ConditionError: if they are not one channel of finite floating-point numbers.
        """
        self.samples = checked(samples)
        self._leveled: dict[float, tuple[Speech, ActiveLevel]] = {}

    def leveled(self, target_dbov: float) -> tuple[Speech, ActiveLevel]:
        """Return the utterance at an active speech level, and the level it came with.

        Raises:
            NoActiveSpeechError: if it has no active level.
        """
        if target_dbov not in self._leveled:
            gain, before = gain_to_level(self.samples, SAMPLE_RATE_HZ, target_dbov=target_dbov)
            speech = Speech(self.samples * gain)
            speech.samples.setflags(write=False)
            self._leveled[target_dbov] = (speech, before)
        return self._leveled[target_dbov]
