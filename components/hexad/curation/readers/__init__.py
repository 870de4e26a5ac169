"""Real datasets as rows: read_source streams traces, prompts and rejects."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from pydantic import ValidationError

from hexad.curation.readers.am_thinking import read_am_thinking, reference_of
from hexad.curation.readers.chat import read_chat
from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError, SourceError
from hexad.curation.readers.files import Row, read_rows
from hexad.curation.readers.guru import read_guru
from hexad.curation.readers.questions import read_question
from hexad.records import Gold, Prompt, Reject, Trace

_READERS: dict[str, Callable[[Row, SourceConfig], Trace | Prompt]] = {
    "am_thinking": read_am_thinking,
    "guru": read_guru,
    "chat": read_chat,
    "questions": read_question,
}
TRACE_KINDS = frozenset({"am_thinking", "chat"})


@dataclass(frozen=True)
class Sourced:
    """A row, and the reference answer that its dataset gives beside a trace."""

    row: Trace | Prompt
    reference: Gold | None = None


def read_source(source: SourceConfig) -> Iterator[Trace | Prompt | Reject]:
    """One record for each row of the source, in order. Raises SourceError when a file cannot be read at all.

    Ids are "dataset id/file@byte offset" (JSONL) or "dataset id/file#row number" (Parquet).
    """
    for found in interpret(islice(read_rows(source.path), source.limit), source):
        yield found if isinstance(found, Reject) else found.row


def interpret(rows: Iterable[Row | Reject], source: SourceConfig) -> Iterator[Sourced | Reject]:
    """The rows of a file, or of a range of it, in the schema of the source."""
    read = _READERS[source.kind]
    for row in rows:
        if isinstance(row, Reject):
            yield row.model_copy(update={"row": f"{source.id}/{row.row}"})
            continue
        try:
            yield Sourced(read(row, source), reference_of(row.fields) if source.kind in TRACE_KINDS else None)
        except RowError as error:
            yield Reject(row=f"{source.id}/{row.place}", stage="read", reason=error.reason, detail=error.detail)
        except ValidationError as error:  # a value that Parquet knows and JSON does not, deep inside a gold
            detail = error.errors(include_url=False)[0]["msg"]
            yield Reject(row=f"{source.id}/{row.place}", stage="read", reason="value of a wrong type", detail=detail)


__all__ = ["TRACE_KINDS", "RowError", "SourceConfig", "SourceError", "Sourced", "interpret", "read_source"]
