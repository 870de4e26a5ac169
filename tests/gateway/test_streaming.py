"""Server-sent events, read as bytes: what an OpenAI client depends on."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from .conftest import question
from .upstream import SEED, Engine, Script, answers


def lines(gateway_url: str, **fields: Any) -> list[str]:
    body = {"model": "k:bo3", "messages": question(), "seed": SEED, "stream": True, **fields}
    with httpx.stream("POST", f"{gateway_url}/v1/chat/completions", json=body, timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return [line for line in response.iter_lines() if line]


def chunks(stream: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line[5:]) for line in stream if line.startswith("data: {")]


def test_role_then_reasoning_then_content_then_finish_then_usage_then_done(
    engine: Engine, gateway: Callable[..., str]
) -> None:
    engine.script = answers("1", "1", "1")
    stream = lines(gateway(), stream_options={"include_usage": True}, scaffold={"early_stop": False})
    role, reasoning, content, finish, usage = chunks(stream)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    thought = reasoning["choices"][0]["delta"]
    assert thought["reasoning"] == thought["reasoning_content"]
    assert thought["reasoning"].startswith("thought ")
    assert content["choices"][0]["delta"] == {"content": "1"}
    assert finish["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}
    assert finish["scaffold"]["n_completed"] == 3
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 6)
    assert all(c["usage"] is None for c in (role, reasoning, content, finish))
    assert {(c["id"], c["model"], c["object"]) for c in chunks(stream)} == {
        (role["id"], "k:bo3", "chat.completion.chunk")
    }
    assert stream[-1] == "data: [DONE]"


def test_usage_is_sent_only_when_asked_for(engine: Engine, gateway: Callable[..., str]) -> None:
    assert all("usage" not in c for c in chunks(lines(gateway(), model="k:bo1")))


def test_a_long_answer_arrives_whole(engine: Engine, gateway: Callable[..., str]) -> None:
    text = "ab cd\n" * 2000
    engine.script = lambda _: Script(f"<think>{text}</think>{text}")
    deltas = [c["choices"][0]["delta"] for c in chunks(lines(gateway(), model="k:bo1"))]
    assert "".join(d.get("content", "") for d in deltas) == text.strip()
    assert "".join(d.get("reasoning", "") for d in deltas) == text.strip()


def test_the_role_comes_at_once_and_comments_keep_the_stream_alive(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script(delay_s=1.0)
    stream = lines(gateway(keepalive_s=0.1), model="k:bo1")
    assert '"role": "assistant"' in stream[0]
    assert stream[1:4] == [": keep-alive"] * 3


def test_progress_events_come_only_when_asked_for(engine: Engine, engine_url: str, gateway: Callable[..., str]) -> None:
    engine.script = answers("1", "2", "1")
    engine.score = lambda _: 0.5
    url = gateway(scorer_url=engine_url)
    assert not any(line.startswith("event:") for line in lines(url, model="k"))
    stream = lines(url, model="k", scaffold={"events": True})
    kinds = [json.loads(stream[i + 1][5:])["type"] for i, line in enumerate(stream) if line == "event: scaffold"]
    assert kinds[0] == "plan"
    assert kinds.count("candidate") == 3
    assert {"delta", "scores"} < set(kinds)
    assert kinds[-1] == "selected"


def test_an_error_after_the_status_was_sent_is_an_error_event(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script(status=500)
    stream = lines(gateway())
    assert chunks(stream)[-1]["error"]["code"] == "upstream_error"
    assert stream[-1] == "data: [DONE]"
