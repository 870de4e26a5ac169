"""Turns of a conversation, from the spellings that public datasets use."""

from typing import Any

from hexad.curation.readers.errors import RowError
from hexad.records import Message

MAX_CONTENT = 2_000_000  # characters of one turn; the grader reads no more either

_ROLES = {
    "system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
    "model": "assistant", "bot": "assistant",
}  # fmt: skip


def read_messages(turns: Any) -> list[Message]:
    """Messages of a list of from/value or role/content objects. Raises RowError."""
    if not isinstance(turns, list) or not turns:
        raise RowError("no turns", f"expected a list of turns, found {_shown(turns)}")
    return [_message(turn, index) for index, turn in enumerate(turns)]


def _message(turn: Any, index: int) -> Message:
    if not isinstance(turn, dict):
        raise RowError("bad turn", f"turn {index} is {_shown(turn)}, not an object")
    role = turn["role"] if turn.get("role") is not None else turn.get("from")
    content = turn["content"] if turn.get("content") is not None else turn.get("value")
    known = _ROLES.get(role.lower()) if isinstance(role, str) else None
    if known is None:
        raise RowError("unknown role", f"turn {index} has the role {_shown(role)}")
    if not isinstance(content, str):
        raise RowError("turn without text", f"turn {index} ({known}) has {_shown(content)}")
    if not content.strip():
        raise RowError("empty turn", f"turn {index} ({known})")
    if len(content) > MAX_CONTENT:
        raise RowError("turn too long", f"turn {index} has {len(content)} characters, at most {MAX_CONTENT} are read")
    return Message.model_validate({"role": known, "content": content})


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
