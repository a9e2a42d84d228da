"""Processors, memory, what the terminal can show, and the environment variables that change how libraries behave."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count, listed

LOW_MEMORY_BYTES: Final = 2 * 2**30
"""Below this a small recognizer and two renderers no longer fit side by side."""

_SHOWN: Final = (
    "ASR_STUDY_COMMANDS", "ASR_STUDY_ENDPOINTS", "CUDA_VISIBLE_DEVICES", "HF_DATASETS_OFFLINE", "HF_HOME",
    "HF_HUB_CACHE", "HF_HUB_OFFLINE", "LD_LIBRARY_PATH", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONPATH",
    "PYTORCH_CUDA_ALLOC_CONF", "TMPDIR", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME",
)  # fmt: skip
"""Variables whose values are switches, numbers, folders and names of what is allowed."""
_NAMED: Final = ("HF_ENDPOINT", "HF_TOKEN", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
"""Variables that may hold a secret: only that they are set is said."""

_MEMORY = Path("/proc/meminfo")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def checks() -> Iterator[Check]:
    """Check what every study runs on."""
    yield processors()
    yield memory()
    yield terminal(sys.stdout.encoding)
    yield environment()


def processors() -> Check:
    """Say how many processors there are and how many this process may use."""
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    limited = f", {usable} of them for this process" if usable < there else ""
    quota = _cpu_quota()
    share = f", but this container gets the time of {quota:g}" if quota is not None and quota < usable else ""
    found = f"{count(there, 'processor')} ({platform.machine()}){limited}{share}"
    return Check("processors", Verdict.OK, found)


def memory(table: Path = _MEMORY, limits: tuple[Path, ...] = _LIMITS) -> Check:
    """Say how much memory there is, and how much of it this process may have."""
    known = _memory_table(table)
    total = known.get("MemTotal")
    if total is None:
        return Check("memory", Verdict.OK, "its size is not known on this system")
    free = known.get("MemAvailable", total)
    limit = _first_number(limits)
    limited = limit is not None and limit < total
    found = f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} GiB of it free"
    if limit is not None and limited:
        found += f"; this container may use {limit / 2**30:.1f} GiB"
    usable = min(free, limit) if limit is not None else free
    if usable < LOW_MEMORY_BYTES:
        advice = "Choose a small model, lower asr.batch_size, and set render.workers=0"
        return Check("memory", Verdict.NOTE, f"{found}: little for a recognizer", advice)
    return Check("memory", Verdict.OK, found)


def terminal(encoding: str | None) -> Check:
    """Say whether what is printed can hold every letter of a reference or a name."""
    name = (encoding or "unknown").lower().replace("_", "-")
    if name in ("utf-8", "utf8", "cp65001"):
        return Check("terminal", Verdict.OK, "prints UTF-8")
    advice = "Set the environment variable PYTHONUTF8=1, and the terminal to UTF-8"
    return Check("terminal", Verdict.NOTE, f"prints {name}: letters that it lacks are replaced", advice)


def environment() -> Check:
    """Name the variables that are set and steer libraries; of those that may hold a secret not the value."""
    shown = [f"{name}={os.environ[name]}" for name in _SHOWN if os.environ.get(name)]
    named = [f"{name} (set)" for name in _NAMED if os.environ.get(name)]
    if shown or named:
        return Check("environment", Verdict.NOTE, listed([*shown, *named]))
    return Check("environment", Verdict.OK, "no variable is set that steers the libraries")


def _memory_table(table: Path) -> dict[str, int]:
    """Return the kernel's table in bytes."""
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    # MemTotal:       24684092 kB
    fields = [line.split() for line in lines]
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in fields if len(words) == 3 and words[1].isdigit()}


def _first_number(files: tuple[Path, ...]) -> int | None:
    for file in files:
        try:
            text = file.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if text.isdigit():  # without a limit version 2 says "max", and version 1 a number beyond any memory
            return int(text)
    return None


def _cpu_quota() -> float | None:
    try:
        quota, period = _QUOTA.read_text(encoding="ascii", errors="replace").split()  # 200000 100000, or max 100000
    except (OSError, ValueError):
        return None
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None
