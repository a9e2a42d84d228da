"""The files, beside the recordings, that decide what the utterances of a described corpus are."""

from pathlib import Path

from pipeline.corpora.described import kaldi
from pipeline.corpora.described.files import below
from pipeline.corpora.described.joins import table_files
from pipeline.corpora.described.segment_lists import recording_lists, segment_lists
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.strategies.hub import shards
from pipeline.corpora.described.strategies.index import index_files
from pipeline.corpora.described.strategies.paired_files import text_lists


def lists(settings: DescribedSettings, root: Path) -> list[Path]:
    """Return what lists the utterances, what is joined to it, and what holds a text for all.

    Raises:
        ManifestError: if the corpus does not lie as described.
    """
    found = [*index_files(settings, root), *text_lists(settings, root)]
    if settings.strategy == "hub":
        found = [shard.path for shard in shards(settings, root)]
    for path in segment_lists(settings, root):
        found += kaldi.files(path) if path.is_dir() else [path]
    found += recording_lists(settings, root)
    for name, table in settings.tables.items():
        found += table_files(table, settings, root, f"corpus.tables.{name}")
    allowed = settings.allow_outside_root
    texts = (column.text_file for column in settings.columns.values() if column.text_file)
    found += [below(root, name, "corpus.columns", allow_outside_root=allowed) for name in texts]
    return list(dict.fromkeys(found))
