"""Rows of benchmarks as they are published: a question, mostly with an answer, an id and a date.

AIME, HMMT, MATH-500 and Omni-MATH say `problem` and `answer`, GPQA `Question` and `Correct Answer`, LiveCodeBench
`question_content`, `question_id` and `contest_date`. Only the question is needed to keep training data clean.
"""

import re
from datetime import date
from typing import Any, get_args

from hexad.curation.readers.config import SourceConfig
from hexad.curation.readers.errors import RowError
from hexad.curation.readers.files import Row
from hexad.records import Domain, Gold, Message, Prompt

_QUESTION = ("question", "problem", "prompt", "Question", "question_content", "instruction", "text")
_ANSWER = ("answer", "gold", "solution", "Correct Answer", "reference_answer")
_ID = ("id", "question_id", "task_id", "unique_id", "problem_idx", "Record ID", "ID")
_DATE = ("date", "contest_date", "release_date")


def read_question(row: Row, source: SourceConfig) -> Prompt:
    """The row as a prompt; its id is the benchmark's own where there is one. Raises RowError."""
    question = _first(row.fields, _QUESTION)
    if isinstance(question, list) and question and isinstance(question[-1], dict):
        question = question[-1].get("content")
    if not isinstance(question, str) or not question.strip():
        raise RowError("no question", f"none of {', '.join(_QUESTION)} is a text")
    domain = source.domain or row.fields.get("domain")
    if domain not in get_args(Domain):
        raise RowError("no domain", f"`domain` is {str(domain)[:60]!r}; set the source's `domain`")
    own = _first(row.fields, _ID)
    answer = _first(row.fields, _ANSWER)
    return Prompt.model_validate(
        {"id": f"{source.id}/{own if isinstance(own, (str, int)) else row.place}", "domain": domain,
         "source": source.id, "revision": source.revision, "date": day_of(_first(row.fields, _DATE)),
         "prompt": [Message(role="user", content=question)], "grader": domain,
         "gold": Gold(value=answer if isinstance(answer, (str, int, float, list, dict)) else None)}
    )  # fmt: skip


def day_of(value: Any) -> str | None:
    """YYYY-MM-DD of a date, a time stamp or its text; None when there is none. Raises RowError for another text."""
    if value is None or value == "":
        return None
    found = re.match(r"\d{4}-\d{2}-\d{2}", str(value))
    try:
        return date.fromisoformat(found.group()).isoformat() if found else _refuse(value)
    except ValueError:
        return _refuse(value)


def _refuse(value: Any) -> str:
    raise RowError("bad date", f"expected YYYY-MM-DD, found {str(value)[:60]!r}")


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)
