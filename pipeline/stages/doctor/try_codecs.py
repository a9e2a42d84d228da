"""In a child: encode and decode one second with each codec."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from augment.codecs import CodecSettings
from augment.codecs.coder import Coder

_TOLERANCE_DB = 10.0
"""A tone that a telephone passes comes out of every codec closer to its level than this."""


def attempt(told: Mapping[str, Any]) -> dict[str, str | None]:
    """Return for each of ``codecs`` (settings by name) why it does not work here; None for one that does."""
    return {name: _problem(CodecSettings.model_validate(raw).root.coder()) for name, raw in told["codecs"].items()}


def _problem(coder: Coder) -> str | None:
    missing = coder.missing()
    if missing:
        return missing
    tone = 8000.0 * np.sin(2.0 * np.pi * 440.0 * np.arange(coder.rate_hz) / coder.rate_hz)
    try:
        heard = np.asarray(coder.round_trip(np.rint(tone).astype(np.int16)), dtype=np.float64)
    except Exception as error:  # one codec that fails does not hide the others
        return f"{type(error).__name__}: {error}"
    if heard.shape != tone.shape:
        return f"{tone.size} samples went in and {heard.size} came out"
    change_db = 10.0 * np.log10(np.mean(np.square(heard)) / np.mean(np.square(tone)) + 1e-12)
    return None if abs(change_db) < _TOLERANCE_DB else f"a tone came out {change_db:+.0f} dB from where it went in"
