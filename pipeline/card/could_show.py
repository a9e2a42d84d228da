"""What a study could have shown, and shifts in dB, copied from their tables beside their keys."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.card.keys import Key
from pipeline.card.power_measures import Detectable, SnrShift
from pipeline.card.view import View

DETECTABLE_METHOD = (
    "ratio of WERs that this study would have shown with power .8 (two-sided t with the observed standard error over "
    "speakers); holm: at alpha over the number of cells that are compared"
)
SHIFT_METHOD = (
    "mean horizontal distance, over the WERs that both pass through, between the monotone curve of log WER over SNR of "
    "this group and that of the mean of the others; leave-one-speaker-out jackknife, pointwise"
)


def detectable(view: View) -> list[Detectable]:
    """Return every row of this backend: conditions and accents in the order of the card, main normalizer first."""
    found = [
        Detectable.model_validate(_fields(row, ("accent", "condition", "backend", "normalizer"), DETECTABLE_METHOD))
        for row in _rows(view, view.source.detectable)
    ]
    return sorted(found, key=lambda item: (*_order(view, item.key), _place(view.conditions, item.key.condition)))


def snr_shifts(view: View) -> list[SnrShift]:
    """Return every row of this backend: noises and accents in order, main normalizer first."""
    found = [
        SnrShift.model_validate(_fields(row, ("accent", "backend", "normalizer"), SHIFT_METHOD))
        for row in _rows(view, view.source.snr_shifts)
    ]
    return sorted(found, key=lambda item: (item.noise, *_order(view, item.key)))


def _rows(view: View, table: pd.DataFrame) -> list[dict[str, Any]]:
    return [row for row in tables.rows(table) if row["backend"] == view.backend]


def _fields(row: Mapping[str, Any], names: tuple[str, ...], method: str) -> dict[str, Any]:
    key = Key(**{name: row[name] for name in names})
    return {"key": key, "method": method} | {name: value for name, value in row.items() if name not in names}


def _order(view: View, key: Key) -> tuple[bool, str, int, str]:
    return key.normalizer != view.main, key.normalizer, _place(view.accents, key.accent), key.accent


def _place(labels: tuple[str, ...], wanted: str) -> int:
    return labels.index(wanted) if wanted in labels else len(labels)
