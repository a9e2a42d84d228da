"""A corpus that is read as its description says; every row is judged as that of a manifest is.

Rows of accents that ``corpus.accents`` does not name are not part of the corpus as chosen; how many there are is said.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from pipeline.artifacts import CorpusRecord
from pipeline.corpora import base
from pipeline.corpora.corpora_of_rows import AudioBelowRoot, loaded
from pipeline.corpora.described.columns import Picker
from pipeline.corpora.described.joins import joined
from pipeline.corpora.described.judged import left_out, with_reference
from pipeline.corpora.described.lists import lists
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.strategies import STRATEGIES
from pipeline.corpora.described.strategies.hub import folder as hub_folder
from pipeline.corpora.manifest_files import Row
from pipeline.corpora.manifest_rows import RowReader
from pipeline.errors import ManifestError

logger = logging.getLogger(__name__)


class DescribedCorpus(AudioBelowRoot):
    """A corpus read by its description."""

    Settings: ClassVar[type[BaseModel]] = DescribedSettings
    has_audio: ClassVar[bool] = True

    def __init__(self, settings: DescribedSettings) -> None:
        """Keep the settings; nothing is read before ``load``."""
        self.settings = settings

    @property
    def name(self) -> str:
        """The ``name`` setting."""
        return self.settings.name

    def load(self) -> base.Loaded:
        """Read every row and decode every recording once.

        Raises:
            ManifestError: if the corpus does not lie as described, or rows are bad and ``on_bad_row`` is stop.
        """
        root = self._root()
        rows, reader = self._chosen(root)
        where, bad = f"corpus '{self.name}'", self.settings.on_bad_row
        return loaded(rows, reader.read, corpus=self.name, where=where, on_bad_row=bad)

    def listing(self) -> base.Listed:
        """Return what the corpus's tables and texts say, without opening any audio.

        Raises:
            ManifestError: if the corpus does not lie as described.
        """
        rows, reader = self._chosen(self._root(), find_audio=False)
        return base.listed(map(reader.listed, rows), where=f"corpus '{self.name}'")

    def _chosen(self, root: Path, *, find_audio: bool = True) -> tuple[list[Row], RowReader]:
        """Return the rows that are not known to be of an accent that was not asked for, and what judges them."""
        settings = self.settings
        found = left_out(joined(STRATEGIES[settings.strategy](settings, root), settings, root), settings)
        picker = Picker(settings, root, find_audio)
        rows = [with_reference(picker.pick(number, one), settings) for number, one in enumerate(found, start=1)]
        if not rows:
            raise ManifestError(f"corpus.root: the description of '{self.name}' finds no utterance below {root}.")
        reader, chosen = self._reader(rows, root), settings.chosen
        if chosen is None:
            return rows, reader
        kept = [row for row in rows if (accent := reader.accent_of(row)) is None or accent in chosen]
        logger.info(
            "%s: %d of %d rows are of accents that corpus.accents does not name; they are not part of this study",
            self.name, len(rows) - len(kept), len(rows),
        )  # fmt: skip
        return kept, reader

    def _reader(self, rows: Sequence[Row], root: Path) -> RowReader:
        settings = self.settings
        return RowReader(
            corpus=self.name,
            root=root,
            allow_outside_root=settings.allow_outside_root,
            attributes=tuple(settings.attributes),
            accents=settings.lookup,
            repeats=Counter(row.cells.get("utterance_id", "") for row in rows),
            synthetic=settings.synthetic,
            label_provenance=settings.label.provenance,
            split=re.compile(settings.split_labels) if settings.split_labels else None,
        )

    def _root(self) -> Path:
        if self.settings.strategy == "hub":
            return hub_folder(self.settings)
        root = self.settings.root.expanduser()
        try:
            if root.is_dir():
                return root.resolve()
        except (OSError, ValueError) as error:
            raise ManifestError(f"corpus.root: {root} is not a usable path: {error}.") from error
        raise ManifestError(
            f"corpus.root: {root} is not a folder (from {Path.cwd()}). Name the folder that holds '{self.name}'."
        )

    def record(self) -> CorpusRecord:
        """Return what the description declares."""
        return self.settings.record()

    def inputs(self) -> tuple[Path, ...]:
        """Return the tables that list and describe the utterances, and the accent vocabulary where it is looked up."""
        settings = self.settings
        try:
            files = lists(settings, self._root())
        except ManifestError:  # ``load`` says so
            if settings.strategy == "hub":
                raise  # what its root names is not always a file
            files = [settings.root.expanduser()]
        return (*files, *settings.looked_up_in)
