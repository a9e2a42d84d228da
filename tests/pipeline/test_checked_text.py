"""Checking text by the type of its column accepts and refuses what pandera does, with the same words."""

from typing import Any

import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from pipeline import tables
from pipeline.checked_text import schema_of

GOOD = {"stage": "s", "utterance_id": "u", "condition": "", "reason": "r", "detail": ""}


def refusal(validate: Any, table: pd.DataFrame) -> str:
    try:
        validate(table, lazy=True)
    except SchemaErrors as error:
        return str(error.failure_cases[["column", "check", "failure_case"]].to_dict("list"))
    return ""


@pytest.mark.parametrize(
    ("dtype", "values"),
    [("str", ["text", "", None, float("nan")]), ("object", ["text", "", None, float("nan"), 3, True, b"x", ["x"]])],
)
def test_what_is_text_is_judged_as_pandera_judges_it(dtype: str, values: list[object]) -> None:
    table = pd.DataFrame([GOOD, GOOD]).astype("str")
    for value in values:
        table["detail"] = pd.Series(["a", value], dtype=dtype)
        told = refusal(tables.Exclusions.validate, table)
        assert refusal(schema_of(tables.Exclusions).validate, table) == told
        assert bool(told) == (not isinstance(value, str))
