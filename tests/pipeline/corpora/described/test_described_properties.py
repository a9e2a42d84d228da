"""Whatever bytes an index holds, they give utterances, exclusions, or one sentence; nothing is lost."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.accents import vocabulary
from pipeline.corpora.described import DescribedCorpus
from pipeline.corpora.described.column_settings import TableFormat
from pipeline.corpora.described.files import read_table
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.manifest_files import Row
from pipeline.corpora.manifest_rows import RowReader
from pipeline.errors import ManifestError, StudyError
from tests.corpora_miniatures.clips import write_clip

WRITTEN: list[dict[str, Any]] = [
    {"index_file": "x.tsv", "quoting": "none"},
    {"index_file": "x.csv"},
    {"index_file": "x.txt", "separator": "whitespace", "strict": False},
    {"index_file": "x.txt", "separator": "|", "has_header": False, "column_names": ["id", "text", "label"]},
    {"index_file": "x.jsonl"},
    {"index_file": "x.tsv", "encoding": "utf-16"},
    {"index_file": "x.parquet"},
]
FRAGMENTS = st.sampled_from(
    [
        *("id", "text", "label", "a", "North", "null", "../a", "[1]", "{", "}", ":", "#", "\U0001f600"),
        *("\t", ",", "|", " ", "\n", "\r\n", '"', "\x00", "\u2028"),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map("".join)
HEADED = st.tuples(st.sampled_from(["id\ttext\tlabel\n", "id,text,label\n", "id text label\n"]), TEXTS).map("".join)
VALUES = st.text(max_size=5) | st.integers() | st.none() | st.lists(st.integers(), max_size=1)
JSON = st.lists(st.dictionaries(st.sampled_from(["id", "text", "label"]), VALUES), max_size=4).map(
    lambda rows: "\n".join(map(json.dumps, rows))
)


@pytest.fixture(scope="module")
def folder() -> Any:
    """A root with one clip, which holds nothing else that an index could lead to."""
    with tempfile.TemporaryDirectory() as name:
        write_clip(Path(name) / "a.wav", seconds=0.3)
        yield Path(name)


def described(folder: Path, written: dict[str, Any]) -> DescribedCorpus:
    source = {name: {"source_column": name} for name in ("id", "text", "label")}
    return DescribedCorpus(
        DescribedSettings.model_validate(
            {
                "name": "any", "root": str(folder), "strategy": "index", "accents": "as_given", "split_labels": ",",
                "columns": {
                    "utterance_id": source["id"], "reference": source["text"], "accent": source["label"],
                    "audio": {"source_column": "id", "file_extension": ".wav"},
                },
                "speaker": {"available": False}, "label": {"kind": "accent", "provenance": "self_report"},
                "licence": {"id": "none"}, **written,
            }
        )
    )  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: "-".join(map(str, written.values())))
@given(content=st.binary(max_size=60) | (TEXTS | HEADED | JSON).map(lambda text: text.encode("utf-8", "replace")))
@settings(max_examples=25, deadline=None)
def test_any_bytes_as_an_index_give_a_table_exclusions_or_one_sentence(
    folder: Path, written: dict[str, Any], content: bytes
) -> None:
    (folder / written["index_file"]).write_bytes(content)
    corpus = described(folder, written)
    try:
        loaded = corpus.load()
    except StudyError:
        return
    assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions) > 0
    assert set(loaded.utterances["utterance_id"]) <= {"a"}
    listed = corpus.listing()
    assert len(listed.table) + listed.n_unusable == loaded.rows
    assert set(loaded.utterances["utterance_id"]) <= set(listed.table["utterance_id"])


def test_a_parquet_file_that_is_cut_short_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "n": [1, None]}), path)
    whole = path.read_bytes()
    assert [dict(row.cells) for row in read_table(path, TableFormat(), "here")[1]] == [
        {"id": "a", "n": "1"},
        {"id": "b"},
    ]
    for length in (0, 3, 8, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ManifestError, match=r"here: x\.parquet is not readable as parquet"):
            read_table(path, TableFormat(), "here")


COMMON_VOICE = vocabulary().labels["common_voice"]
STATED = yaml.safe_load((Path(__file__).resolve().parents[4] / "conf/corpus/common_voice.yaml").read_text())
READER = RowReader(
    corpus="x", root=Path(), allow_outside_root=False, attributes=(), repeats={}, synthetic=False,
    label_provenance="", accents=vocabulary().lookup("common_voice"), split=re.compile(STATED["split_labels"]),
)  # fmt: skip


@given(labels=st.lists(st.sampled_from(sorted(COMMON_VOICE)), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_labels_of_common_voice_that_stand_in_one_cell_are_told_apart_again(labels: list[str]) -> None:
    meant = {COMMON_VOICE[label] for label in labels}
    found = READER.accent_of(Row(1, {"accent": ",".join(labels)}))
    assert found == (meant.pop() if len(meant) == 1 else None)
