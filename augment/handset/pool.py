"""Different phones as a balanced factor: seeded responses inside the tolerance mask of 3GPP TS 26.131, Table 13.

The mask (wideband hand-held hands-free, sending) is the room that a conforming phone has: 10 dB at any frequency from
200 to 5000 Hz. Its lines are straight in dB over log frequency, and its absolute level is arbitrary. Each
handset is drawn uniformly inside it at nine frequencies and is straight between them; every corner of the mask is
one of the nine, so that it stays inside everywhere. A slot always meets the same handset.
"""

from typing import Final, Literal

import numpy as np

from augment.handset.response import Response, from_table
from augment.level import Samples
from augment.plan import generator, uniform
from augment.resources import Resources
from augment.step import Plan, PlanValue, planned_integer

Pool = Literal["ts26131_hf"]

# 3GPP TS 26.131, Table 13: frequency in Hz, lower and upper limit in dB. The table has no lower limit at 100 and 8000
# Hz. Ours are -10 dB at 100 Hz, the width of 10 dB that it has at 200 Hz, and -15 dB at 8000 Hz, the slope that it has
# from 5000 to 6300 Hz.
MASK: Final = ((100, -10, 0), (200, -5, 5), (5000, -5, 5), (6300, -10, 5), (8000, -15, 5))
NODES_HZ: Final = np.array([100.0, 200.0, 400.0, 800.0, 1600.0, 3150.0, 5000.0, 6300.0, 8000.0])


class HandsetPool:
    """``size`` handsets, dealt to the slots in turn."""

    def __init__(self, pool: Pool, size: int) -> None:
        self._pool = pool
        self._size = size

    def check(self, resources: Resources) -> None:
        """Need nothing: the mask is part of this package."""

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Return ``handset``: which one the slot meets."""
        return {"handset": slot % self._size}

    def response(self, planned: Plan, resources: Resources) -> Response:
        """Return the handset's filter."""
        index = planned_integer(planned, "handset")
        return resources.remember(("handset", self._pool, index), lambda: pool_response(resources.seed, index))


def pool_response(seed: int, index: int) -> Response:
    """Return the filter of one handset."""
    return from_table(NODES_HZ, drawn_db(seed, index), f"handset {index}")


def mask_db(frequency_hz: Samples) -> tuple[Samples, Samples]:
    """Return the lower and the upper limit at each frequency from 100 to 8000 Hz, in dB at an arbitrary level."""
    known_hz, lower_db, upper_db = (np.array(column, dtype=np.float64) for column in zip(*MASK, strict=True))
    at, known = np.log(frequency_hz), np.log(known_hz)
    return np.interp(at, known, lower_db), np.interp(at, known, upper_db)


def drawn_db(seed: int, index: int) -> Samples:
    """Return the response of one handset at ``NODES_HZ``, in dB on the scale of the mask.

    The pool's size is no part of the key: handset 3 is the same in a pool of 4 and of 12.
    """
    lower_db, upper_db = mask_db(NODES_HZ)
    share = uniform(generator(seed, "handset", index, "ts26131_hf"), NODES_HZ.size)
    return np.asarray(lower_db + share * (upper_db - lower_db))
