"""What a batched form is: it does to every row what its step does to one signal.

What is small stays with the step: impulse responses, noises and their gains, which packets are lost. So no effect
is defined twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from augment.batched.rows import Rows
from augment.batched.speech import SpeechRows
from augment.level import Samples
from augment.resources import Resources
from augment.step import Acoustics, Effect, Plan, Scene

NOTHING: Final[Samples] = np.empty(0)
"""The samples of an effect whose samples lie in a batch."""


@dataclass(frozen=True, slots=True)
class RowScene:
    """What a form may look at beside the rows."""

    acoustics: Acoustics
    resources: Resources
    speech: SpeechRows

    def of(self, row: int) -> Scene:
        """Return what the step would look at for one row; its speech has levels and activity, but no samples."""
        return Scene(self.acoustics, self.resources, self.speech.of(row))


@dataclass(frozen=True, slots=True, eq=False)
class Formed:
    """What a form did."""

    rows: Rows
    """The very same object where nothing changed."""
    effects: Sequence[Effect | None]
    """Of each row, without samples; None where the step would refuse: such a row means nothing from here on."""


class Form(Protocol):
    """The batched form of one step with one set of settings."""

    def __call__(self, rows: Rows, planned: Sequence[Plan], scene: RowScene) -> Formed:
        """Return the rows after the effect, as long as before."""
