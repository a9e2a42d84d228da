"""A corpus by description: what a description may say, and what becomes of every row that it leads to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config import build
from pipeline.corpora.base import Loaded
from pipeline.corpora.described import DescribedCorpus
from pipeline.corpora.described.file_tree import files_below
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import ConfigError, ManifestError
from tests.corpora_miniatures.clips import write_clip, write_text

MINIMAL: dict[str, Any] = {
    "name": "mine",
    "strategy": "index",
    "index_file": "list.csv",
    "columns": {
        "utterance_id": {"source_column": "id"},
        "audio": {"source_column": "id", "path_template": "wav/{value}.wav"},
        "reference": {"source_column": "text"},
        "accent": {"source_column": "label"},
        "speaker_id": {"source_column": "who"},
    },
    "speaker": {"available": True},
    "label": {"kind": "accent", "provenance": "self_report"},
    "licence": {"id": "none"},
    "accents": "as_given",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A corpus of three utterances of two speakers, and a table of the speakers."""
    write_text(
        tmp_path / "list.csv", 'id,text,label,who\na,"one, two",North,s1\nb,"three\nfour",South,s2\nc,5,North,s1\n'
    )
    write_text(tmp_path / "speakers.txt", "ID  SEX AREA\ns1 F  the  far north\ns2 M\n")
    for name in "abc":
        write_clip(tmp_path / "wav" / f"{name}.wav", seconds=0.3)
    return tmp_path


def corpus(folder: Path, **changed: Any) -> DescribedCorpus:
    return DescribedCorpus(DescribedSettings.model_validate({**MINIMAL, "root": str(folder), **changed}))


def columns(**changed: dict[str, Any] | None) -> dict[str, Any]:
    merged = {**MINIMAL["columns"], **changed}
    return {name: column for name, column in merged.items() if column is not None}


def cells(loaded: Loaded, name: str) -> dict[str, Any]:
    table = loaded.utterances.astype(object).where(loaded.utterances.notna(), None)
    return dict(zip(table["utterance_id"], table[name], strict=True))


def why(loaded: Loaded) -> dict[str, tuple[str, str]]:
    assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions)
    return {one.utterance_id: (one.reason.value, one.detail) for one in loaded.exclusions}


def test_texts_keep_their_commas_and_line_breaks(root: Path) -> None:
    loaded = corpus(root).load()
    assert cells(loaded, "reference") == {"a": "one, two", "b": "three\nfour", "c": "5"}
    assert cells(loaded, "label_provenance") == dict.fromkeys("abc", "self_report")


def test_a_joined_table_gives_its_columns_by_the_speaker(root: Path) -> None:
    table = {"file": "speakers.txt", "separator": "whitespace", "strict": False, "key": "ID", "on": "who"}
    attributes = {"sex": {"source_column": "people.SEX"}, "area": {"source_column": "people.AREA"}}
    loaded = corpus(root, tables={"people": table}, attributes=attributes).load()
    assert cells(loaded, "attr_sex") == {"a": "F", "b": "M", "c": "F"}
    assert cells(loaded, "attr_area") == {"a": "the far north", "b": None, "c": "the far north"}


@pytest.mark.parametrize("optional", [False, True])
def test_an_utterance_without_a_row_in_a_joined_table_is_excluded_unless_the_table_is_optional(
    root: Path, optional: bool
) -> None:
    write_text(root / "speakers.txt", "ID SEX\ns1 F\n")
    table = {"file": "speakers.txt", "separator": "whitespace", "key": "ID", "on": "{who}", "optional": optional}
    loaded = corpus(root, tables={"people": table}, attributes={"sex": {"source_column": "people.SEX"}}).load()
    lost = {} if optional else {"b": ("missing_value", "speakers.txt has no row for 's2'")}
    assert why(loaded) == lost
    assert cells(loaded, "attr_sex") == {"a": "F", "c": "F"} | ({"b": None} if optional else {})


def test_what_rows_of_one_key_disagree_in_is_blank_and_said(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_text(root / "speakers.txt", "ID SEX AGE\ns1 F 30\ns1 F 31\ns2 M 40\n")
    table = {"file": "speakers.txt", "separator": "whitespace", "key": "ID", "on": "who"}
    attributes = {"sex": {"source_column": "people.SEX"}, "age": {"source_column": "people.AGE"}}
    with caplog.at_level("INFO"):
        loaded = corpus(root, tables={"people": table}, attributes=attributes).load()
    assert cells(loaded, "attr_sex") == {"a": "F", "b": "M", "c": "F"}
    assert cells(loaded, "attr_age") == {"a": None, "b": "40", "c": None}
    assert "s1 (AGE)" in caplog.text


def test_the_key_on_must_be_quoted_in_yaml(root: Path) -> None:
    table = {"file": "speakers.txt", "key": "ID", True: "who"}
    with pytest.raises(ValidationError, match='"on" in quotation marks'):
        corpus(root, tables={"people": table})


def test_a_map_makes_accents_of_speakers_and_a_speaker_that_is_not_in_it_is_excluded(root: Path) -> None:
    accent = {"source_column": "who", "map": {"s1": "northern speech"}}
    loaded = corpus(root, columns=columns(accent=accent)).load()
    assert cells(loaded, "raw_accent") == {"a": "northern speech", "c": "northern speech"}
    assert why(loaded) == {"b": ("missing_value", "accent: 's2' is not in its map")}


def test_an_attribute_that_its_map_does_not_know_stays_as_the_corpus_has_it(root: Path) -> None:
    loaded = corpus(root, attributes={"who": {"source_column": "who", "map": {"s1": "first"}}}).load()
    assert cells(loaded, "attr_who") == {"a": "first", "b": "s2", "c": "first"}


def test_a_pattern_keeps_its_group_and_what_does_not_fit_is_excluded(root: Path) -> None:
    speaker = {"source_column": "who", "pattern": "^s(?P<value>1)$"}
    loaded = corpus(root, columns=columns(speaker_id=speaker)).load()
    assert cells(loaded, "speaker_id") == {"a": "1", "c": "1"}
    assert why(loaded)["b"][0] == "missing_value"
    assert "'s2' does not fit the pattern" in why(loaded)["b"][1]


def test_a_constant_is_the_same_everywhere(root: Path) -> None:
    loaded = corpus(root, columns=columns(accent={"constant": "Everybody"})).load()
    assert set(loaded.utterances["accent"]) == {"Everybody"}


def test_of_several_source_columns_the_first_that_the_table_has_counts(root: Path) -> None:
    loaded = corpus(root, columns=columns(accent={"source_column": ["accents", "label", "who"]})).load()
    assert cells(loaded, "accent") == {"a": "North", "b": "South", "c": "North"}


def test_a_table_without_a_header_takes_names_or_numbers(root: Path) -> None:
    write_text(root / "bare.txt", "# a comment\na|one two|North|s1\n\nb|three|South\n")
    bare = {"index_file": "bare.txt", "separator": "|", "has_header": False, "comment": "#"}
    named = corpus(root, **bare, column_names=["id", "text", "label", "who"]).load()
    assert cells(named, "reference") == {"a": "one two"}
    assert why(named)["b"] == ("missing_value", "it has 3 fields and the header 4")
    numbered = columns(
        utterance_id={"source_column": "0"}, audio={"source_column": "0", "path_template": "wav/{value}.wav"},
        reference={"source_column": "1"}, accent={"source_column": "2"}, speaker_id={"source_column": "3"},
    )  # fmt: skip
    assert cells(corpus(root, **bare, columns=numbered).load(), "speaker_id") == {"a": "s1"}


def test_an_index_in_another_encoding_is_read_and_said_where_it_is_not(root: Path) -> None:
    write_text(root / "list.csv", "id,text,label,who\na,caf\u00e9,North,s1\n", encoding="utf-16")
    with pytest.raises(ManifestError, match=r"corpus.index_file: list.csv is not utf-8-sig text.*encoding"):
        corpus(root).load()
    assert cells(corpus(root, encoding="utf-16").load(), "reference") == {"a": "caf\u00e9"}


def test_trailing_columns_without_a_name_are_passed_over(root: Path) -> None:
    write_text(root / "list.csv", "id,text,label,who,,\na,one,North,s1,,\n")
    assert cells(corpus(root).load(), "reference") == {"a": "one"}


def test_several_files_fit_a_pattern_and_rows_are_named_by_theirs(root: Path) -> None:
    write_text(root / "parts" / "2.csv", "id,text,label,who\n,no id,North,s1\n")
    write_text(root / "parts" / "1.csv", "id,text,label,who\na,one,North,s1\n")
    loaded = corpus(root, index_file="parts/*.csv").load()
    assert cells(loaded, "reference") == {"a": "one"}
    assert why(loaded) == {"parts/2.csv line 2": ("missing_value", "utterance_id is blank")}


def test_several_labels_in_a_cell_are_one_accent_or_none(root: Path) -> None:
    write_text(root / "list.csv", "id,text,label,who\na,one,North; North,s1\nb,two,North;South,s2\nc,three,;,s2\n")
    loaded = corpus(root, split_labels=r";\s*").load()
    assert cells(loaded, "accent") == {"a": "North", "c": ";"}
    assert why(loaded) == {"b": ("several_accents", "'North;South' names North and South")}


@pytest.mark.parametrize("path", ["../out.csv", "/etc/hostname", "link.csv"])
def test_a_description_cannot_read_a_table_outside_its_root_unless_it_is_allowed(root: Path, path: str) -> None:
    inside = root / "corpus"
    inside.mkdir()
    write_text(root / "out.csv", "id,text,label,who\na,one,North,s1\n")
    (inside / "link.csv").symlink_to(root / "out.csv")
    with pytest.raises(ManifestError, match=r"lies outside corpus\.root"):
        corpus(inside, index_file=path).load()
    table = {"file": path, "key": "id", "on": "who"}
    write_text(inside / "list.csv", "id,text,label,who\na,one,North,s1\n")
    with pytest.raises(ManifestError, match=r"corpus.tables.t: .* lies outside corpus.root"):
        corpus(inside, tables={"t": table}).load()
    if path == "../out.csv":
        assert corpus(inside, index_file=path, allow_outside_root=True).load().rows == 1


def test_a_pattern_cannot_leave_the_root(root: Path) -> None:
    inside = root / "corpus"
    inside.mkdir()
    for pattern in ("../*.csv", "/*/*.csv"):
        with pytest.raises(ManifestError, match=r"outside corpus\.root"):
            corpus(inside, index_file=pattern).load()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"root": None}, "corpus.root=/data/my_corpus"),
        ({"columns": columns(accent=None)}, "say where accent comes from"),
        ({"columns": columns(accent={})}, "give a source_column"),
        ({"columns": columns(accent={"source_column": "a", "pattern": "("})}, "not a regular expression"),
        ({"columns": columns(accent={"source_column": "a", "pattern": "a"})}, "no group called value"),
        ({"columns": columns(speaker_id=None)}, "speaker.available must be true"),
        ({"speaker": {"available": False}}, "speaker.available must be true"),
        ({"attributes": {"accent": {"source_column": "a"}}}, "attributes: none may be called"),
        ({"accents": ["scotish"]}, "Did you mean 'scottish'"),
        ({"accents": []}, "name at least one accent"),
        ({"vocabulary": "commonvoice"}, "Did you mean 'common_voice'"),
        ({"index_file": None}, "needs an index_file"),
        ({"strategy": "multi_split"}, "needs splits"),
        ({"separator": "::"}, "one character"),
        ({"encoding": "utf-88"}, "there is no encoding 'utf-88'"),
        ({"column_names": ["a"]}, "set has_header=false"),
        ({"split_labels": "["}, "not a regular expression"),
        ({"label": {"kind": "accent", "provenance": "imputed"}}, "allow_inferred_labels=true"),
        ({"label": {"kind": "accent", "provenance": "inferred"}}, "allow_inferred_labels=true"),
    ],
)
def test_a_mistake_in_a_description_is_a_sentence_before_anything_is_read(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        corpus(tmp_path, **changed)


def test_labels_that_nobody_gave_are_said_in_every_row_and_in_the_record(root: Path) -> None:
    made = corpus(root, label={"kind": "accent", "provenance": "imputed"}, allow_inferred_labels=True)
    assert set(made.load().utterances["label_provenance"]) == {"imputed"}
    assert made.record().label_provenance == "imputed"


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    made = corpus(tmp_path / "nowhere")
    assert not any(path.exists() for path in made.inputs())
    with pytest.raises(ManifestError, match=r"corpus.root: .*nowhere is not a folder .*'mine'"):
        made.load()


def test_a_missing_column_is_named_with_what_is_near(root: Path) -> None:
    write_text(root / "list.csv", "id,txt,label,who\na,one,North,s1\n")
    with pytest.raises(ManifestError, match=r"list.csv has no column 'text'. Did you mean 'txt'"):
        corpus(root).load()


def test_bad_rows_stop_the_run_where_that_is_asked_for(root: Path) -> None:
    (root / "wav" / "b.wav").unlink()
    with pytest.raises(ManifestError, match=r"1 of 3 rows cannot be used: list.csv line 4 \(b\): missing_audio"):
        corpus(root, on_bad_row="stop").load()


def test_no_result_depends_on_the_order_of_the_index(root: Path) -> None:
    before = corpus(root).load().utterances
    lines = ["id,text,label,who", "c,5,North,s1", '"b","three\nfour",South,s2', 'a,"one, two",North,s1']
    write_text(root / "list.csv", "\n".join(lines) + "\n")
    assert corpus(root).load().utterances.equals(before)


def test_the_listing_opens_no_audio(root: Path) -> None:
    for file in (root / "wav").iterdir():
        file.unlink()
    listed = corpus(root).listing()
    assert (list(listed.table["utterance_id"]), listed.n_unusable) == (["a", "b", "c"], 0)


def test_a_described_corpus_names_the_plug_in_and_takes_overrides(
    composed: Callable[..., dict[str, Any]], root: Path
) -> None:
    with pytest.raises(ConfigError, match=r"corpus.splitz: no such key. Did you mean 'splits'"):
        build(composed("corpus=common_voice", f"corpus.root={root}", "+corpus.splitz=[test]"))


def test_only_line_ends_end_a_row_of_a_table_with_white_space(root: Path) -> None:
    write_text(root / "list.txt", "a one\u2028two North s1\r\nb one\x85two  South s2\n")
    source = {
        name: {"source_column": number} for name, number in zip(("id", "text", "label", "who"), "0123", strict=True)
    }
    found = corpus(
        root, index_file="list.txt", separator="whitespace", has_header=False,
        columns={"utterance_id": source["id"], "audio": {"path_template": "wav/{0}.wav"}, "reference": source["text"],
                 "accent": source["label"], "speaker_id": source["who"]},
    )  # fmt: skip
    assert cells(found.load(), "reference") == {"a": "one\u2028two", "b": "one\x85two"}


def test_a_folder_that_cannot_be_read_is_told_and_not_passed_over(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refused(path: str) -> Any:
        if Path(path).name == "wav":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(ManifestError, match="wav cannot be read: Permission denied"):
        list(files_below(root))
