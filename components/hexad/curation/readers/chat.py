"""Rows of plain chat traces: {"messages": [{"role", "content"}], "domain"?}."""

from typing import get_args

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError
from hexad.curation.readers.files import Row
from hexad.curation.readers.messages import read_messages
from hexad.records import Domain, Trace


def read_chat(row: Row, source: SourceConfig) -> Trace:
    """The row as a trace. Raises RowError."""
    messages = read_messages(row.fields.get("messages") or row.fields.get("conversations"))
    domain = source.domain or row.fields.get("domain")
    if domain not in get_args(Domain):
        raise RowError("no domain", f"`domain` is {str(domain)[:60]!r}; set the source's `domain`")
    return Trace.model_validate(
        {"id": f"{source.id}/{row.place}", "domain": domain, "source": source.id, "revision": source.revision,
         "messages": messages}
    )  # fmt: skip
