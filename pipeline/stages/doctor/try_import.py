"""In a child: import a package, and ask those that compute on graphics cards what they see."""

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.stages.doctor.cuda_libraries import driver_supports, lacking


def attempt(told: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``module`` and its ``parts``, which are loaded only when they are asked for."""
    started_s = time.perf_counter()
    module = importlib.import_module(told["module"])
    for name in told["parts"]:
        importlib.import_module(name)
    took_s = time.perf_counter() - started_s
    look = _CARDS.get(told["module"])
    return {"took_s": took_s, "cards": look(module) if look else None}


def _torch_cards(torch: Any) -> dict[str, Any]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [_card(torch, index) for index in range(count)]
    return {"count": count, "names": names, "built_for": torch.version.cuda, "driver": driver_supports()}


def _card(torch: Any, index: int) -> str:
    properties = torch.cuda.get_device_properties(index)
    return f"{properties.name} ({properties.total_memory / 2**30:.0f} GiB)"


def _ctranslate2_cards(ctranslate2: Any) -> dict[str, Any]:
    count = ctranslate2.get_cuda_device_count()
    return {"count": count, "lacking": lacking(ctranslate2.__file__) if count else [], "driver": driver_supports()}


_CARDS: dict[str, Callable[[Any], dict[str, Any]]] = {"torch": _torch_cards, "ctranslate2": _ctranslate2_cards}
