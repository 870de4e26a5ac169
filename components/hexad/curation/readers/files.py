"""Rows of JSONL and Parquet files, one at a time, each with the place where it stands.

A broken line ends as a Reject and reading goes on. A broken Parquet file raises SourceError: nobody can say how many
rows it held, so going on would lose them in silence.
"""

import glob
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hexad.curation.readers.errors import RowError, SourceError
from hexad.records import Reject

MAX_LINE = 256 * 1024 * 1024  # bytes; the longest Guru rows (LiveCodeBench tests) have tens of megabytes
BATCH = 64  # Parquet rows decoded at once

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Row:
    """One row as it stands in its file."""

    file: str  # below the fixed part of the glob, with forward slashes
    place: str  # "file@byte offset" in JSONL, "file#row number" in Parquet
    fields: dict[str, Any]


def read_rows(pattern: str) -> Iterator[Row | Reject]:
    """Rows of all files that match, in the order of their names. Raises SourceError."""
    root = _fixed_part(pattern)
    paths = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())
    if not paths:
        raise SourceError(f"sources: no file matches {pattern!r}; correct `path`, or fetch the dataset there")
    for path in paths:
        name = path.relative_to(root).as_posix()
        if path.suffix in {".jsonl", ".ndjson"}:
            yield from read_jsonl(path, name)
        elif path.suffix == ".parquet":
            yield from _read_parquet(path, name)
        else:
            raise SourceError(f"sources: {path} is neither .jsonl nor .parquet; convert it, or narrow `path`")


def read_jsonl(path: Path, name: str, max_line: int = MAX_LINE) -> Iterator[Row | Reject]:
    """One Row or Reject for each line; `max_line` is in bytes."""
    with path.open("rb") as file:
        while True:
            place = f"{name}@{file.tell()}"
            line = file.readline(max_line + 1)
            if not line:
                if place.endswith("@0"):
                    yield Reject(row=place, stage="read", reason="empty file")
                return
            try:
                if len(line) > max_line and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):
                        line = file.readline(max_line)
                    raise RowError("line too long", f"more than {max_line} bytes")
                yield Row(name, place, _parse(line))
            except RowError as error:
                yield Reject(row=place, stage="read", reason=error.reason, detail=error.detail)


def _parse(line: bytes) -> dict[str, Any]:
    if not line.strip():
        raise RowError("empty line")
    try:
        fields = json.loads(line.decode("utf-8-sig"))
        if _SURROGATE.search(line):  # "\ud83d" alone is valid JSON, and no file can hold it as text
            json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise RowError("bad UTF-8", f"byte {error.start} of the line: {error.reason}") from error
    except UnicodeEncodeError as error:
        raise RowError("unpaired surrogate", error.reason) from error
    except (ValueError, RecursionError) as error:
        raise RowError("bad JSON", str(error)) from error
    if not isinstance(fields, dict):
        raise RowError("not an object", f"a row must be a JSON object, this is {type(fields).__name__}")
    return fields


def _read_parquet(path: Path, name: str) -> Iterator[Row | Reject]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows == 0:
                yield Reject(row=f"{name}#0", stage="read", reason="empty file")
            for batch in file.iter_batches(batch_size=BATCH):
                for index in range(batch.num_rows):
                    yield _decode(batch.slice(index, 1), name, f"{name}#{number}")
                    number += 1
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise SourceError(f"sources: {path} is damaged after row {number} ({why}); fetch the file again") from error


def _decode(one: Any, name: str, place: str) -> Row | Reject:
    """The only row of a record batch."""
    try:
        return Row(name, place, one.to_pylist()[0])
    except UnicodeDecodeError as error:
        return Reject(row=place, stage="read", reason="bad UTF-8", detail=str(error)[:300])


def _fixed_part(pattern: str) -> Path:
    """The folder above the first part of the pattern that has a wildcard, or above the file."""
    fixed = Path(pattern).parent
    while glob.has_magic(str(fixed)):
        fixed = fixed.parent
    return fixed
