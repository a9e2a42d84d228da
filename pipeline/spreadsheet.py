"""A table as CSV for people: whatever a spreadsheet would run is text, in every column and in the header.

The characters are those of OWASP's page on CSV injection: ``=``, ``+``, ``-``, ``@``, their full-width forms, tab and
line breaks at the start of a cell. Where a country writes decimal commas, a spreadsheet parts cells at semicolons, so
that what follows one (or a tab, or a line break) can start a cell too.
"""

import re

import pandas as pd

_STARTS_CELL = r"(?:^|[;\t\n])"
_FORMULA = re.compile(rf"({_STARTS_CELL}[\s\x00\"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS_FIRST = re.compile(r"^(?=[\t\n])")
_LINE_END = re.compile("\r\n?")
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """Return a text of which no part is a formula: a ``'`` stands before each that would be one.

    Half a surrogate pair, which no file can hold, is spelled out as in ``(U+D800)``. A carriage return, which would
    end the row for most readers, is a line feed.
    """
    held = _SURROGATE.sub(lambda found: f"(U+{ord(found[0]):04X})", _LINE_END.sub("\n", text))
    return _BREAKS_FIRST.sub("'", _FORMULA.sub(r"\1'", held))


def csv_text(table: pd.DataFrame) -> str:
    """Return the table as CSV with a header, rows ended by a line feed; numbers are written as they are."""
    shown = table.rename(columns=lambda name: plain(str(name)))
    for at in range(table.shape[1]):
        values = table.iloc[:, at]
        if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
            continue
        # a column of mixed objects holds texts as well as numbers
        shown.isetitem(at, values.map(lambda value: plain(value) if isinstance(value, str) else value).to_numpy())
    return str(shown.to_csv(index=False, lineterminator="\n"))
