"""Requests that a vote would break go to one sample as they are."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import question
from .upstream import Engine, Script

Ask = Callable[..., httpx.Response]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
TOOL_TURNS = [{"role": "user", "content": "x"}, {"role": "tool", "content": "y", "tool_call_id": "1"}]


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("tools", {"tools": TOOLS, "tool_choice": "auto"}),
        ("tools", {"messages": TOOL_TURNS}),
        ("response_format", {"response_format": {"type": "json_object"}}),
        ("logprobs", {"logprobs": True, "top_logprobs": 2}),
        ("n", {"n": 2}),
        ("content", {"messages": IMAGE}),
    ],
)
def test_the_request_reaches_the_engine_once_and_unchanged(
    engine: Engine, ask: Ask, reason: str, fields: dict[str, Any]
) -> None:
    engine.script = lambda _: Script("<answer>1</answer>", reasoning="hm")
    response = ask(**fields)
    assert response.headers["x-hexad-bypass"] == reason
    (call,) = engine.calls
    assert {k: call[k] for k in fields} == fields
    assert call["model"] == "m"
    message = response.json()["choices"][0]["message"]
    assert message["content"] == "<answer>1</answer>"
    assert message["reasoning"] == message["reasoning_content"] == "hm"
    assert response.json()["model"] == "k"
    assert len(response.json()["choices"]) == fields.get("n", 1)


def test_a_bypassed_stream_carries_the_engines_chunks(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script("a b", reasoning="hm")
    body = {"model": "k", "messages": question(), "tools": TOOLS, "stream": True}
    response = httpx.post(f"{gateway()}/v1/chat/completions", json=body)
    assert response.headers["x-hexad-bypass"] == "tools"
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    assert data.pop() == "[DONE]"
    deltas = [json.loads(d)["choices"][0]["delta"] for d in data]
    assert "".join(d.get("content", "") for d in deltas) == "a b"
    assert {"reasoning": "hm", "reasoning_content": "hm"} in deltas
    assert {json.loads(d)["model"] for d in data} == {"k"}


@pytest.mark.parametrize(("engine_status", "status"), [(400, 400), (500, 502), (503, 503)])
def test_the_engines_refusal_is_told(engine: Engine, ask: Ask, engine_status: int, status: int) -> None:
    engine.script = lambda _: Script(status=engine_status)
    response = ask(tools=TOOLS)
    assert response.status_code == status
    assert "scripted refusal" in response.json()["error"]["message"]


def test_text_as_the_response_format_is_no_reason(engine: Engine, ask: Ask) -> None:
    assert "x-hexad-bypass" not in ask("k:bo1", response_format={"type": "text"}).headers
