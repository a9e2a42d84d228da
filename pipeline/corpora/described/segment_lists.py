"""What lists stretches of recordings, in each of its formats: Kaldi folders, tables, NeMo and lhotse manifests."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.corpora.described import json_manifests, kaldi
from pipeline.corpora.described.columns import needed
from pipeline.corpora.described.files import FILE, ROW, below, fitting, name_from, read_table, require
from pipeline.corpora.described.lhotse import Recordings
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import ManifestError
from pipeline.records import Reason

logger = logging.getLogger(__name__)

WHERE: Final = "corpus.segments.files"
AUDIO: Final = "@audio"
STEM: Final = "@stem"
OVERLAP: Final = "@overlap"
LINE_ID: Final = "@line_id"


@dataclass(frozen=True, slots=True)
class Listed:
    """One utterance as its list has it: cells, the path of its recording (empty: by template), and its times."""

    where: str
    cells: Mapping[str, str]
    path: str
    start: str
    end: str
    problem: str = ""
    reason: Reason = Reason.MISSING_VALUE


def segment_lists(settings: DescribedSettings, root: Path) -> list[Path]:
    """Return the folders or files that list the utterances.

    Raises:
        ManifestError: if a pattern fits none, or leaves the root.
    """
    return _fitting(settings.segments.files if settings.segments is not None else (), settings, root)


def recording_lists(settings: DescribedSettings, root: Path) -> list[Path]:
    """Return lhotse's manifests of recordings.

    Raises:
        ManifestError: if a pattern fits none, or leaves the root.
    """
    return _fitting(settings.segments.recordings if settings.segments is not None else (), settings, root)


def _fitting(patterns: Sequence[str], settings: DescribedSettings, root: Path) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = fitting(root, pattern, WHERE, allow_outside_root=settings.allow_outside_root)
        if not paths[0].exists():  # a name without *
            raise ManifestError(f"{WHERE}: nothing below {root} fits '{pattern}'. Check corpus.root and the layout.")
        found |= dict.fromkeys(paths)
    return list(found)


def _kaldi(folder: Path, settings: DescribedSettings, root: Path) -> Iterator[Listed]:
    name = _relative(folder, root)
    for path in kaldi.files(folder):  # links may lead out
        below(root, name_from(root, path), WHERE, allow_outside_root=settings.allow_outside_root)
    for entry in kaldi.entries(folder):
        cells = {FILE: name, STEM: folder.name, **entry.cells}
        yield Listed(
            entry.where, cells, entry.cells["path"], cells["start_s"], cells["end_s"], entry.problem, entry.reason
        )


def _table(path: Path, settings: DescribedSettings, root: Path) -> Iterator[Listed]:
    chosen = settings.segments
    if chosen is None:
        return
    columns, rows = read_table(path, settings, WHERE)
    require(
        path, [*columns, FILE, ROW, STEM, AUDIO, OVERLAP], [*needed(settings), (chosen.start,), (chosen.end,)], WHERE
    )
    name, silent = _relative(path, root), 0
    for number, row in enumerate(rows):
        cells = {FILE: name, ROW: str(number), STEM: path.name.split(".")[0], **row.cells}
        if chosen.no_speech is not None and re.search(chosen.no_speech.pattern, cells.get(chosen.no_speech.column, "")):
            silent += 1
            continue
        start, end = cells.get(chosen.start, ""), cells.get(chosen.end, "")
        problem = row.problem or ("" if start and end else "it has no start or no end")
        yield Listed(f"{name} line {row.line}", cells, "", start, end, problem)
    if silent:
        logger.info("%s: %d of %d lines of %s are no speech, and no utterances", settings.name, silent, len(rows), name)


def _nemo(path: Path, settings: DescribedSettings, root: Path) -> Iterator[Listed]:
    name = _relative(path, root)
    for number, value in json_manifests.objects(path):
        stem = path.name.split(".")[0]
        own = {FILE: name, STEM: stem, ROW: str(number), LINE_ID: f"{stem}:{number}"}
        cells = own | json_manifests.flat(value)
        start, end, problem = cells.get("offset", ""), "", ""
        if start:  # without one, an utterance is its whole file, and duration only repeats how long that is
            try:
                end = repr(float(start) + float(cells["duration"]))
            except (KeyError, ValueError):
                problem = f"its offset {start} goes with the duration '{cells.get('duration', '')}', which is no number"
        audio = cells.get("audio_filepath", "")
        yield Listed(f"{name} line {number}", cells, _beside(path, audio, root) if audio else "", start, end, problem)


def _lhotse(path: Path, settings: DescribedSettings, root: Path) -> Iterator[Listed]:
    recordings = Recordings.read(recording_lists(settings, root))
    name = _relative(path, root)
    for number, value in json_manifests.objects(path):
        cells = {FILE: name, STEM: path.name.split(".")[0], ROW: str(number), **json_manifests.flat(value)}
        source = recordings.source(cells, value.get("channel"))
        yield Listed(
            f"{name} line {number}", cells, source.path, source.start, source.end, source.problem, Reason.MISSING_AUDIO
        )


READERS: Final[Mapping[str, Callable[[Path, DescribedSettings, Path], Iterator[Listed]]]] = {
    "kaldi": _kaldi,
    "table": _table,
    "nemo": _nemo,
    "lhotse": _lhotse,
}


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _beside(manifest: Path, name: str, root: Path) -> str:
    """Return ``name``, which starts in the manifest's folder, from the root; an absolute path as it is."""
    return name if Path(name).is_absolute() else name_from(root, manifest.parent / name)
