"""CSV for people: no cell of any column starts a formula, in either kind of spreadsheet, and no text is lost."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.artifacts import RunFolder
from pipeline.spreadsheet import csv_text, plain

RUN = tuple("=+-@＝＋－＠")
HOSTILE = st.text() | st.text(alphabet="=+-@＝＠;,\t\r\n \"'\x00a1|") | st.text(alphabet=st.characters(codec=None))


@given(HOSTILE, HOSTILE)
def test_no_text_of_any_column_and_no_header_starts_a_formula(text: str, name: str) -> None:
    table = pd.DataFrame(
        {
            "objects": pd.Series([text, -0.5, None], dtype="object"),
            "categories": pd.Categorical([plain(text), "a", None]),
            f"{name}!": [1, 2, 3],
        }
    )
    written = csv_text(table).replace("\x00", " ")
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert [len(row) for row in rows] == [3, 3, 3, 3]
    assert rows[2] == ["-0.5", "a", "2"]
    for cell in (*rows[0], *rows[1]):
        for part in re.split("[;\t\n]", cell):  # cells of a country, or of an import, that parts elsewhere
            assert not part.strip().startswith(RUN)
        assert not cell.startswith(("\t", "\r", "\n"))


@given(HOSTILE)
def test_only_apostrophes_are_added_to_a_text(text: str) -> None:
    shown = plain(text)
    assert plain(shown) == shown
    same = re.sub("[\ud800-\udfff]", lambda one: f"(U+{ord(one[0]):04X})", re.sub("\r\n?", "\n", text))
    assert shown.replace("'", "") == same.replace("'", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1+1)", "'@SUM(1+1)"),
        ("  =1", "  '=1"),
        ("＝1+1", "'＝1+1"),
        ("\t=1", "'\t'=1"),
        ("\rx", "'\nx"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("x;=1+1", "x;'=1+1"),
        ("a\n=1", "a\n'=1"),
        ("half \ud800", "half (U+D800)"),
        ("well-known, a = b", "well-known, a = b"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_marked_and_nothing_else(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_every_export_is_written_so(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_csv("cells", pd.DataFrame({"=x": pd.Series(["=1", -1.0], dtype="object"), "n": [-1, 2]}))
    assert (tmp_path / "cells.csv").read_text() == "'=x,n\n'=1,-1\n-1.0,2\n"
