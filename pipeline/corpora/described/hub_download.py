"""A data set of the Hub, fetched once into the user's cache as Parquet with its recordings inside.

``datasets`` fetches, whole or row by row; no recording is decoded. The folder is named after the commit, so that a
run that states its revision finds the same rows again, also without a network.
"""

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from pipeline.artifacts import sha256_of, user_cache
from pipeline.errors import ManifestError, MissingPrerequisite, StudyError

logger = logging.getLogger(__name__)

SOURCE: Final = "source.json"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NETWORK: Final = frozenset({"aiohttp", "httpcore", "httpx", "requests", "urllib3"})
_ROWS_AT_ONCE: Final = 100
"""One row group of the Parquet files: what is read to reach one recording."""


@cache
def fetched(name: str, config: str | None, revision: str | None, splits: tuple[str, ...], streaming: bool) -> Path:
    """Return the folder with the data set's Parquet files, ``<split>-00000-of-00001.parquet``.

    Raises:
        MissingPrerequisite: if ``datasets`` is not installed, or the Hub cannot be reached.
        ManifestError: if the Hub has no such data set, or ``datasets`` cannot read it.
    """
    commit = revision if revision is not None and _COMMIT.fullmatch(revision) else _latest(name, revision)
    # whether it was streamed changes nothing in the rows
    asked = {"id": name, "config": config, "revision": commit, "splits": list(splits)}
    folder = user_cache() / "hub" / sha256_of(asked)[:24]
    if (folder / SOURCE).is_file():
        return folder
    logger.info("fetching %s at %s; set corpus.revision=%s to get the same again", name, commit, commit)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _told(name), tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        for split, tables in _splits(name, config, commit, splits, streaming=streaming):
            _write(tables, Path(scratch) / f"{split}-00000-of-00001.parquet")
        (Path(scratch) / SOURCE).write_text(json.dumps(asked, sort_keys=True, indent=1), encoding="utf-8")
        shutil.copytree(scratch, folder, dirs_exist_ok=True, copy_function=shutil.move)
    return folder


def _latest(name: str, revision: str | None) -> str:
    """Return the commit that a branch or tag stands for now."""
    _library()
    from huggingface_hub import HfApi

    with _told(name):
        return str(HfApi().dataset_info(name, revision=revision).sha)


def _splits(
    name: str, config: str | None, commit: str, splits: Sequence[str], *, streaming: bool
) -> Iterator[tuple[str, Iterator[Any]]]:
    """Yield name and Arrow tables of every split."""
    datasets = _library()
    options = {"path": name, "name": config, "revision": commit, "streaming": streaming}
    loaded = (
        {split: datasets.load_dataset(**options, split=split) for split in splits}
        if splits
        else dict(datasets.load_dataset(**options))
    )
    for split, data in loaded.items():
        yield split, _tables(data)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn what the Hub, the network and ``datasets`` may raise into a sentence."""
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        # what fetches has errors of its own for every way of not getting through, and they share no base
        network = type(error).__module__.partition(".")[0].rstrip("0123456789") in _NETWORK
        if network or isinstance(error, ConnectionError | TimeoutError):
            raise _unreachable(name, error) from error
        if isinstance(error, OSError | RuntimeError | ValueError | ImportError):
            raise _refused(name, error) from error
        raise


def _tables(data: Any) -> Iterator[Any]:
    """Yield the rows of a split as they come, with recordings that are only named put inside."""
    datasets = _library()
    from datasets.table import embed_table_storage

    for column, feature in (data.features or {}).items():
        if isinstance(feature, datasets.Audio):
            data = data.cast_column(column, datasets.Audio(decode=False))
    yield from map(embed_table_storage, data.with_format("arrow").iter(batch_size=_ROWS_AT_ONCE))


def _write(tables: Iterator[Any], path: Path) -> None:
    import pyarrow.parquet as pq

    writer = None
    try:
        for table in tables:
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _library() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise MissingPrerequisite(
            "A data set of the Hub needs datasets, which is not installed. Install the hub extra "
            '(pip install -e ".[hub]"), or download its Parquet files and set corpus.root to their folder.'
        ) from error
    return datasets


def _unreachable(name: str, error: Exception) -> MissingPrerequisite:
    return MissingPrerequisite(
        f"corpus.id: the Hub cannot be reached for '{name}': {_first_line(error)}. Go online, or copy the data set's "
        "Parquet files (or a folder of save_to_disk) to this machine and set corpus.root to their folder."
    )


def _refused(name: str, error: Exception) -> ManifestError:
    if "script" in str(error).lower():
        return ManifestError(
            f"corpus.id: '{name}' is a data set with a loading script, which is not run. Download its files (or the "
            "Parquet files that the Hub made of them) and set corpus.root to their folder."
        )
    return ManifestError(
        f"corpus.id: '{name}' cannot be read from the Hub: {_first_line(error)}. Check corpus.id, corpus.config, "
        "corpus.splits and corpus.revision, and whether its terms have to be accepted first."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
