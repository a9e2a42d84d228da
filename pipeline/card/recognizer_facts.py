"""What decided the recognizer's words, in the order in which a reader asks: weights, versions, then every option."""

import json
from collections.abc import Mapping

from pipeline.card.evidence import fact
from pipeline.card.model import Fact
from pipeline.card.wording import listed, outside, without_folder

_OPTION, _VERSION, _HASH = "decoding.", "version.", "sha256."


def recognizer_facts(fingerprint: Mapping[str, str]) -> list[Fact]:
    """Return the whole fingerprint of a recognizer as a few named values, in an order that hangs on its names alone."""
    rest = sorted(name for name in fingerprint if not name.startswith((_OPTION, _VERSION, _HASH)))
    settings = [f"{outside(name)} {_value(fingerprint[name])}" for name in rest]
    facts = [
        fact("Recognizer", listed(settings) if settings else None),
        fact("Weights and other files (SHA-256)", listed(_under(fingerprint, _HASH)) or None),
        fact("Versions of the recognizer", listed(_under(fingerprint, _VERSION)) or None),
        fact("Decoding options", listed(_under(fingerprint, _OPTION)) or None),
    ]
    return [one for one in facts if one.value != "none"]


def _under(fingerprint: Mapping[str, str], prefix: str) -> list[str]:
    names = sorted(name for name in fingerprint if name.startswith(prefix))
    return [f"{outside(name.removeprefix(prefix))} {_value(fingerprint[name])}" for name in names]


def _value(value: str) -> str:
    """Return a value as a person would write it: JSON without its escapes, no folder of the machine."""
    try:
        read = json.loads(value)
    except ValueError:
        return outside(without_folder(value))
    return outside(json.dumps(_nameless(read), ensure_ascii=False), limit=1000)


def _nameless(value: object) -> object:
    if isinstance(value, str):
        return without_folder(value)
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    if isinstance(value, dict):
        return {name: _nameless(one) for name, one in value.items()}
    return value
