"""Engines that refuse, break, stall or cut short; clients that leave."""

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import question
from .upstream import SEED, Engine, Script, by_candidate, wait_for

Ask = Callable[..., httpx.Response]
GOOD = Script("a b <answer>1</answer>")


@pytest.mark.parametrize(
    "bad",
    [Script(status=500), Script("a b", break_after=1), Script("a b", finish=None), Script(status=400)],
    ids=["refuses", "breaks", "ends early", "rejects"],
)
def test_one_good_candidate_of_three_is_enough(engine: Engine, ask: Ask, bad: Script) -> None:
    engine.script = by_candidate(bad, GOOD, bad)
    body = ask("k:bo3").json()
    assert body["choices"][0]["message"]["content"] == "a b 1"
    assert body["scaffold"]["n_completed"] == 1
    assert body["scaffold"]["candidates"][0]["finish_reason"] == "error"
    assert body["scaffold"]["candidates"][0]["error"].startswith("engine: ")


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (Script(status=500, message="CUDA out of memory"), 502, "upstream_error"),
        (Script("a b", break_after=1), 502, "upstream_error"),
        (Script(status=401), 502, "upstream_error"),
        (Script(status=400, message="maximum context length is 10"), 400, "upstream_rejected"),
        (Script(status=503, retry_after="7"), 503, "upstream_busy"),
    ],
)
def test_when_all_fail_the_cause_is_told_in_openais_shape(
    engine: Engine, ask: Ask, bad: Script, status: int, code: str
) -> None:
    engine.script = lambda _: bad
    response = ask("k:bo3")
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert bad.status == 200 or bad.message in error["message"]
    assert response.headers.get("retry-after") == bad.retry_after


def test_an_engine_that_cannot_be_reached_is_a_502(ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        response = ask("k:bo1", settings={"engine_url": f"http://127.0.0.1:{unused.getsockname()[1]}"})
    assert response.status_code == 502
    assert "ConnectError" in response.json()["error"]["message"]


def test_a_busy_engine_is_asked_again(engine: Engine, ask: Ask) -> None:
    replies = [Script(status=503, retry_after="0"), GOOD]
    engine.script = lambda _: replies.pop(0)
    assert ask("k:bo1", settings={"retries": 1}).status_code == 200


def test_a_stream_that_broke_after_its_first_token_is_not_asked_again(engine: Engine, ask: Ask) -> None:
    engine.script = lambda _: Script("a b c", break_after=2)
    assert ask("k:bo1", settings={"retries": 3}).status_code == 502
    assert len(engine.calls) == 1


def test_the_deadline_answers_with_the_best_so_far_and_closes_the_rest(engine: Engine, ask: Ask) -> None:
    engine.script = by_candidate(Script("a b c", hang_after=1), GOOD, Script("x y", hang_after=1))
    body = ask("k:bo3", scaffold={"deadline_s": 1.0}).json()
    assert 1.0 <= body["scaffold"]["seconds"] < 2.0
    assert body["choices"][0]["message"]["content"] == "a b 1"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["scaffold"]["stop"] == "deadline"
    assert wait_for(lambda: engine.open_streams == 0) < 1


def test_with_nothing_finished_at_the_deadline_a_truncated_text_is_the_answer(engine: Engine, ask: Ask) -> None:
    engine.script = lambda _: Script("half an answer", hang_after=2)
    body = ask("k:bo3", scaffold={"deadline_s": 1.0}).json()
    assert body["choices"][0]["message"]["content"] == "half an"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 6


def test_with_nothing_written_at_the_deadline_it_is_a_504(engine: Engine, ask: Ask) -> None:
    engine.script = lambda _: Script(delay_s=30)
    response = ask("k:bo3", scaffold={"deadline_s": 0.3})
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"


def test_truncated_candidates_never_win_however_well_they_score(engine: Engine, engine_url: str, ask: Ask) -> None:
    cut = Script("<answer>9</answer> and", finish="length")
    engine.script = by_candidate(cut, cut, GOOD)
    engine.score = lambda text: 0.1 if "1" in text else 0.9
    body = ask("k:bo3", settings={"scorer_url": engine_url}).json()
    assert body["choices"][0]["message"]["content"] == "a b 1"
    assert body["scaffold"]["reason"] == "only complete answer"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["k", "k:bo3", "bypass"])
def test_a_client_that_leaves_closes_every_upstream_stream_within_a_second(
    engine: Engine, gateway: Callable[..., str], stream: bool, model: str
) -> None:
    slow = Script("a b c", hang_after=1)
    engine.script = by_candidate(slow, slow, slow)
    body: dict[str, Any] = {"model": model, "messages": question(), "seed": SEED, "stream": stream}
    expected = 3
    if model == "bypass":
        body |= {"model": "k", "logprobs": True, "stream": True}
        expected = 1
    url = httpx.URL(gateway())
    with socket.create_connection((url.host, url.port or 80)) as client:
        content = json.dumps(body).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
        client.sendall(head.encode() + content)
        wait_for(lambda: engine.open_streams == expected)
    assert wait_for(lambda: engine.open_streams == 0) < 1
    metrics = httpx.get(f"{url}metrics" if str(url).endswith("/") else f"{url}/metrics").text
    assert "hexad_in_flight 0.0" in metrics
    assert "hexad_waiting 0.0" in metrics
