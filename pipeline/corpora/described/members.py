"""Recordings by the end of their path, packed or unpacked: which of many archives holds one, no table says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.corpora.described.file_tree import files_below
from pipeline.corpora.described.files import matches, name_from
from pipeline.corpora.places import in_archive
from pipeline.corpora.stored.archives import members

WHERE = "corpus.columns.audio.archives"


@dataclass(frozen=True)
class Members:
    """What the archives below a root hold, and what lies there unpacked; each archive is gone through once."""

    root: Path
    allow_outside_root: bool
    _by_end: dict[tuple[str, int], dict[str, list[str]]] = field(default_factory=dict)
    _cells: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def ending(self, end: str, archives: str) -> list[str]:
        """Return the ``audio`` cells of all recordings whose path ends in ``end``: files, and members of ``archives``.

        ``archives`` is a pattern with ``*``. What is both packed and unpacked is taken as it lies unpacked.

        Raises:
            ManifestError: if ``archives`` is no pattern, or leaves the root.
        """
        depth = end.count("/") + 1
        for where in ("", archives):
            if (where, depth) not in self._by_end:
                index: dict[str, list[str]] = {}
                for cell, path in self._held(where):
                    index.setdefault("/".join(path.split("/")[-depth:]), []).append(cell)
                self._by_end[(where, depth)] = index
            found = self._by_end[(where, depth)].get(end, [])
            if found:
                return sorted(found)
        return []

    def _held(self, archives: str) -> list[tuple[str, str]]:
        if archives not in self._cells:
            self._cells[archives] = list(self._packed(archives) if archives else self._loose())
        return self._cells[archives]

    def _loose(self) -> Iterator[tuple[str, str]]:
        for path in files_below(self.root):
            yield path, path

    def _packed(self, archives: str) -> Iterator[tuple[str, str]]:
        for path in matches(self.root, archives, WHERE, allow_outside_root=self.allow_outside_root):
            name = name_from(self.root, path)
            for member in sorted(members(path)):
                yield in_archive(name, member), member
