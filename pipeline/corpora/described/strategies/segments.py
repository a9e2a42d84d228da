"""Utterances that are stretches of longer recordings: Kaldi folders, tables with times, NeMo and lhotse manifests.

Beside its own columns an utterance has the cells ``@audio`` (the place of its stretch), ``@file`` (what lists it),
``@stem`` (that file's name without suffix) and ``@overlap`` (``yes`` where another speaker talks into it).
"""

import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.corpora.described import json_manifests, kaldi
from pipeline.corpora.described.columns import UnusableCellError, fill, needed
from pipeline.corpora.described.file_tree import files_below
from pipeline.corpora.described.files import FILE, ROW, below, read_table, require
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.lhotse import Recordings
from pipeline.corpora.described.segment_settings import Segments
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.stretches import Stretch, overlapped, spoken_by, times
from pipeline.corpora.places import part_of
from pipeline.errors import ManifestError
from pipeline.records import Reason

logger = logging.getLogger(__name__)

WHERE: Final = "corpus.segments.files"
AUDIO: Final = "@audio"
STEM: Final = "@stem"
OVERLAP: Final = "@overlap"
ANYWHERE: Final = "**/"
"""A template of recordings that begins so finds them by name in whatever folder."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One utterance as its list has it: cells, the path of its recording (empty: by template), and its times."""

    where: str
    cells: Mapping[str, str]
    path: str
    start: str
    end: str
    problem: str = ""


def segments(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every utterance of the lists that ``settings.segments`` names."""
    chosen = settings.segments
    if chosen is None:
        raise ManifestError("corpus.segments: strategy segments needs it. Say what lists the utterances.")
    listed = [one for path in files(settings, root) for one in _READERS[chosen.format](path, settings, root)]
    placer = _Placer(chosen, root, settings.columns["speaker_id"].source_column if settings.speaker.available else ())
    placed = [placer.place(one) for one in listed]
    marks = overlapped([stretch for _, stretch in placed])
    if any(marks):
        logger.info("%s: another speaker talks into %d of %d utterances", settings.name, sum(marks), len(marks))
    for (found, _), mark in zip(placed, marks, strict=True):
        yield Found(found.where, {**found.cells, OVERLAP: "yes" if mark else "no"}, found.problem, found.reason)


def files(settings: DescribedSettings, root: Path) -> list[Path]:
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
        path = below(root, pattern, WHERE, allow_outside_root=settings.allow_outside_root)
        fitting = [path] if path.exists() else sorted(root.glob(pattern))
        if not fitting:
            raise ManifestError(f"{WHERE}: nothing below {root} fits '{pattern}'. Check corpus.root and the layout.")
        found |= dict.fromkeys(fitting)
    return list(found)


@dataclass
class _Placer:
    """Finds the recording of an utterance, and writes the place of its stretch."""

    chosen: Segments
    root: Path
    speakers: tuple[str, ...]
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def place(self, one: Listed) -> tuple[Found, Stretch]:
        cells, problem, reason = dict(one.cells), one.problem, Reason.MISSING_VALUE
        stretch = Stretch("", "", 0.0, 0.0)
        try:
            path = one.path if self.chosen.recording is None else self._recording(self.chosen.recording, cells)
            start_s, end_s = times(one.start, one.end)
            stretch = Stretch(path, spoken_by(cells, self.speakers), start_s, end_s)
            if end_s <= start_s:
                problem = problem or f"it ends at {end_s:g} s, which is not after its start at {start_s:g} s"
                reason = Reason.EMPTY_AUDIO
            else:
                cells[AUDIO] = (
                    path if not path or (start_s, end_s) == (0.0, math.inf) else part_of(path, start_s, end_s)
                )
        except (UnusableCellError, ValueError) as error:
            problem = problem or str(error)
        return Found(one.where, cells, problem, reason), stretch

    def _recording(self, template: str, cells: Mapping[str, str]) -> str:
        name = fill(template, cells)
        if not name.startswith(ANYWHERE):
            return name
        if not self._by_name:
            for path in files_below(self.root):
                self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
        fitting = self._by_name.get(name.removeprefix(ANYWHERE), [])
        if len(fitting) != 1:
            raise UnusableCellError(f"{len(fitting)} files are called '{name.removeprefix(ANYWHERE)}', not one")
        return fitting[0]


def _kaldi(folder: Path, settings: DescribedSettings, root: Path) -> Iterator[Listed]:
    name = _relative(folder, root)
    for entry in kaldi.entries(folder):
        cells = {FILE: name, STEM: folder.name, **entry.cells}
        yield Listed(entry.where, cells, entry.cells["path"], cells["start_s"], cells["end_s"], entry.problem)


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
        cells = {FILE: name, STEM: path.name.split(".")[0], ROW: str(number), **json_manifests.flat(value)}
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
        yield Listed(f"{name} line {number}", cells, source.path, source.start, source.end, source.problem)


_READERS: Final[Mapping[str, Callable[[Path, DescribedSettings, Path], Iterator[Listed]]]] = {
    "kaldi": _kaldi,
    "table": _table,
    "nemo": _nemo,
    "lhotse": _lhotse,
}


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _beside(manifest: Path, name: str, root: Path) -> str:
    """Return ``name``, which starts in the manifest's folder, from the root; an absolute path as it is."""
    return name if Path(name).is_absolute() else _relative(manifest.parent / name, root)
