"""An outcome as OpenAI's response object, or as its chunks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hexad.gateway.scaffold import Outcome

_CHUNK_CHARACTERS = 2048
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Reply:
    """What all chunks of one response have in common."""

    id: str
    created: int
    model: str
    include_usage: bool

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """The body of a response that is not streamed."""
        message = {
            "role": "assistant",
            "content": outcome.content,
            "reasoning": outcome.reasoning,
            "reasoning_content": outcome.reasoning,
        }
        choice = {"index": 0, "message": message, "finish_reason": outcome.finish_reason, "logprobs": None}
        return self._head("chat.completion") | {
            "choices": [choice],
            "usage": outcome.usage.to_json(),
            "scaffold": outcome.report.model_dump(mode="json"),
        }

    def first(self) -> bytes:
        """The role, sent before any work is done."""
        return self._chunk({"role": "assistant", "content": ""})

    def reasoning(self, text: str) -> bytes:
        """A piece of the thinking, under both names that clients look for."""
        return self._chunk({"reasoning": text, "reasoning_content": text})

    def rest(self, outcome: Outcome, reasoning: str) -> Iterator[bytes]:
        """What was not sent yet of the winner's reasoning, its content, the finish with the scaffold, usage, [DONE]."""
        for text in _pieces(reasoning):
            yield self.reasoning(text)
        for text in _pieces(outcome.content):
            yield self._chunk({"content": text})
        yield self._chunk({}, outcome.finish_reason, {"scaffold": outcome.report.model_dump(mode="json")})
        if self.include_usage:
            yield data(self._head("chat.completion.chunk") | {"choices": [], "usage": outcome.usage.to_json()})
        yield DONE

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, extra: dict[str, Any] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if self.include_usage else {}
        return data(self._head("chat.completion.chunk") | {"choices": [choice]} | usage | (extra or {}))

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def data(value: dict[str, Any], event: str | None = None) -> bytes:
    """One server-sent event. Escaped JSON holds no line break, so text can not forge another event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _CHUNK_CHARACTERS):
        yield text[start : start + _CHUNK_CHARACTERS]
