"""How a corpus lies on the disk: one function a layout, which yields every candidate utterance it finds."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipeline.corpora.described.found import Found
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.strategies.hub import hub
from pipeline.corpora.described.strategies.index import index, multi_split
from pipeline.corpora.described.strategies.paired_files import glob, paired_glob
from pipeline.corpora.described.strategies.segments import segments

Strategy = Callable[[DescribedSettings, Path], Iterator[Found]]
"""Settings and the resolved root to candidates, always in the same order.

Raises:
    ManifestError: where, what is wrong, and what to do.
"""

STRATEGIES: Final[Mapping[str, Strategy]] = {
    "hub": hub,
    "index": index,
    "multi_split": multi_split,
    "segments": segments,
    "glob": glob,
    "paired_glob": paired_glob,
}
