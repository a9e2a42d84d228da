"""Descriptions and corpora are mailed around: what a pattern finds stays below the root, and is one sentence if not."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.corpora.described import DescribedCorpus
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import ManifestError
from tests.corpora_miniatures.clips import write_clip, write_text
from tests.corpora_miniatures.loading import corpus_of

LIST = "id,text,label\na,elsewhere,irish\n"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """A root with links to a list, and to the folder of a list, in another folder; and that other folder."""
    root, other = tmp_path / "root", tmp_path / "other"
    write_text(other / "list.csv", LIST)
    root.mkdir()
    (root / "linked.csv").symlink_to(other / "list.csv")
    (root / "folder").symlink_to(other)
    return root, other


def described(root: Path, **changed: Any) -> DescribedCorpus:
    source = {name: {"source_column": name} for name in ("id", "text", "label")}
    columns = {
        "utterance_id": source["id"], "reference": source["text"], "accent": source["label"], "audio": source["id"]
    }  # fmt: skip
    stated = {
        "name": "mine", "root": str(root), "strategy": "index", "index_file": "list.csv", "columns": columns,
        "speaker": {"available": False}, "label": {"kind": "accent", "provenance": "self_report"},
        "licence": {"id": "none"}, "accents": "as_given",
    }  # fmt: skip
    return DescribedCorpus(DescribedSettings.model_validate(stated | changed))


@pytest.mark.parametrize("pattern", ["*.csv", "*/list.csv", "**/*.csv", "folder/*.csv"])
def test_an_index_behind_a_link_is_read_only_with_leave(roots: tuple[Path, Path], pattern: str) -> None:
    root, _ = roots
    with pytest.raises(ManifestError, match=r"lies outside corpus\.root"):
        described(root, index_file=pattern).listing()
    allowed = described(root, index_file=pattern, allow_outside_root=True).listing()
    assert set(allowed.table["reference"]) <= {"elsewhere"}


def test_a_joined_table_behind_a_link_is_not_read(roots: tuple[Path, Path]) -> None:
    root, _ = roots
    write_text(root / "list.csv", LIST)
    joined = {"more": {"file": "link*.csv", "key": "id", "on": "id"}}
    with pytest.raises(ManifestError, match=r"corpus\.tables\.more: 'linked\.csv' lies outside corpus\.root"):
        described(root, tables=joined).listing()


def test_with_leave_a_pattern_may_begin_at_the_top(roots: tuple[Path, Path]) -> None:
    root, other = roots
    corpus = described(root, index_file=f"{other.as_posix()}/*.csv", allow_outside_root=True)
    assert corpus.listing().table["reference"].tolist() == ["elsewhere"]


@pytest.mark.parametrize(
    "changed", [{"index_file": "**x.csv"}, {"tables": {"t": {"file": "**x", "key": "a", "on": "id"}}}]
)
def test_what_is_no_pattern_is_one_sentence(roots: tuple[Path, Path], changed: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="is not a pattern of paths"):
        described(roots[1], **changed).listing()


@pytest.mark.parametrize("archives", ["/etc/*.tar", "../*.tar", "**x*.tar"])
def test_archives_elsewhere_are_not_looked_into(roots: tuple[Path, Path], archives: str) -> None:
    columns = described(roots[1]).settings.model_dump()["columns"]
    columns["audio"] |= {"path_match_strategy": "archive", "archives": archives}
    (lost,) = described(roots[1], columns=columns).load().exclusions
    assert "audio: corpus.columns.audio.archives: " in lost.detail


def test_a_text_elsewhere_is_not_even_hashed(roots: tuple[Path, Path]) -> None:
    root, other = roots
    write_text(root / "list.csv", LIST)
    columns = described(root).settings.model_dump()["columns"] | {"reference": {"text_file": "../other/list.csv"}}
    assert not [path for path in described(root, columns=columns).inputs() if path.resolve().is_relative_to(other)]


def test_files_of_a_kaldi_folder_behind_links_are_not_read(tmp_path: Path) -> None:
    write_text(tmp_path / "elsewhere", "u1 a secret\n")
    write_text(tmp_path / "root" / "utt2spk", "u1 s1\n")
    (tmp_path / "root" / "text").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match="'text' lies outside"):
        corpus_of("kaldi", tmp_path / "root").listing()


def test_of_a_kaldi_folder_only_what_decides_utterances_is_hashed(tmp_path: Path) -> None:
    for name in ("text", "wav.scp", "utt2spk", "spk2accent", "notes.txt", "u1.wav"):
        write_text(tmp_path / name, "u1 x\n")
    hashed = {path.name for path in corpus_of("kaldi", tmp_path).inputs()}
    assert hashed == {"text", "wav.scp", "utt2spk", "spk2accent", "accents.yaml"}


def test_an_utterance_that_kaldi_has_no_text_for_is_an_exclusion(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "u1 one\n")
    write_text(tmp_path / "utt2spk", "u1 s1\nu2 s2\n")
    write_text(tmp_path / "wav.scp", "u1 u1.wav\nu2 u2.wav\nu3 u3.wav\n")
    write_text(tmp_path / "spk2accent", "s1 irish\ns2 irish\n")
    loaded = corpus_of("kaldi", tmp_path).load()
    told = {one.utterance_id: one.reason.value for one in loaded.exclusions}
    assert told == {"u1": "missing_audio", "u2": "empty_reference", "u3": "missing_value"}


def test_recordings_beside_a_nemo_manifest_elsewhere_are_read_from_there(tmp_path: Path) -> None:
    write_text(
        tmp_path / "other" / "t.json", '{"audio_filepath": "a.wav", "text": "x", "speaker": "s", "accent": "irish"}\n'
    )
    (tmp_path / "root").mkdir()
    files = f"corpus.segments.files=[{(tmp_path / 'other' / 't.json').as_posix()}]"
    write_clip(tmp_path / "other" / "a.wav", seconds=0.3)
    loaded = corpus_of("nemo", tmp_path / "root", files, "corpus.allow_outside_root=true").load()
    assert loaded.utterances["utterance_id"].tolist() == ["t:1"]


def test_a_parquet_file_with_two_columns_of_one_name_is_one_sentence(tmp_path: Path) -> None:
    table = pa.table({"text.b": ["1"], "text": [{"b": "2"}], "audio": [{"bytes": b"x", "path": "y"}]})
    parquet.write_table(table, tmp_path / "test.parquet")
    with pytest.raises(ManifestError, match="2 times in schema"):
        corpus_of("hub", tmp_path).listing()
