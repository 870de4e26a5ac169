"""Rows of `hexad grade`, as DESIGN §6 fixes them."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from pydantic import ValidationError

from hexad.grading.grade import grade_many
from hexad.grading.verdicts import failed, verdict
from hexad.records import DOMAINS, Gold, Message, Prompt

BATCH = 512
_FORM = 'write {"id", "domain", "gold": {"value", "type"?}, "response"} on one line'


def grade_stream(lines: Iterable[str | bytes], domain: str | None = None) -> Iterator[bytes]:
    """Verdict rows as lines of JSON in UTF-8, in order, blank lines skipped. `domain` is for rows without one.

    A line that is no such row gives a row with status "error" that names the line and the mend.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, BATCH)):
        rows = [_read(number, line, domain) for number, line in batch]
        good = [(prompt, response, reason) for prompt, response, reason in rows if isinstance(prompt, Prompt)]
        verdicts = iter(grade_many(good))
        for prompt, complaint, _ in rows:
            if isinstance(prompt, Prompt):
                yield _line({"id": prompt.id, **next(verdicts).model_dump()})
            else:
                yield _line({"id": prompt, **verdict(failed(complaint), None, "").model_dump()})


def _line(row: dict[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # an id may hold half of a surrogate pair, which only an escape can write
        return json.dumps(row).encode() + b"\n"


def _read(number: int, line: str | bytes, domain: str | None) -> tuple[Prompt | str | None, str, str]:
    """(prompt, response, finish reason), or (id or None, complaint, "")."""
    row_id = None
    try:
        row: Any = json.loads(line)
        if not isinstance(row, dict):
            return None, f"line {number}: a JSON {type(row).__name__} where an object is needed; {_FORM}", ""
        row_id = str(row["id"]) if "id" in row else None
        missing = [key for key in ("id", "gold", "response") if key not in row]
        if missing:
            return row_id, f"line {number}: {', '.join(missing)} missing; {_FORM}", ""
        named = row.get("domain") or domain
        if named not in DOMAINS:
            return (
                row_id,
                f"line {number}: domain {named!r} is none of {', '.join(DOMAINS)}; name one in the row or by --domain",
                "",
            )
        if not isinstance(row["response"], str):
            return row_id, f"line {number}: response is a {type(row['response']).__name__}; give it as a string", ""
        prompt = Prompt(
            id=str(row["id"]), domain=named, source="", revision="", prompt=[Message(role="user", content="")],
            gold=Gold.model_validate(row["gold"]), grader=named,
        )  # fmt: skip
    except (ValidationError, ValueError, RecursionError) as error:
        return row_id, f"line {number}: {str(error)[:200]}; {_FORM}", ""
    return prompt, row["response"], str(row.get("finish_reason", "stop"))
