"""Data sets as the ``datasets`` library keeps them: a saved folder, Parquet files, or a data set of the Hub.

No recording is decoded, and none is read to list the utterances. Beside its own columns an utterance has the cells
``@audio`` (the place of its recording), ``@file``, ``@row``, ``@split`` and ``@row_id`` (file without suffix, and row).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.corpora.described.columnar import paths_only, read_columnar
from pipeline.corpora.described.columns import needed
from pipeline.corpora.described.files import FILE, ROW, matches, name_from, require
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.hub_download import fetched
from pipeline.corpora.described.hub_folders import saved_splits
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.places import in_parquet
from pipeline.errors import ManifestError, did_you_mean

WHERE: Final = "corpus.root"
AUDIO: Final = "@audio"
SPLIT: Final = "@split"
ROW_ID: Final = "@row_id"

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_SPLIT_IN_NAME: Final = (
    re.compile(r"(?:^|/)(?P<split>[^/]+?)-\d+-of-\d+\.parquet$"),
    re.compile(r"(?:^|/)(?P<split>[^/]+)/\d+\.parquet$"),
    re.compile(r"(?:^|/)(?P<split>[^/]+)\.parquet$"),
)
"""How the Hub names the files of a split: ``test-00000-of-00003.parquet``, ``test/0000.parquet``, ``test.parquet``."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of a split."""

    path: Path
    split: str


def hub(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every row of the chosen splits."""
    for shard in shards(settings, root):
        yield from _rows(shard, settings, root)


def folder(settings: DescribedSettings) -> Path:
    """Return the folder that holds the data set's files; one of the Hub is fetched into the cache first.

    Raises:
        StudyError: if it is neither on this machine nor can be fetched.
    """
    root = settings.root.expanduser()
    if root.is_dir():
        return root.resolve()
    if root.is_file():
        return root.resolve().parent
    name = settings.root.as_posix()
    if not _HUB_ID.fullmatch(name):
        raise ManifestError(
            f"corpus.id: {root} is no folder or file (from {Path.cwd()}), and no name of the Hub (owner/name) either. "
            "Name a folder of load_from_disk, Parquet files, or a data set of the Hub."
        )
    return fetched(name, settings.config, settings.revision, settings.splits, settings.streaming)


def shards(settings: DescribedSettings, root: Path) -> list[Shard]:
    """Return the files of the chosen splits.

    Raises:
        ManifestError: if there are none.
    """
    found = [Shard(path, split) for split, path in saved_splits(root)] or _parquet(settings, root)
    if not found:
        raise ManifestError(
            f"{WHERE}: {root} holds neither a saved data set (dataset_info.json, state.json) nor Parquet files"
            f"{_script(root)}. Name the folder that does."
        )
    known = sorted({shard.split for shard in found})
    unknown = sorted(set(settings.splits) - set(known))
    if unknown:
        raise ManifestError(f"corpus.splits: {root} has no split '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    return [shard for shard in found if not settings.splits or shard.split in settings.splits]


def _parquet(settings: DescribedSettings, root: Path) -> list[Shard]:
    given = settings.root.expanduser()
    if given.is_file():
        paths = [given.resolve()]
    else:
        pattern = settings.index_file or "**/*.parquet"
        paths = matches(root, pattern, "corpus.index_file", allow_outside_root=settings.allow_outside_root)
    return [Shard(path, _split_of(name_from(root, path))) for path in paths]


def _split_of(name: str) -> str:
    matches = (pattern.search(name) for pattern in _SPLIT_IN_NAME)
    return next((match["split"] for match in matches if match is not None), "")


def _script(root: Path) -> str:
    scripts = sorted(path.name for path in root.glob("*.py"))
    told = "; its script {} is not run: a description is data, and so is a corpus"
    return told.format(scripts[0]) if scripts else ""


def _rows(shard: Shard, settings: DescribedSettings, root: Path) -> Iterator[Found]:
    name = name_from(root, shard.path)
    try:
        columns, rows = read_columnar(shard.path)
        outside = paths_only(shard.path, settings.audio_column)
    except FileNotFoundError:
        raise ManifestError(f"{WHERE}: there is no file {shard.path}. Fetch the data set again.") from None
    except (ValueError, OSError) as error:
        raise ManifestError(f"{WHERE}: {shard.path} cannot be read: {error}. Fetch the file again.") from error
    require(shard.path, [*columns, FILE, ROW, AUDIO, SPLIT, ROW_ID], needed(settings), WHERE)
    path_column = settings.audio_column if settings.audio_column in columns else f"{settings.audio_column}.path"
    for number, row in enumerate(rows):
        further = {FILE: name, ROW: str(number), SPLIT: shard.split, ROW_ID: f"{name.rpartition('.')[0]}:{number}"}
        elsewhere = settings.audio_column in columns or number in outside
        audio = row.cells.get(path_column, "") if elsewhere else in_parquet(name, settings.audio_column, number)
        yield Found(f"{name} row {number}", {**further, AUDIO: audio, **row.cells}, row.problem)
