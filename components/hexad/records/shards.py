"""Records as Parquet + zstd shards: one schema per row kind, versioned in the file's metadata.

Fields that hold more than a scalar are JSON text in one string column, so a gold of any shape fits one schema.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from hexad.records.base import Record

SCHEMA_VERSION = "1"
_KIND, _VERSION, _JSON = b"hexad.record", b"hexad.version", b"hexad.json"

Row = TypeVar("Row", bound=Record)


def write_rows(path: Path, rows: Iterable[Record], kind: type[Record]) -> int:
    """Write one shard; returns the number of rows."""
    dumped = [row.model_dump(mode="json") for row in rows]
    scalar = {name for name, field in kind.model_fields.items() if field.annotation in (str, int, float, bool)}
    columns = {
        name: [row[name] if name in scalar else json.dumps(row[name], ensure_ascii=False) for row in dumped]
        for name in kind.model_fields
    }
    as_json = ",".join(name for name in kind.model_fields if name not in scalar)
    arrays = {
        name: pa.array(values, None if name in scalar and values else pa.string()) for name, values in columns.items()
    }
    table = pa.table(arrays).replace_schema_metadata({_KIND: kind.__name__, _VERSION: SCHEMA_VERSION, _JSON: as_json})
    pq.write_table(table, path, compression="zstd")
    return len(dumped)


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Rows of one shard. ValueError names the file when it holds another kind of row, or another version."""
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    found = metadata.get(_KIND, b"?").decode(), metadata.get(_VERSION, b"?").decode()
    if found != (kind.__name__, SCHEMA_VERSION):
        raise ValueError(
            f"{path}: holds rows {found[0]}/{found[1]}, not {kind.__name__}/{SCHEMA_VERSION}; curate it again"
        )
    as_json = set(filter(None, metadata[_JSON].decode().split(",")))
    return [
        kind.model_validate({k: json.loads(v) if k in as_json else v for k, v in row.items()})
        for row in table.to_pylist()
    ]
