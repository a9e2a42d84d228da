"""How many clips are decoded at once: what memory holds, and less for ever after where it did not."""

import json
import logging
from pathlib import Path
from typing import Any, Final

import torch

from pipeline.artifacts import user_cache, write_atomic
from pipeline.asr.whisper.inference import row_bytes

logger = logging.getLogger(__name__)

CPU_BUDGET_BYTES: Final = 2_000_000_000
"""For what is decoded at once on a CPU, all threads together."""
_OUT_OF_MEMORY: Final = ("can't allocate memory", "out of memory", "status_alloc_failed")
"""What torch's CPU allocator, CUDA itself, and its libraries (cuBLAS, cuDNN) say in an error of no special type."""
_SHARE: Final = 0.6
"""Of a GPU's free memory; the rest is for encoding and the library's own needs."""


class Rows:
    """The number of rows that one call may decode on ``device``; halved when memory ran out, and remembered so.

    A window is one row, or as many as it has beams or candidates.
    """

    def __init__(self, dims: Any, dtype: torch.dtype, device: torch.device, threads: int) -> None:
        each = row_bytes(dims, dtype.itemsize)
        if device.type == "cpu":
            self._key, holds = "", CPU_BUDGET_BYTES // threads // each
        else:
            free, total = torch.cuda.mem_get_info(device)
            name = torch.cuda.get_device_name(device)
            self._key = f"{name} {total >> 20} MiB, {dims.n_text_layer} x {dims.n_text_state}, {dtype}"
            holds = int(free * _SHARE) // each
        self.most = max(1, min(holds, _remembered().get(self._key, holds)))

    def halve(self, tried: int) -> bool:
        """Note that ``tried`` rows were too many; return False if that was one."""
        if tried <= 1:
            return False
        self.most = min(self.most, max(1, tried // 2))
        logger.warning("memory did not suffice to decode %d rows at once: going on with %d", tried, self.most)
        if self._key:
            _remember(self._key, self.most)
        return True


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch says that memory did not suffice."""
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in said for word in _OUT_OF_MEMORY)


def _path() -> Path:
    return user_cache() / "whisper_rows.json"


def _remembered() -> dict[str, int]:
    try:
        kept = json.loads(_path().read_text())
    except (OSError, ValueError):  # nothing was remembered, or it is of no use: what memory holds is tried anew
        return {}
    return {key: value for key, value in kept.items() if isinstance(value, int)} if isinstance(kept, dict) else {}


def _remember(key: str, rows: int) -> None:
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(_remembered() | {key: rows}, indent=1))
    except OSError as error:
        logger.warning("%s cannot be written (%s): the next run finds the number of rows anew", path, error)
