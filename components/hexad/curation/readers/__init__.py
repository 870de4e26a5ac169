"""Real datasets as rows: read_source streams traces, prompts and rejects."""

from collections.abc import Callable, Iterator
from itertools import islice

from pydantic import ValidationError

from hexad.curation.readers.am_thinking import read_am_thinking
from hexad.curation.readers.chat import read_chat
from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError, SourceError
from hexad.curation.readers.files import Row, read_rows
from hexad.curation.readers.guru import read_guru
from hexad.records import Prompt, Reject, Trace

_READERS: dict[str, Callable[[Row, SourceConfig], Trace | Prompt]] = {
    "am_thinking": read_am_thinking,
    "guru": read_guru,
    "chat": read_chat,
}


def read_source(source: SourceConfig) -> Iterator[Trace | Prompt | Reject]:
    """One record for each row of the source, in order. Raises SourceError when a file cannot be read at all.

    Ids are "dataset id/file@byte offset" (JSONL) or "dataset id/file#row number" (Parquet).
    """
    read = _READERS[source.kind]
    for row in islice(read_rows(source.path), source.limit):
        if isinstance(row, Reject):
            yield row.model_copy(update={"row": f"{source.id}/{row.row}"})
            continue
        try:
            yield read(row, source)
        except RowError as error:
            yield Reject(row=f"{source.id}/{row.place}", stage="read", reason=error.reason, detail=error.detail)
        except ValidationError as error:  # a value that Parquet knows and JSON does not, deep inside a gold
            detail = error.errors(include_url=False)[0]["msg"]
            yield Reject(row=f"{source.id}/{row.place}", stage="read", reason="value of a wrong type", detail=detail)


__all__ = ["RowError", "SourceConfig", "SourceError", "read_source"]
