"""Named handsets: the responses that the ITU-T tabulates, as CSV files in ``augment/data`` with their sources."""

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np

from augment.handset.response import Response, from_table
from augment.level import Samples
from augment.resources import Resources
from augment.step import Plan, PlanValue

Curve = Literal["irs_send", "mirs_send", "msin", "p341"]

_TABLES: Final[dict[Curve, str]] = {
    "irs_send": "p48_send.csv",
    "mirs_send": "mirs_send.csv",
    "msin": "msin.csv",
    "p341": "p341_send.csv",
}


class NamedCurve:
    """One curve for everyone."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def check(self, resources: Resources) -> None:
        """Need nothing: the table is part of this package."""

    def plan(self, slot: int, resources: Resources) -> dict[str, PlanValue]:
        """Draw nothing."""
        return {}

    def response(self, planned: Plan, resources: Resources) -> Response:
        """Return the curve's filter."""
        return curve_response(self._curve)


def table(curve: Curve) -> tuple[Samples, Samples]:
    """Return the frequencies in Hz and the nominal response in dB, as the source tabulates them."""
    lines = files("augment").joinpath("data", _TABLES[curve]).read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return np.array([float(row["frequency_hz"]) for row in rows]), np.array([float(row["gain_db"]) for row in rows])


@lru_cache
def curve_response(curve: Curve) -> Response:
    """Return the filter of a named curve."""
    return from_table(*table(curve), curve)
