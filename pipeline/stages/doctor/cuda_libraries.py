"""What the NVIDIA driver here supports, and whether cuBLAS can be loaded in the version that a package wants.

CTranslate2 counts graphics cards without cuBLAS and looks for it at the first clip only. The library's name, with the
version that the build wants, stands in CTranslate2's own.
"""

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(rb"libcublas\.so\.\d+")
_DRIVER = "libcuda.so.1"


def driver_supports() -> str | None:
    """Return the newest CUDA that the driver supports, such as ``13.0``; None without a driver."""
    version = ctypes.c_int(0)
    try:
        failed = ctypes.CDLL(_DRIVER).cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return None
    # 13000 is 13.0
    return None if failed else f"{version.value // 1000}.{version.value % 1000 // 10}"


def lacking(module_file: str) -> list[str]:
    """Return the cuBLAS that the package around ``module_file`` names and that cannot be loaded here."""
    named = {name for library in _libraries(Path(module_file).parent) for name in _named_in(library)}
    return sorted(name for name in named if not _loads(name))


def _libraries(package: Path) -> Iterator[Path]:
    """Yield the package's shared libraries: its own, and those that its wheel holds beside it."""
    for folder in (package, package.with_name(f"{package.name}.libs")):
        yield from folder.glob(f"*{package.name}*.so*")


def _named_in(library: Path) -> set[str]:
    with library.open("rb") as file:
        if not library.stat().st_size:
            return set()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return {match.group().decode() for match in _NAME.finditer(content)}


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
