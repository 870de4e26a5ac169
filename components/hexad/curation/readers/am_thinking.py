"""Rows of AM-Thinking-v1-Distilled (a-m-team/AM-Thinking-v1-Distilled).

{"conversations": [{"from": "human", "value": …}, {"from": "assistant", "value": "<think>…</think><answer>…</answer>"}]}
with other columns beside (system text, source, info), which differ between the six subsets. K2-Think's own script
keeps from/value alone and so loses where a row came from; here the upstream source stays in `Trace.source`.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError
from hexad.curation.readers.files import Row
from hexad.curation.readers.messages import read_messages
from hexad.records import Domain, Gold, Message, Trace

_SUBSETS: dict[str, Domain] = {"math": "math", "code": "code", "science": "science", "stem": "science"}
_REFERENCES = ("reference_answer", "ground_truth", "answer")


def read_am_thinking(row: Row, source: SourceConfig) -> Trace:
    """The row as a trace. Raises RowError."""
    turns = row.fields.get("conversations") or row.fields.get("messages")
    messages = read_messages(turns)
    system = row.fields.get("system")
    if isinstance(system, str) and system.strip() and messages[0].role != "system":
        messages.insert(0, Message(role="system", content=system))
    upstream = _upstream(row.fields)
    return Trace(
        id=f"{source.id}/{row.place}", domain=source.domain or _domain_of(row.file),
        source=f"{source.id}:{upstream}" if upstream else source.id, revision=source.revision, messages=messages,
    )  # fmt: skip


def reference_of(fields: dict[str, Any]) -> Gold | None:
    """The answer that the dataset's authors verified the trace against, in the row, its info or a turn's info."""
    for holder in _holders(fields):
        value = next((holder[name] for name in _REFERENCES if holder.get(name) is not None), None)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and 0 < len(str(value).strip()) <= 200:
            return Gold(value=str(value).strip())
    return None


def _domain_of(file: str) -> Domain:
    """math.jsonl, train/code-00001-of-00010.parquet: the subset is in the name of the file."""
    for word in re.split(r"[^a-z]+", PurePosixPath(file).name.lower()):
        if word in _SUBSETS:
            return _SUBSETS[word]
    raise RowError("no domain", f"the file's name {file!r} names no domain; set the source's `domain`")


def _upstream(fields: dict[str, Any]) -> str:
    """Where the dataset's authors had the question from: `source` in the row, in its info, or in a turn's info."""
    found = (holder.get("source") for holder in _holders(fields))
    return next((name.strip() for name in found if isinstance(name, str)), "")


def _holders(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    turns = fields.get("conversations") or fields.get("messages") or []
    for holder in (fields, fields.get("info"), *(turn.get("info") for turn in turns if isinstance(turn, dict))):
        if isinstance(holder, dict):
            yield holder
