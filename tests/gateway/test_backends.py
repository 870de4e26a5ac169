"""Which fields each kind of backend is sent, and what an operator may configure."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from hexad.gateway.backends.capabilities import BACKENDS
from hexad.gateway.backends.retry_after import retry_after_s
from hexad.gateway.backends.wire import refuse_unsupported, wire_form
from hexad.gateway.config import GatewayConfig
from hexad.gateway.errors import ApiError
from hexad.gateway.server import read_config

from .conftest import question
from .upstream import Engine, Script

CASES = [json.loads(line) for line in Path(__file__).with_name("backends.jsonl").read_text().splitlines()]


def names(case: dict[str, Any]) -> str:
    return f"{case['backend']} {' '.join(case['fields'])}"


@pytest.mark.parametrize("case", [c for c in CASES if "refused" in c], ids=names)
def test_what_the_engine_would_refuse_or_ignore_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        refuse_unsupported(case["fields"], case["backend"])
    assert (refused.value.status, refused.value.param) == (400, case["refused"])
    assert refused.value.message.startswith(f"{case['refused']}: ")


@pytest.mark.parametrize("case", [c for c in CASES if "sent" in c], ids=names)
def test_the_rest_is_sent_under_the_engines_names(case: dict[str, Any]) -> None:
    kind = BACKENDS[case["backend"]]
    refuse_unsupported(case["fields"], case["backend"])
    assert wire_form(case["fields"], case["backend"], kind.renamed, {}) == case["sent"] | kind.added


def test_the_operators_fields_are_added_and_take_away() -> None:
    operators = {"service_tier": "flex", "reasoning_format": None}
    assert wire_form({"seed": 1}, "cerebras", {}, operators) == {"seed": 1, "service_tier": "flex"}


def test_any_openai_endpoint_is_asked_without_vllms_options(engine: Engine, ask: Callable[..., httpx.Response]) -> None:
    settings = {"backend": "openai", "max_tokens_field": "max_completion_tokens"}
    assert ask("k:bo1", settings=settings).json()["choices"][0]["message"]["content"] == "1"
    (call,) = engine.calls
    assert call["stream_options"] == {"include_usage": True}
    assert call["max_completion_tokens"] == 8192
    assert "max_tokens" not in call


def test_a_base_url_may_end_in_v1(engine: Engine, engine_url: str, ask: Callable[..., httpx.Response]) -> None:
    assert ask("k:bo1", settings={"engine_url": f"{engine_url}/v1/"}).status_code == 200


def test_usage_reaches_a_bypassed_stream_only_when_asked_for(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script("a b")
    url = f"{gateway()}/v1/chat/completions"
    body = {"model": "k", "messages": question(), "logprobs": True, "stream": True}
    assert '"usage": {' not in httpx.post(url, json=body).text
    asked = httpx.post(url, json=body | {"stream_options": {"include_usage": True}}).text
    assert asked.count('"completion_tokens": 2') == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"backend": "cerebras", "temperature": 1.6}, "temperature: 1.6"),
        ({"backend": "cerebras", "engine_url": "http://engine.example"}, "https://"),
        ({"limits": {"tokens_per_minute": 8000}}, "lower max_tokens"),
        ({"backend": "groq"}, "backend"),
    ],
)
def test_a_config_that_cannot_work_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        GatewayConfig.model_validate(
            {"model": "k", "engine_url": "https://engine.example", "engine_model": "m"} | fields
        )


def test_the_key_is_read_from_a_mounted_file_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("csk-secret\n")
    config = tmp_path / "gateway.json"
    config.write_text(json.dumps({"model": "k", "engine_url": "https://engine.example", "engine_model": "m"}))
    monkeypatch.setenv("HEXAD_ENGINE_KEY_FILE", str(tmp_path / "key"))
    read = read_config(config)
    assert read.engine_key is not None
    assert read.engine_key.get_secret_value() == "csk-secret"
    assert "csk-secret" not in repr(read) + read.model_dump_json()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-1", None), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}) == seconds
