"""Utterances that are stretches of longer recordings: Kaldi folders, tables with times, NeMo and lhotse manifests.

Beside its own columns an utterance has the cells ``@audio`` (the place of its stretch), ``@file`` (what lists it),
``@stem`` (that file's name without suffix), ``@overlap`` (``yes`` where another speaker's stretch shares some time with
it) and, of NeMo, ``@line_id`` (that name, and the line).
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pipeline.corpora.described.columns import UnusableCellError, fill
from pipeline.corpora.described.file_tree import files_below
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.segment_lists import AUDIO, OVERLAP, READERS, Listed, segment_lists
from pipeline.corpora.described.segment_settings import Segments
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.stretches import Stretch, overlapped, spoken_by, times
from pipeline.corpora.places import part_of
from pipeline.errors import ManifestError
from pipeline.records import Reason

logger = logging.getLogger(__name__)

ANYWHERE: Final = "**/"
"""A template of recordings that begins so finds them by name in whatever folder."""


def segments(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every utterance of the lists that ``settings.segments`` names."""
    chosen = settings.segments
    if chosen is None:  # refused with the settings; here for the type
        raise ManifestError("corpus.segments: strategy segments needs it. Say what lists the utterances.")
    listed = [one for path in segment_lists(settings, root) for one in READERS[chosen.format](path, settings, root)]
    placer = _Placer(chosen, root, settings.columns["speaker_id"].source_column if settings.speaker.available else ())
    placed = [placer.place(one) for one in listed]
    marks = overlapped([stretch for _, stretch in placed])
    if any(marks):
        logger.info("%s: another speaker talks into %d of %d utterances", settings.name, sum(marks), len(marks))
    for (found, _), mark in zip(placed, marks, strict=True):
        yield replace(found, cells={**found.cells, OVERLAP: "yes" if mark else "no"})


@dataclass
class _Placer:
    """Finds the recording of an utterance, and writes the place of its stretch."""

    chosen: Segments
    root: Path
    speakers: tuple[str, ...]
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def place(self, one: Listed) -> tuple[Found, Stretch | None]:
        """Return the utterance with its place, and its stretch where it is one."""
        if one.problem:
            return Found(one.where, one.cells, one.problem, one.reason), None
        try:
            path = one.path if self.chosen.recording is None else self._recording(self.chosen.recording, one.cells)
            if not path or not (one.start or one.end):
                return Found(one.where, {**one.cells, AUDIO: path}), None
            start_s, end_s = times(one.start, one.end)
        except UnusableCellError as error:
            return Found(one.where, one.cells, str(error), Reason.MISSING_AUDIO), None
        except ValueError as error:
            return Found(one.where, one.cells, str(error)), None
        if end_s <= start_s:
            empty = f"it ends at {end_s:g} s, which is not after its start at {start_s:g} s"
            return Found(one.where, one.cells, empty, Reason.EMPTY_AUDIO), None
        stretch = Stretch(path, spoken_by(one.cells, self.speakers), start_s, end_s)
        return Found(one.where, {**one.cells, AUDIO: part_of(path, start_s, end_s)}), stretch

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
