"""Reading manifest files as text: nothing is converted, nothing is swallowed."""

import json
from pathlib import Path

import pytest

from pipeline.corpora.manifest_files import read_rows
from pipeline.errors import ManifestError


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_words_that_look_like_missing_values_stay_words(tmp_path: Path) -> None:
    text = "utterance_id,reference\nnull,None\nNA,nan\n007,1e3\n"
    _, rows = read_rows(written(tmp_path, "m.csv", text))
    assert [dict(row.cells) for row in rows] == [
        {"utterance_id": "null", "reference": "None"},
        {"utterance_id": "NA", "reference": "nan"},
        {"utterance_id": "007", "reference": "1e3"},
    ]


def test_rows_know_their_lines_also_after_a_line_break_inside_quotes(tmp_path: Path) -> None:
    _, rows = read_rows(written(tmp_path, "m.csv", 'a,b\n1,"x\ny"\n\n2,z\n'))
    assert [(row.line, row.cells["a"]) for row in rows] == [(3, "1"), (5, "2")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_spreadsheets_mark_and_line_ends_are_not_content(tmp_path: Path, ending: str) -> None:
    columns, rows = read_rows(written(tmp_path, "m.csv", "\ufeffa,b" + ending + "1,2" + ending))
    assert columns == ["a", "b"]
    assert [dict(row.cells) for row in rows] == [{"a": "1", "b": "2"}]


def test_a_row_with_too_few_or_too_many_fields_carries_its_problem(tmp_path: Path) -> None:
    _, rows = read_rows(written(tmp_path, "m.csv", "a,b\n1\n1,2,3\n1,2\n"))
    assert [row.problem for row in rows] == [
        "it has 1 fields and the header 2", "it has 3 fields and the header 2", "",
    ]  # fmt: skip


def test_an_open_quotation_mark_is_refused_rather_than_swallowing_the_rows_after_it(tmp_path: Path) -> None:
    path = written(tmp_path, "m.tsv", 'a\tb\n1\t"open\n2\tx\n')
    with pytest.raises(ManifestError, match="quoting=none"):
        read_rows(path)
    assert [dict(row.cells) for row in read_rows(path, quoting="none")[1]] == [
        {"a": "1", "b": '"open'},
        {"a": "2", "b": "x"},
    ]


def test_jsonl_keeps_text_takes_numbers_and_names_what_is_neither(tmp_path: Path) -> None:
    lines = [{"a": " x ", "b": 12, "c": None}, {"a": "null", "b": 1.5, "d": [1]}, {"a": True}]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    columns, rows = read_rows(written(tmp_path, "m.jsonl", text))
    assert columns == ["a", "b", "c", "d"]
    assert [dict(row.cells) for row in rows] == [{"a": "x", "b": "12"}, {"a": "null", "b": "1.5"}, {}]
    assert [bool(row.problem) for row in rows] == [False, True, True]
    assert "d" in rows[1].problem


def test_a_line_separator_inside_a_json_string_does_not_end_the_line(tmp_path: Path) -> None:
    _, rows = read_rows(written(tmp_path, "m.jsonl", '{"a": "x\u2028y"}\n'))
    assert rows[0].cells["a"] == "x\u2028y"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.csv", "", "no rows"),
        ("m.csv", "a,b\n", "no rows"),
        ("m.csv", "a,a\n1,2\n", "more than once"),
        ("m.csv", b"a,b\n\xff\xfe,1\n", "not UTF-8"),
        ("m.jsonl", "{broken\n", "line 1"),
        ("m.jsonl", '{"a": 1}\n[1]\n', "line 2 holds a list"),
        ("m.jsonl", "[" * 100_000, "not readable"),
        ("m.xlsx", "a,b\n1,2\n", "corpus.format"),
    ],
)
def test_a_file_that_is_no_manifest_is_one_sentence(tmp_path: Path, name: str, data: str | bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_rows(written(tmp_path, name, data))


def test_a_wrong_path_and_a_folder_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"there is no file .*none.csv"):
        read_rows(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ManifestError, match="is a folder"):
        read_rows(tmp_path / "folder.csv")


@pytest.mark.parametrize("line", ['{"a": "x", "b": "1", "b": "2"}', '{"a": {"c": 1, "c": 2}}'])
def test_an_object_that_says_two_things_under_one_key_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ManifestError, match=r"line 2: '[bc]' occurs twice"):
        read_rows(written(tmp_path, "m.jsonl", '{"a": "y"}\n' + line))
