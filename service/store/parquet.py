"""Rows as a Parquet file, written a group of rows at a time. Needs pyarrow, the extra `parquet`."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from typing import Any

from service.errors import BadInput
from service.store.analytics import Filters, Kind
from service.store.pool import Db

GROUP = 4_000
"""Rows."""


def check() -> None:
    """Raises BadInput where Parquet cannot be written here."""
    if importlib.util.find_spec("pyarrow") is None:
        message = "Parquet is not available: needs the extra parquet. Install it with: pip install 'undertone-crm[parquet]'"
        raise BadInput(message)


def written(db: Db, query: str, columns: Mapping[str, Kind], filters: Filters) -> Iterator[bytes]:
    check()
    from pyarrow import Table
    from pyarrow.parquet import ParquetWriter

    schema, sink = _schema(columns), _Sink()
    with ParquetWriter(sink, schema) as writer, db.cursor(name="export") as cursor:
        cursor.execute(query, filters)
        while rows := cursor.fetchmany(GROUP):
            values = [[_value(cell, kind) for cell in column] for column, kind in zip(zip(*rows, strict=True), columns.values(), strict=True)]
            writer.write_table(Table.from_arrays([_array(v, f) for v, f in zip(values, schema, strict=True)], schema=schema))
            yield sink.taken()
    yield sink.taken()


def _schema(columns: Mapping[str, Kind]) -> Any:
    import pyarrow as pa

    text = pa.string()
    known: dict[Kind, Any] = {
        **{"text": text, "id": text, "json": text, "texts": pa.list_(text), "ids": pa.list_(text)},
        **{"whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "day": pa.date32(), "time": pa.timestamp("us", tz="UTC")},
    }
    return pa.schema([pa.field(name, known[kind]) for name, kind in columns.items()])


def _array(values: list[Any], field: Any) -> Any:
    import pyarrow as pa

    return pa.array(values, field.type)


def _value(cell: Any, kind: Kind) -> Any:
    if cell is None:
        return None
    if kind == "id":
        return str(cell)
    if kind == "ids":
        return [str(item) for item in cell]
    return json.dumps(cell, ensure_ascii=False) if kind == "json" else cell


class _Sink:
    """What was written since it was last taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self.closed = False

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
