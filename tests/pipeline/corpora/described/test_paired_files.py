"""Recordings and texts that lie beside each other: every one of them is an utterance or an exclusion."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.corpora.described import DescribedCorpus
from pipeline.corpora.described.file_tree import files_below
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.described.strategies import STRATEGIES
from pipeline.errors import ManifestError
from pipeline.records import Reason
from tests.corpora_miniatures.clips import write_clip, write_text

PAIRED = {"audio": "wav/{speaker}/{utterance}.wav", "text": "txt/{speaker}/{utterance}.txt"}
LISTED = {"audio": "wav/{utterance}.wav", "text": "*.lst", "line": r"(?P<utterance>\S+)\s+(?P<text>.*)"}


def described(root: Path, files: dict[str, Any], **options: Any) -> DescribedSettings:
    """A description of nothing but its files."""
    fixed = {
        "name": "mine",
        "root": root,
        "strategy": "paired_glob",
        "files": files,
        "columns": {
            "utterance_id": {"source_column": "utterance"},
            "audio": {"source_column": "path"},
            "reference": {"source_column": "text"},
            "accent": {"constant": "north"},
        },
        "speaker": {"available": False},
        "label": {"kind": "accent", "provenance": "self_report"},
        "accents": "as_given",
        "licence": {"id": "none"},
    }
    return DescribedSettings.model_validate(fixed | options)


def found(root: Path, files: dict[str, Any], **options: Any) -> dict[str, Found]:
    settings = described(root, files, **options)
    return {one.where: one for one in STRATEGIES[settings.strategy](settings, root)}


def test_pairs_are_found_by_what_their_names_have_in_common(tmp_path: Path) -> None:
    write_clip(tmp_path / "wav" / "s1" / "a.wav")
    write_clip(tmp_path / "wav" / "s2" / "a.wav")
    write_text(tmp_path / "txt" / "s1" / "a.txt", " null \n")
    write_text(tmp_path / "txt" / "s2" / "b.txt", "never heard")
    all_of_them = found(tmp_path, PAIRED)
    assert set(all_of_them) == {"wav/s1/a.wav", "wav/s2/a.wav", "txt/s2/b.txt"}
    assert all_of_them["wav/s1/a.wav"].cells == {
        "speaker": "s1", "utterance": "a", "path": "wav/s1/a.wav", "text": "null"
    }  # fmt: skip
    assert "txt/s2/a.txt" in all_of_them["wav/s2/a.wav"].problem
    assert "text" not in all_of_them["wav/s2/a.wav"].cells
    assert all_of_them["txt/s2/b.txt"].cells["path"] == "wav/s2/b.wav"


def test_a_recording_with_two_different_texts_has_none_and_with_the_same_twice_has_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "wav" / f"{name}.wav")
    write_text(tmp_path / "one.lst", "a tea\nb coffee\n")
    write_text(tmp_path / "two.lst", "a tea\nb cocoa\n")
    both = found(tmp_path, LISTED)
    assert both["wav/a.wav"].cells["text"] == "tea"
    assert both["wav/a.wav"].problem == ""
    assert "one.lst line 2" in both["wav/b.wav"].problem
    assert "two.lst line 2" in both["wav/b.wav"].problem


def test_a_line_that_is_none_is_named_with_its_place(tmp_path: Path) -> None:
    write_clip(tmp_path / "wav" / "a.wav")
    write_text(tmp_path / "one.lst", "\ufeffa\ttea\u2028with milk\r\n\r\nlonely\r\n")
    both = found(tmp_path, LISTED)
    assert both["wav/a.wav"].cells["text"] == "tea\u2028with milk"
    assert "'lonely'" in both["one.lst line 3"].problem
    loaded = DescribedCorpus(described(tmp_path, LISTED)).load()
    assert [lost.utterance_id for lost in loaded.exclusions] == ["one.lst line 3"]
    assert loaded.rows == 2


def test_a_line_that_names_no_recording_and_names_that_are_no_text_are_exclusions(tmp_path: Path) -> None:
    write_clip(tmp_path / "wav" / "a.wav")
    (tmp_path / "wav" / os.fsdecode(b"\xff.wav")).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xfe.lst")).write_text("a tea\nno recording\n")
    files = LISTED | {"line": r"((?P<utterance>a) )?(?P<text>.*)"}
    lost = DescribedCorpus(described(tmp_path, files)).load().exclusions
    assert {(one.utterance_id, one.reason) for one in lost} == {
        ("?", Reason.EMPTY_REFERENCE),
        ("?.lst line 2", Reason.MISSING_VALUE),
    }


def test_texts_that_cannot_be_read_are_said_and_lose_their_recording(tmp_path: Path) -> None:
    write_clip(tmp_path / "wav" / "s1" / "a.wav")
    write_text(tmp_path / "txt" / "s1" / "a.txt", "café", encoding="latin-1")
    assert "utf-8" in found(tmp_path, PAIRED)["wav/s1/a.wav"].problem
    assert found(tmp_path, PAIRED, encoding="latin-1")["wav/s1/a.wav"].cells["text"] == "café"
    write_text(tmp_path / "txt" / "s1" / "a.txt", "\n")
    loaded = DescribedCorpus(described(tmp_path, PAIRED)).load()
    assert [(lost.utterance_id, lost.reason) for lost in loaded.exclusions] == [("a", Reason.EMPTY_REFERENCE)]


def test_one_text_without_a_name_is_that_of_every_recording(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "wav" / f"{name}.wav")
    write_text(tmp_path / "passage.txt", "the same for all")
    both = found(tmp_path, {"audio": "wav/{utterance}.wav", "text": "passage.txt"})
    assert {where: one.cells["text"] for where, one in both.items()} == {
        "wav/a.wav": "the same for all", "wav/b.wav": "the same for all"
    }  # fmt: skip


def test_files_of_other_values_are_not_of_the_corpus_and_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for name in ("a_m1", "a_m2", "b_m2"):
        write_clip(tmp_path / "wav" / f"{name}.wav")
    write_clip(tmp_path / "wav" / "c.wav")
    files = {"audio": "wav/{utterance}_{microphone:m[12]}.wav", "text": "{utterance}.txt", "only": {"microphone": "m1"}}
    write_text(tmp_path / "a.txt", "tea")
    write_text(tmp_path / "b.txt", "milk")
    both = found(tmp_path, files)
    assert set(both) == {"wav/a_m1.wav", "b.txt"}
    assert both["b.txt"].cells["path"] == "wav/b_m1.wav"
    assert "not of microphone m1: 2" in caplog.text
    assert "}.wav': 1: wav/c.wav" in caplog.text


def test_a_value_that_no_recording_has_is_said_at_once(tmp_path: Path) -> None:
    write_clip(tmp_path / "wav" / "a_m1.wav")
    files = {"audio": "wav/{utterance}_{microphone:m[12]}.wav", "text": "{utterance}.txt", "only": {"microphone": "m3"}}
    with pytest.raises(ManifestError, match=r"none is of microphone m3; there is wav/a_m1\.wav"):
        found(tmp_path, files)


def test_glob_finds_recordings_alone(tmp_path: Path) -> None:
    write_clip(tmp_path / "north" / "a.wav")
    alone = found(
        tmp_path,
        {"audio": "{region}/{utterance}.wav"},
        strategy="glob",
        columns={
            "utterance_id": {"source_column": "utterance"},
            "audio": {"source_column": "path"},
            "reference": {"constant": "tea"},
            "accent": {"source_column": "region"},
        },
    )
    assert alone["north/a.wav"].cells == {"region": "north", "utterance": "a", "path": "north/a.wav"}


def test_a_root_one_folder_too_high_is_told_where_the_corpus_lies(tmp_path: Path) -> None:
    write_clip(tmp_path / "VCTK" / "wav" / "s1" / "a.wav")
    with pytest.raises(ManifestError, match=r"corpus\.root=.*VCTK"):
        found(tmp_path, PAIRED)
    assert DescribedCorpus(described(tmp_path, PAIRED)).inputs() == (tmp_path,)  # so that loading is what says it


def test_a_root_without_such_files_says_what_it_holds(tmp_path: Path) -> None:
    write_text(tmp_path / "notes.md", "x")
    with pytest.raises(ManifestError, match=r"fits 'wav/\{speaker\}/\{utterance\}\.wav'.*notes\.md"):
        found(tmp_path, PAIRED)


def test_links_are_followed_once_and_never_out_of_the_root(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    write_clip(elsewhere / "s1" / "a.wav")
    write_text(root / "txt" / "s1" / "a.txt", "tea")
    (root / "wav").symlink_to(elsewhere)
    (root / "txt" / "again").symlink_to(root)
    assert list(files_below(root)) == ["txt/s1/a.txt", "wav/s1/a.wav"]
    lost = DescribedCorpus(described(root, PAIRED)).load().exclusions
    assert [(one.utterance_id, one.reason) for one in lost] == [("a", Reason.MISSING_AUDIO)]
    assert "allow_outside_root" in lost[0].detail
    assert len(DescribedCorpus(described(root, PAIRED, allow_outside_root=True)).load().utterances) == 1


def test_a_text_behind_a_link_out_of_the_root_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_clip(root / "wav" / "s1" / "a.wav")
    write_text(tmp_path / "elsewhere" / "secret", "words of somebody else")
    (root / "txt" / "s1").mkdir(parents=True)
    (root / "txt" / "s1" / "a.txt").symlink_to(tmp_path / "elsewhere" / "secret")
    lost = DescribedCorpus(described(root, PAIRED)).load().exclusions
    assert [one.utterance_id for one in lost] == ["a"]
    assert "outside corpus.root" in lost[0].detail
    heard = DescribedCorpus(described(root, PAIRED, allow_outside_root=True)).load().utterances
    assert list(heard["reference"]) == ["words of somebody else"]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"audio": "../{a}.wav", "text": "{a}.txt"}, "not a path below"),
        ({"audio": "{a}.wav", "text": "x/../../{a}.txt"}, "not a path below"),
        ({"audio": "{b}/{a}.wav", "text": "{a}.txt", "only": {"b": ".."}}, "the name of one folder"),
        ({"audio": "{b}/{a}.wav", "text": "{a}.txt", "only": {"b": "../x"}}, "the name of one folder"),
        ({"audio": "{a}.wav"}, "paired_glob needs"),
        ({"audio": "{a}.wav", "text": "{b}.txt"}, "no name in common"),
        ({"audio": "{a}.wav", "text": "{a}.txt", "line": "(.*)"}, "group called text"),
        ({"audio": "{a}.wav", "text": "{a}.txt", "line": "(?P<a>.) (?P<text>.*)"}, "the same thing"),
        ({"audio": "{a}.wav", "text": "{a}.txt", "line": "("}, "not a regular expression"),
        ({"audio": "{path}.wav", "text": "{path}.txt"}, "may be path or text"),
        ({"audio": "{a}.wav", "text": "{a}.txt", "only": {"b": "1"}}, "'b' is none of a"),
        ({"audio": "{a.wav", "text": "{a}.txt"}, "a brace stands alone"),
    ],
)
def test_patterns_that_do_not_fit_together_are_refused(tmp_path: Path, files: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        described(tmp_path, files)


PARTS = st.sampled_from(["s1", "s2", "Ünï", "a b", "{x}", "*"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    audio=st.sets(st.tuples(PARTS, PARTS), max_size=4),
    texts=st.dictionaries(st.tuples(PARTS, PARTS), st.binary(max_size=12), max_size=4),
)
def test_whatever_lies_there_every_recording_and_every_text_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, audio: set[tuple[str, str]], texts: dict[tuple[str, str], bytes]
) -> None:
    root = tmp_path_factory.mktemp("any")
    for speaker, name in audio:
        (root / "wav" / speaker).mkdir(parents=True, exist_ok=True)
        (root / "wav" / speaker / f"{name}.wav").write_bytes(b"not audio")
    for (speaker, name), content in texts.items():
        (root / "txt" / speaker).mkdir(parents=True, exist_ok=True)
        (root / "txt" / speaker / f"{name}.txt").write_bytes(content)
    if not audio | set(texts):
        with pytest.raises(ManifestError):
            found(root, PAIRED)
        return
    every = list(found(root, PAIRED).values())
    assert {(one.cells["speaker"], one.cells["utterance"]) for one in every} == audio | set(texts)
    assert len(every) == len(audio | set(texts))
    assert DescribedCorpus(described(root, PAIRED)).load().rows == len(every)
