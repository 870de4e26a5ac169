"""Records as Parquet + zstd shards: one schema per row kind, versioned in the file's metadata.

Fields that hold more than a scalar are JSON text in one string column, so a gold of any shape fits one schema.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from hexad.records.base import Record

SCHEMA_VERSION = "1"
GROUP_ROWS, GROUP_CHARACTERS = 10_000, 16_000_000
_KIND, _VERSION, _JSON = b"hexad.record", b"hexad.version", b"hexad.json"
_SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

Row = TypeVar("Row", bound=Record)


class RowWriter:
    """Append records of one kind to a shard. Rows go to disk in groups: memory does not grow with the file."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self._types = {name: _SCALARS.get(field.annotation) for name, field in kind.model_fields.items()}  # type: ignore[arg-type]
        as_json = ",".join(name for name, type_ in self._types.items() if type_ is None)
        fields = [pa.field(name, type_ or pa.string()) for name, type_ in self._types.items()]
        self._schema = pa.schema(fields, {_KIND: kind.__name__, _VERSION: SCHEMA_VERSION, _JSON: as_json})
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._characters = 0
        self.count = 0

    def write(self, row: Record) -> None:
        dumped = {
            name: value if self._types[name] is not None else json.dumps(value, ensure_ascii=False)
            for name, value in row.model_dump(mode="json").items()
        }
        self._rows.append(dumped)
        self._characters += sum(len(value) for value in dumped.values() if isinstance(value, str))
        self.count += 1
        if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._flush()

    def close(self) -> None:
        if self._rows or not self.count:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows, self._characters = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def write_rows(path: Path, rows: Iterable[Record], kind: type[Record]) -> int:
    """Write one shard; returns the number of rows."""
    with RowWriter(path, kind) as writer:
        for row in rows:
            writer.write(row)
    return writer.count


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Rows of one shard. ValueError names the file when it holds another kind of row, or another version."""
    return list(iter_rows(path, kind))


def iter_rows(path: Path, kind: type[Row], batch_rows: int = 256) -> Iterator[Row]:
    """As `read_rows`, one row at a time; `batch_rows` are decoded at once."""
    with pq.ParquetFile(path) as file:
        metadata = file.schema_arrow.metadata or {}
        found = metadata.get(_KIND, b"?").decode(), metadata.get(_VERSION, b"?").decode()
        if found != (kind.__name__, SCHEMA_VERSION):
            raise ValueError(
                f"{path}: holds rows {found[0]}/{found[1]}, not {kind.__name__}/{SCHEMA_VERSION}; curate it again"
            )
        as_json = set(filter(None, metadata[_JSON].decode().split(",")))
        for batch in file.iter_batches(batch_size=batch_rows):
            for row in batch.to_pylist():
                yield kind.model_validate({k: json.loads(v) if k in as_json else v for k, v in row.items()})
