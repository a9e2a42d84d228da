"""Parquet and Arrow files as tables of text: numbers as they print, class labels by their names, bytes unread.

Arrow files are those that the ``datasets`` library saves: streams, mapped into memory. What a class label is called
stands in the file's own metadata, where that library writes it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.corpora.manifest_files import Row, Rows

ARROW: Final = ".arrow"

_METADATA = b"huggingface"


def read_columnar(path: Path) -> Rows:
    """Read every column that holds text or numbers, also inside a struct as ``struct.field``.

    Raises:
        ValueError: if it is no such file.
        OSError: if it is not there.
    """
    import pyarrow as pa

    try:
        schema, table = _arrow(path) if path.suffix.lower() == ARROW else _parquet(path)
        names = list(_leaves(schema))
        while any(pa.types.is_struct(kind) for kind in table.schema.types):
            table = table.flatten()
        classes = _classes(schema)
        columns = {
            name: [_text(value, classes.get(name)) for value in table.column(name).to_pylist()] for name in names
        }
    except (pa.ArrowException, KeyError) as error:  # KeyError: two columns share a name
        raise ValueError(str(error)) from error
    rows = []
    for number in range(table.num_rows):
        cells = {name: text for name in names if (text := columns[name][number]) is not None}
        rows.append(Row(number, cells))
    return names, rows


def paths_only(path: Path, column: str) -> frozenset[int]:
    """Return the rows whose recording is not in ``column`` itself: its ``bytes`` are null, and its ``path`` counts.

    Of a Parquet file whole row groups are told apart, by their statistics: no recording is read.

    Raises:
        ValueError: if it is no such file.
    """
    import pyarrow as pa

    try:
        if path.suffix.lower() == ARROW:
            schema, table = _arrow(path, column)
            kind = schema.field(column).type
            if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
                return frozenset()
            null = table.flatten().column(f"{column}.bytes").is_null().to_pylist()
            return frozenset(number for number, missing in enumerate(null) if missing)
        return frozenset(_without_bytes(path, f"{column}.bytes"))
    except (pa.ArrowException, KeyError) as error:
        raise ValueError(str(error)) from error


def _without_bytes(path: Path, leaf: str) -> Iterator[int]:
    import pyarrow.parquet as pq

    metadata, first = pq.read_metadata(path), 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for index in range(group.num_columns):
            chunk = group.column(index)
            known = chunk.path_in_schema == leaf and chunk.statistics is not None and chunk.statistics.has_null_count
            if known and chunk.statistics.null_count == group.num_rows:
                yield from range(first, first + group.num_rows)
        first += group.num_rows


def _parquet(path: Path) -> tuple[Any, Any]:
    """Return the schema of the whole file, and the columns that can be text."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        return schema, file.read(columns=list(_leaves(schema)))


def _arrow(path: Path, *columns: str) -> tuple[Any, Any]:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_stream(source)
        schema = reader.schema
        table = reader.read_all()
    wanted = list(columns) or list(dict.fromkeys(name.split(".")[0] for name in _leaves(schema)))
    return schema, table.select(wanted)


def _leaves(fields: Iterable[Any], prefix: str = "") -> Iterator[str]:
    import pyarrow as pa

    for field in fields:
        kind, name = field.type, prefix + field.name
        if pa.types.is_struct(kind):
            yield from _leaves([kind.field(n) for n in range(kind.num_fields)], f"{name}.")
        elif any(is_one(kind) for is_one in _as_text()):
            yield name


def _as_text() -> tuple[Callable[[Any], bool], ...]:
    from pyarrow import types

    return (
        types.is_string, types.is_large_string, types.is_dictionary, types.is_integer, types.is_floating,
        types.is_boolean,
    )  # fmt: skip


def _classes(schema: Any) -> Mapping[str, list[str]]:
    """Return the names of every column of class labels; what cannot be understood is none."""
    try:
        features = json.loads((schema.metadata or {}).get(_METADATA, b"{}"))["info"]["features"]
        named = {name: feature.get("names") for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: names for name, names in named.items() if isinstance(names, list)}


def _text(value: object, classes: list[str] | None) -> str | None:
    if value is None:
        return None
    if classes is not None and isinstance(value, int):
        return str(classes[value]) if 0 <= value < len(classes) else None  # -1: no label
    return value.strip() if isinstance(value, str) else str(value)
