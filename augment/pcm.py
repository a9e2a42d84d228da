"""Floating-point samples to 16-bit integers: the one place where rounding and clipping happen."""

import numpy as np
from numpy.typing import NDArray

from augment.level import Samples


def to_int16(samples: Samples) -> tuple[NDArray[np.int16], float]:
    """Return ``samples`` (full scale 1.0) as 16-bit integers, and the share of them beyond full scale.

    Rounds half to even; values beyond the 16-bit range are held at its ends.
    """
    beyond = float(np.mean(np.abs(samples) > 1.0)) if samples.size else 0.0
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16), beyond
