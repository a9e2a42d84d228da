"""Schemas by which tables are checked, with text told by the type of its column alone.

pandera asks a column of text for the type of every value and formats the list of offenders, be it empty: more than half
of what checking a small table costs. A column of pandas' own ``str`` type holds text and missing values only.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from pandera.api.pandas.container import DataFrameSchema
from pandera.engines import pandas_engine
from pandera.pandas import DataFrameModel


class Text(pandas_engine.STRING):
    """Text: a column of this type is right as a whole, and any other is looked at value by value."""

    def check(self, pandera_dtype: Any, data_container: Any = None) -> Any:
        """Return whether a column of ``pandera_dtype`` holds text, or of each of its values whether it is."""
        return pandera_dtype.type == self.type or super().check(pandera_dtype, data_container)


@cache
def schema_of(model: type[DataFrameModel]) -> DataFrameSchema:
    """Return the schema of ``model``; it accepts and refuses what ``model`` does, with the same words."""
    schema = deepcopy(model.to_schema())
    for column in schema.columns.values():
        if isinstance(column.dtype, pandas_engine.STRING):
            text = object.__new__(Text)
            text.__dict__.update(column.dtype.__dict__)
            column.dtype = text
    return schema
