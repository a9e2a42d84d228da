"""A step of a condition in words: its settings as they are, every number with its unit.

Units come from the ends of names (``snr_db``, ``rt60_s``), so a step from elsewhere reads as well as one of ours.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.card.wording import visible, without_folder

_DOES = {
    "add_noise": "add noise",
    "clip": "cut off peaks",
    "codec": "encode and decode",
    "filter": "filter",
    "gain": "change the level",
    "handset": "speak through a handset",
    "level": "set the level",
    "loss": "lose packets",
    "quantize": "use fewer bits",
    "resample": "sample at another rate",
    "reverb": "speak in a room",
    "silence": "add silence",
}
_ENDINGS = {"s": "s", "ms": "ms", "hz": "Hz", "db": "dB", "dbov": "dBov", "dba": "dB(A)", "m": "m"}
_UNITS = {"bitrate": "bit/s", "mean_burst": "packets", "rate": "of all packets"}
_NAMES = {"snr": "SNR", "rt60": "RT60", "drr": "DRR", "bitrate": "bit rate"}

_ONLY_WITH = {"size": "pool"}
"""Settings that say nothing where another one is not given."""
_LAST = ("loss",)
"""What happens on the way comes after what is sent."""


def in_words(step: Mapping[str, Any]) -> str:
    """Return one step of a condition's definition, such as ``sample at another rate: rate 8000 Hz``."""
    kind = str(step["kind"])
    does = _DOES.get(kind, visible(kind))
    told = _settings(step)
    return f"{does}: {told}" if told else does


def _settings(values: Mapping[str, Any]) -> str:
    idle = {name for name, needed in _ONLY_WITH.items() if values.get(needed) is None}
    said = [(n, value) for n, value in values.items() if n not in {"kind", *idle} and value is not None]
    return ", ".join(_setting(n, value) for n, value in sorted(said, key=lambda one: one[0] in _LAST))


def _setting(name: str, value: object) -> str:
    stem, _, ending = name.rpartition("_")
    in_name = _ENDINGS.get(ending, "") if stem else ""
    unit = in_name or _UNITS.get(name, "")
    label = stem if in_name else name
    return f"{_NAMES.get(label, visible(label.replace('_', ' ')))} {_value(value, unit)}"


def _value(value: object, unit: str = "") -> str:
    if isinstance(value, Mapping):
        kind, inner = str(value.get("kind", "")), _settings(value)
        return f"{visible(kind)} ({inner})".strip() if inner else visible(kind)
    if isinstance(value, list | tuple):
        listed = (" x " if unit else " + ").join(_value(part) for part in value)
        return f"{listed} {unit}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:.10g} {unit}".strip()
    return visible(without_folder(str(value)))
