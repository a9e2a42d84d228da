"""The talkers of a batch, alone, without any noise: what ``source`` is to one utterance, this is to many."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.batched.levels import Measurement, weighted
from augment.batched.rows import Rows
from augment.errors import NoActiveSpeechError
from augment.level import WEIGHTINGS, ActiveLevel, Weighting
from augment.source import Speech


class SpeechRows:
    """One talker a row; samples are made, and levels measured, for all of them when the first is asked for."""

    def __init__(self, made: Callable[[], Rows]) -> None:
        """Take what makes the samples; it is called once, or never."""
        self._made = made
        self._levels: dict[Weighting, list[ActiveLevel | None]] = {}

    @cached_property
    def rows(self) -> Rows:
        """The samples."""
        return self._made()

    @cached_property
    def measurement(self) -> Measurement:
        """Their envelopes, unweighted."""
        return Measurement(self.rows, SAMPLE_RATE_HZ)

    def levels(self, weighting: Weighting) -> list[ActiveLevel | None]:
        """Return the active level of each talker; None where nothing is active under the weighting."""
        if weighting not in self._levels:
            plain = weighting == "none"
            measured = (
                self.measurement
                if plain
                else Measurement(weighted(self.rows, SAMPLE_RATE_HZ, weighting), SAMPLE_RATE_HZ)
            )
            self._levels[weighting] = measured.levels()
        return self._levels[weighting]

    @cached_property
    def activity_masks(self) -> list[NDArray[np.bool_]]:
        """Of each talker, sample by sample: active or not."""
        masks = self.measurement.active(self.levels("none")).cpu().numpy()
        return [mask[:length] for mask, length in zip(masks, self.rows.layout.lengths, strict=True)]

    def of(self, row: int) -> Speech:
        """Return one talker as a step of a single utterance sees it: levels and activity, but no samples."""
        return _OneOfMany(self, row)


class _OneOfMany(Speech):
    """A talker whose samples stay where they are."""

    def __init__(self, everyone: SpeechRows, row: int) -> None:
        super().__init__(np.empty(0))
        self._everyone = everyone
        self._row = row

    def level(self, weighting: Weighting = "none") -> ActiveLevel:
        level = self._everyone.levels(weighting)[self._row]
        if level is None:
            raise NoActiveSpeechError(f"no active speech is left under weighting {weighting!r}")
        return level

    def levels(self) -> dict[Weighting, ActiveLevel]:
        measured = {weighting: self._everyone.levels(weighting)[self._row] for weighting in WEIGHTINGS}
        return {weighting: level for weighting, level in measured.items() if level is not None}

    def activity_mask(self) -> NDArray[np.bool_]:
        return self._everyone.activity_masks[self._row]
