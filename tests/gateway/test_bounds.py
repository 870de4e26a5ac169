"""What a gateway refuses: bad requests, unknown keys, too much at once; and what it tells its operator."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from hexad.gateway.config import GatewayConfig

from .conftest import question
from .upstream import SEED, Engine, Script, answers, wait_for

REFUSALS = [json.loads(line) for line in Path(__file__).with_name("refusals.jsonl").read_text().splitlines()]


def post(url: str, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"model": "k:bo1", "messages": question(), "seed": SEED, **fields}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=20)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda c: c["case"])
def test_a_bad_request_is_refused_with_the_fields_name(
    engine: Engine, gateway: Callable[..., str], case: dict[str, Any]
) -> None:
    response = post(gateway(), **case["change"])
    assert (response.status_code, response.json()["error"]["param"]) == (case["status"], case["param"])
    assert not engine.calls


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": ' + b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_400(gateway: Callable[..., str], body: bytes) -> None:
    response = httpx.post(f"{gateway()}/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_body_over_the_limit_is_a_413(gateway: Callable[..., str]) -> None:
    assert post(gateway(max_body_bytes=1000), messages=question("x" * 2000)).status_code == 413


def test_a_body_that_never_arrives_is_a_408(gateway: Callable[..., str]) -> None:
    def trickle() -> Any:
        yield b"{"
        threading.Event().wait(1)

    response = httpx.post(f"{gateway(body_timeout_s=0.2)}/v1/chat/completions", content=trickle())
    assert response.status_code == 408


@pytest.mark.parametrize("path", ["/v1/completions", "/configure"])
def test_an_unknown_path_has_openais_error_shape(gateway: Callable[..., str], path: str) -> None:
    response = httpx.get(gateway() + path)
    assert response.status_code == 404
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("key", [None, "wrong", "riGht"])
def test_without_the_right_key_it_is_a_401(
    engine: Engine, gateway: Callable[..., str], caplog: pytest.LogCaptureFixture, key: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    url = gateway(api_key_hashes=[hashlib.sha256(b"right").hexdigest()])
    assert post(url, key).status_code == 401
    assert httpx.get(f"{url}/v1/models").status_code == 401
    assert httpx.get(f"{url}/livez").status_code == 200
    assert not key or key not in caplog.text


def test_a_clients_key_and_headers_do_not_reach_the_engine(engine: Engine, gateway: Callable[..., str]) -> None:
    url = gateway(api_key_hashes=[hashlib.sha256(b"mine").hexdigest()], engine_key="theirs")
    headers = {"Authorization": "Bearer mine", "X-Its-Endpoint": "http://other", "Cookie": "c", "X-Forwarded-For": "1"}
    body = {"model": "k:bo1", "messages": question()}
    assert httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers).status_code == 200
    sent = engine.headers[0]
    assert sent["authorization"] == "Bearer theirs"
    assert not {"x-its-endpoint", "cookie", "x-forwarded-for"} & sent.keys()


def test_logs_hold_no_text_of_question_or_answer(
    engine: Engine, gateway: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="hexad.gateway")
    engine.script = lambda _: Script("<answer>confidential</answer>")
    post(gateway(), messages=question("privately"))
    assert "completed=1" in caplog.text
    assert "confidential" not in caplog.text
    assert "privately" not in caplog.text


def test_a_full_queue_is_a_429_with_retry_after_and_the_queue_drains(
    engine: Engine, gateway: Callable[..., str]
) -> None:
    engine.held = True
    url = gateway(concurrency=1, queue=1)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(post(url).status_code)) for _ in range(2)]
    threads[0].start()
    wait_for(lambda: engine.open_streams == 1)
    threads[1].start()
    wait_for(lambda: "hexad_waiting 1.0" in httpx.get(f"{url}/metrics").text)
    refused = post(url)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["type"] == "rate_limit_error"
    engine.held = False
    for thread in threads:
        thread.join()
    assert results == [200, 200]
    assert len(engine.calls) == 2
    assert post(url).status_code == 200


def test_never_more_engine_calls_at_once_than_allowed(engine: Engine, gateway: Callable[..., str]) -> None:
    highest = 0

    def script(_: dict[str, Any]) -> Script:
        nonlocal highest
        highest = max(highest, engine.open_streams + 1)
        return Script("a b", pause_s=0.02)

    engine.script = script
    assert post(gateway(concurrency=2), model="k", scaffold={"n": 6}).status_code == 200
    assert highest == 2


def test_connections_to_the_engine_are_used_again(engine: Engine, gateway: Callable[..., str]) -> None:
    url = gateway()
    for _ in range(3):
        post(url)
    assert len(engine.calls) == 3
    assert len(engine.connections) == 1


def test_a_stream_that_fails_or_is_left_is_counted_with_its_status(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script(status=500)
    url = gateway()
    post(url, stream=True)
    engine.script = lambda _: Script(delay_s=5)
    body = {"model": "k:bo1", "messages": question(), "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body):
        pass
    counted = ['hexad_requests_total{status="502"} 1.0', 'hexad_requests_total{status="499"} 1.0']
    assert wait_for(lambda: set(counted) <= set(httpx.get(f"{url}/metrics").text.splitlines())) < 5


def test_readiness_follows_the_engine(engine: Engine, gateway: Callable[..., str]) -> None:
    url = gateway()
    assert httpx.get(f"{url}/readyz").status_code == 200
    engine.healthy = False
    assert httpx.get(f"{url}/readyz").status_code == 503
    assert httpx.get(f"{url}/livez").status_code == 200


def test_metrics_count_requests_candidates_tokens_and_choices(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script("a <answer>1</answer>")
    url = gateway()
    post(url, model="k:bo3", scaffold={"early_stop": False})
    text = httpx.get(f"{url}/metrics").text
    for line in ('hexad_requests_total{status="200"} 1.0', 'hexad_candidates_total{finish="stop"} 3.0',
                 'hexad_completion_tokens_total{stage="candidate"} 6.0', "hexad_agreement_sum 1.0"):  # fmt: skip
        assert line in text


def test_metrics_tell_agreement_margin_choice_times_and_tokens_by_stage(
    engine: Engine, engine_url: str, gateway: Callable[..., str]
) -> None:
    engine.script = answers("9", "7", "7")
    engine.score = lambda text: 0.8 if ">9<" in text else 0.5
    url = gateway(scorer_url=engine_url)
    selected = post(url, model="k").json()["scaffold"]["selected"]
    post(url, logprobs=True)
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    for line in (
        f'hexad_selected_index_total{{index="{selected}"}} 1.0', "hexad_agreement_count 1.0",
        "hexad_verifier_margin_sum 0.3", 'hexad_completion_tokens_total{stage="plan"} 7.0',
        'hexad_completion_tokens_total{stage="candidate"} 6.0', 'hexad_completion_tokens_total{stage="bypass"} 1.0',
        'hexad_prompt_tokens_total{stage="verifier"} 21.0', 'hexad_prompt_tokens_total{stage="candidate"} 30.0',
        "hexad_ttft_seconds_count 2.0", 'hexad_engine_ttft_seconds_count{stage="candidate"} 3.0',
        'hexad_engine_ttft_seconds_count{stage="plan"} 1.0', "hexad_queue_seconds_count 2.0",
        'hexad_plans_total{outcome="used"} 1.0', 'hexad_bypassed_total{reason="logprobs"} 1.0',
    ):  # fmt: skip
        assert line in lines or any(found.startswith(line) for found in lines if "margin" in line), line


def test_tokens_of_a_request_that_failed_are_counted(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script("a b c", break_after=2)
    url = gateway()
    assert post(url).status_code == 502
    text = httpx.get(f"{url}/metrics").text
    assert 'hexad_completion_tokens_total{stage="candidate"} 2.0' in text
    assert 'hexad_upstream_errors_total{stage="candidate"} 1.0' in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 9}, "more than max_n"),
        ({"max_tokens": 100_000}, "max_tokens_limit"),
        ({"selector": "verifier"}, "needs scorer_url"),
        ({"scorer": "labels", "scorer_url": "http://e"}, "scorer_model"),
        ({"selector": "pairwise", "scorer_url": "http://e"}, "needs a judging engine"),
        ({"plan_after": 1}, "plan_after: one candidate"),
        ({"api_key_hashes": ["secret"]}, "64 hexadecimal digits"),
        ({"engine_url": "file:///etc"}, "engine_url"),
        ({"model": "a:b"}, "model"),
    ],
)
def test_an_inconsistent_config_is_refused_with_the_mend(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GatewayConfig.model_validate({"model": "k", "engine_url": "http://e", "engine_model": "m"} | wrong)
