"""Pieces of the sources that are worked on alone: ranges of bytes of JSONL files, of row groups of Parquet files.

Parts depend on the files alone, so the same job gives the same bytes however many processes share its parts.
"""

from collections.abc import Sequence

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.files import find_files
from hexad.records import Record


class Part(Record):
    """`start` and `stop` count bytes (JSONL) or row groups (Parquet); None: the source has a limit and is one part."""

    number: int
    source: int
    file: str
    name: str
    start: int
    stop: int | None

    @property
    def folder(self) -> str:
        return f"{self.number:06d}"


def list_parts(sources: Sequence[SourceConfig], part_bytes: int) -> list[Part]:
    """Parts of all sources in order, of about `part_bytes` each. Raises SourceError."""
    parts: list[Part] = []
    for index, source in enumerate(sources):
        if source.limit is not None:
            parts.append(Part(number=len(parts), source=index, file=source.path, name="", start=0, stop=None))
            continue
        for file in find_files(source.path):
            for start, stop in file.ranges(part_bytes):
                found = Part(number=len(parts), source=index, file=file.place, name=file.name, start=start, stop=stop)
                parts.append(found)
    return parts
