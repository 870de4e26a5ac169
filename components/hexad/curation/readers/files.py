"""Rows of JSONL and Parquet files, one at a time, each with the place where it stands.

A broken line ends as a Reject and reading goes on. A broken Parquet file raises SourceError: nobody can say how many
rows it held, so going on would lose them in silence.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hexad.curation.readers.errors import RowError, SourceError
from hexad.curation.readers.places import find_places, open_place, size_of
from hexad.records import Reject

MAX_LINE = 256 * 1024 * 1024  # bytes; the longest Guru rows (LiveCodeBench tests) have tens of megabytes
SUFFIXES = (".jsonl", ".ndjson", ".parquet")
BATCH = 64  # Parquet rows decoded at once

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Row:
    """One row as it stands in its file."""

    file: str  # below the fixed part of the glob, with forward slashes
    place: str  # "file@byte offset" in JSONL, "file#row number" in Parquet
    fields: dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file of a source, here or in a store, with its name below the fixed part of the glob."""

    place: str
    name: str

    @property
    def is_parquet(self) -> bool:
        return PurePosixPath(self.place).suffix == ".parquet"

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Row | Reject]:
        """Rows of a range: bytes of JSONL, row groups of Parquet. A line belongs to the range that it begins in."""
        if self.is_parquet:
            return _read_parquet(self.place, self.name, start, stop)
        return read_jsonl(self.place, self.name, start, stop)

    def ranges(self, target: int) -> Iterator[tuple[int, int]]:
        """Ranges that together are the file, of about `target` bytes each. Raises SourceError."""
        if not self.is_parquet:
            size = size_of(self.place)
            yield from ((start, min(start + target, size)) for start in range(0, max(size, 1), target))
            return
        with _opened(self.place, lambda: 0) as file:
            sizes = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
        start, held = 0, 0
        for index, size in enumerate(sizes):
            if held and held + size > target:
                yield start, index
                start, held = index, 0
            held += size
        yield start, len(sizes)


def read_rows(pattern: str) -> Iterator[Row | Reject]:
    """Rows of all files that match, in the order of their names. Raises SourceError."""
    for file in find_files(pattern):
        yield from file.read()


def find_files(pattern: str) -> list[File]:
    """Files that match, in the order of their names. SourceError: there is none, or one of no known kind."""
    files = [File(place, name) for place, name in find_places(pattern)]
    if not files:
        what, how = ("object", "upload") if "://" in pattern else ("file", "fetch")
        raise SourceError(f"sources: no {what} matches {pattern!r}; correct `path`, or {how} the dataset there")
    for file in files:
        if not file.place.endswith(SUFFIXES):
            raise SourceError(f"sources: {file.place} is neither .jsonl nor .parquet; convert it, or narrow `path`")
    return files


def read_jsonl(
    place: str, name: str, start: int = 0, stop: int | None = None, max_line: int = MAX_LINE
) -> Iterator[Row | Reject]:
    """One Row or Reject for each line that begins in the bytes from `start` to `stop`; `max_line` is in bytes."""
    with open_place(place) as file:
        if start:  # the line that runs into this range belongs to the range before it
            file.seek(start - 1)
            _skip_line(file, max_line)
        while stop is None or file.tell() < max(stop, 1):
            at = f"{name}@{file.tell()}"
            line = file.readline(max_line + 1)
            if not line:
                if at.endswith("@0"):
                    yield Reject(row=at, stage="read", reason="empty file")
                return
            try:
                if len(line) > max_line and not line.endswith(b"\n"):
                    _skip_line(file, max_line)
                    raise RowError("line too long", f"more than {max_line} bytes")
                yield Row(name, at, _parse(line))
            except RowError as error:
                yield Reject(row=at, stage="read", reason=error.reason, detail=error.detail)


def _skip_line(file: BinaryIO, at_once: int) -> None:
    line = file.readline(at_once)
    while line and not line.endswith(b"\n"):
        line = file.readline(at_once)


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


def _read_parquet(place: str, name: str, start: int, stop: int | None) -> Iterator[Row | Reject]:
    number = 0
    with _opened(place, lambda: number) as file:
        metadata = file.metadata
        if metadata.num_rows == 0 and start == 0:
            yield Reject(row=f"{name}#0", stage="read", reason="empty file")
        number = sum(metadata.row_group(i).num_rows for i in range(start))
        groups = range(start, metadata.num_row_groups if stop is None else stop)
        for batch in file.iter_batches(batch_size=BATCH, row_groups=list(groups)):
            for index in range(batch.num_rows):
                yield _decode(batch.slice(index, 1), name, f"{name}#{number}")
                number += 1


@contextmanager
def _opened(place: str, rows_read: Callable[[], int]) -> Iterator[pq.ParquetFile]:
    try:
        with open_place(place) as opened, pq.ParquetFile(opened) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise SourceError(
            f"sources: {place} is damaged after row {rows_read()} ({why}); fetch the file again"
        ) from error


def _decode(one: Any, name: str, place: str) -> Row | Reject:
    """The only row of a record batch."""
    try:
        return Row(name, place, one.to_pylist()[0])
    except UnicodeDecodeError as error:
        return Reject(row=place, stage="read", reason="bad UTF-8", detail=str(error)[:300])
