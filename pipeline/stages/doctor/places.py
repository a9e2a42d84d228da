"""The folders that a study writes to: are they writable, how much room is there, on which file system?"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count
from pipeline.config import Study
from pipeline.stages.doctor import mounts

FAILING_BYTES: Final = 200 * 10**6
"""With less a run of any size ends on a full disk."""
LOW_BYTES: Final = 10**9
CACHED_BYTES_S: Final = 32_000
"""A second of rendering at 16 bits and 16 kHz; FLAC is usually half of it."""


def checks(study: Study) -> Iterator[Check]:
    """Check every folder that the study may write to."""
    for name, folder in _places(study).items():
        yield place(name, folder)
    yield temporary()
    yield store(study.store_path.parent, shared=study.store.shared)
    if study.render.cache:
        yield rendering_cache(Path(study.render.cache).expanduser(), n_conditions=len(study.conditions))


def place(name: str, folder: Path) -> Check:
    """Check one folder, or the nearest one above it where it is yet to be made."""
    other = f"Set {name} to another folder"
    here = nearest(folder)
    if not here.is_dir():
        return Check(name, Verdict.FAIL, f"{folder}: {here} is a file, and a folder is needed", other)
    problem = _unwritable(here)
    if problem:
        return Check(name, Verdict.FAIL, f"{folder}: nothing can be written in {here} ({problem})", other)
    free = shutil.disk_usage(here).free
    mount = mounts.of(here)
    found = f"{folder}: writable, {size(free)} free{f', on {mount.kind}' if mount else ''}"
    if free < FAILING_BYTES:
        return Check(
            name, Verdict.FAIL, found, f"Make room: {size(FAILING_BYTES)} at least. Or: {other[0].lower()}{other[1:]}"
        )
    if free < LOW_BYTES:
        return Check(name, Verdict.NOTE, f"{found}: little for a large study")
    return Check(name, Verdict.OK, found)


def temporary() -> Check:
    """Check the folder for temporary files."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        advice = "Set the environment variable TMPDIR to a folder that can be written to"
        return Check("TMPDIR", Verdict.FAIL, error.strerror or str(error), advice)
    asked = os.environ.get("TMPDIR")
    if asked and os.path.realpath(asked) != os.path.realpath(folder):
        found = f"{asked} cannot be written to, so Python takes {folder}"
        return Check("TMPDIR", Verdict.NOTE, found, "Set TMPDIR to a folder that can be written to")
    return place("TMPDIR", folder)


def store(folder: Path, *, shared: bool) -> Check:
    """Check that the file system can hold the store of transcripts for every process that writes to it."""
    name, mount = "transcript store", mounts.of(nearest(folder))
    if mount is None:
        return Check(name, Verdict.NOTE, f"{folder}: the file system is not known here; the store needs a local one")
    found = f"{folder} lies on {mount.kind}"
    if mount.shared and not shared:
        advice = "Set store.shared=true, which gives each writer a file of its own, or cache_dir to a local disk"
        return Check(name, Verdict.NOTE, f"{found}, which other machines see too", advice)
    if mount.passing:
        advice = "Set cache_dir to a folder that stays, or what was transcribed is transcribed again next time"
        return Check(name, Verdict.NOTE, f"{found}: it ends with this container or machine", advice)
    return Check(name, Verdict.OK, f"{found}{', one file for each writer' if shared else ''}")


def rendering_cache(folder: Path, *, n_conditions: int) -> Check:
    """Say for how much speech the room suffices in which renderings are kept."""
    hour = CACHED_BYTES_S * 3600 * n_conditions
    here = nearest(folder)
    free = shutil.disk_usage(here).free
    found = (
        f"an hour of speech in {count(n_conditions, 'condition')} takes up to {size(hour)}; {size(free)} suffice for "
        f"{free / hour:,.1f} hours"
    )
    if free < hour:
        advice = (
            "Keep renderings elsewhere (render.cache=...) or not at all (render.cache=null) if the corpus is longer"
        )
        return Check("render.cache, room", Verdict.NOTE, found, advice)
    return Check("render.cache, room", Verdict.OK, found)


def nearest(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that exists."""
    full = Path(os.path.abspath(folder))
    return next(path for path in (full, *full.parents) if path.exists() or path == path.parent)


def size(n_bytes: float) -> str:
    """Return a number of bytes in decimal units, as disks are sold."""
    return f"{n_bytes / 10**9:,.1f} GB" if n_bytes >= 10**9 else f"{n_bytes / 10**6:,.0f} MB"


def _places(study: Study) -> dict[str, Path]:
    places = {"results_dir": Path(study.settings.results_dir).expanduser(), "cache_dir": study.store_path.parent}
    if study.render.cache:
        places["render.cache"] = Path(study.render.cache).expanduser()
    speech = study.settings.corpus.get("cache_dir")
    if isinstance(speech, str):
        places["corpus.cache_dir"] = Path(speech).expanduser()
    return places


def _unwritable(folder: Path) -> str:
    """Return why no file can be made here; makes one of 4 kB without a name, which is gone when it is closed."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""
