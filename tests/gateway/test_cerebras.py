"""The gateway in front of Cerebras: limits, fields, choices, faults, over real HTTP against a scripted endpoint."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest

from .cerebras import KEY, Cerebras
from .conftest import question
from .upstream import SEED, Script, answers, by_candidate, serve, wait_for

TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}]
Ask = Callable[..., httpx.Response]


@pytest.fixture
def cerebras() -> Cerebras:
    return Cerebras()


@pytest.fixture
def start(cerebras: Cerebras, gateway: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """Starts a gateway in front of the endpoint."""
    with serve(cerebras.app()) as url:
        defaults = {"backend": "cerebras", "engine_url": url, "engine_key": KEY, "max_tokens": 1000}
        yield lambda **settings: gateway(**(defaults | settings))


@pytest.fixture
def post(start: Callable[..., str]) -> Ask:
    """Posts one question to a gateway with the given settings."""

    def ask(model: str = "k:bo1", settings: dict[str, Any] | None = None, **fields: Any) -> httpx.Response:
        return ask_at(start(**(settings or {})), model=model, **fields)

    return ask


def ask_at(url: str, **fields: Any) -> httpx.Response:
    body = {"model": "k:bo1", "messages": question(), "seed": SEED} | fields
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20)


def later(work: Callable[[], httpx.Response]) -> tuple[threading.Thread, list[httpx.Response]]:
    replies: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: replies.append(work()), daemon=True)
    thread.start()
    return thread, replies


# limits


def test_the_bucket_is_charged_before_the_call(cerebras: Cerebras, start: Callable[..., str]) -> None:
    cerebras.held = True
    url = start(limits={"tokens_per_minute": 50_000})
    first, replies = later(lambda: ask_at(url, max_tokens=30_000))
    wait_for(lambda: cerebras.open_streams == 1)
    second, more = later(lambda: ask_at(url, max_tokens=30_000))
    time.sleep(0.3)
    assert len(cerebras.calls) == 1, "30,000 of 50,000 tokens are charged to the call that has written none of them yet"
    cerebras.held = False
    first.join(10)
    second.join(10)
    assert [r.status_code for r in replies + more] == [200, 200], "the first call's refund made room for the second"
    assert cerebras.refusals == []


def test_many_requests_never_run_into_the_endpoints_own_limit(cerebras: Cerebras, start: Callable[..., str]) -> None:
    cerebras.tokens_per_minute = 20_000
    url = start(limits={"tokens_per_minute": 20_000})
    body = {"model": "k:bo3", "max_tokens": 4000, "scaffold": {"early_stop": False}}
    running = [later(lambda: ask_at(url, **body)) for _ in range(8)]
    for thread, _ in running:
        thread.join(20)
    assert [replies[0].status_code for _, replies in running] == [200] * 8
    assert cerebras.refusals == []
    assert len(cerebras.charged) == 24


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_can_never_fit_is_a_400_at_once(cerebras: Cerebras, post: Ask, stream: bool) -> None:
    response = post(settings={"limits": {"tokens_per_minute": 2000}}, max_tokens=3000, stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("exceeds_rate_limit", "max_tokens")
    assert "2000 tokens per minute: lower max_tokens by 1" in error["message"]
    assert cerebras.calls == []


def test_a_limit_that_only_the_headers_tell_is_learnt(cerebras: Cerebras, start: Callable[..., str]) -> None:
    cerebras.tokens_per_minute = 5000
    url = start()
    assert ask_at(url).status_code == 200
    response = ask_at(url, max_tokens=5000)
    assert response.status_code == 400
    assert "5000 tokens per minute" in response.json()["error"]["message"]


def test_with_no_room_before_the_deadline_the_client_learns_when_to_ask_again(
    cerebras: Cerebras, start: Callable[..., str]
) -> None:
    cerebras.script = lambda _: Script("a b c", prompt_tokens=1000)
    url = start(limits={"tokens_per_minute": 2000})
    assert ask_at(url).status_code == 200
    started = time.monotonic()
    response = ask_at(url, scaffold={"deadline_s": 5.0})
    assert time.monotonic() - started < 2
    assert response.status_code == 503
    assert 50 <= int(response.headers["retry-after"]) <= 61
    assert len(cerebras.calls) == 1


def test_when_others_emptied_the_account_the_next_call_waits_for_its_reset(
    cerebras: Cerebras, start: Callable[..., str]
) -> None:
    cerebras.reset_s, cerebras.others = 1.0, 57_000
    url = start()
    assert ask_at(url).status_code == 200
    started = time.monotonic()
    second, replies = later(lambda: ask_at(url, max_tokens=4000))
    time.sleep(0.3)
    cerebras.others = 0
    second.join(10)
    assert replies[0].status_code == 200
    assert time.monotonic() - started >= 0.7
    assert cerebras.refusals == []


def test_a_cancelled_candidate_gives_back_what_it_did_not_write(cerebras: Cerebras, start: Callable[..., str]) -> None:
    good = Script("<answer>1</answer>")
    cerebras.script = by_candidate(good, good, Script("a b c d", hang_after=2), good)
    url = start(limits={"tokens_per_minute": 4000})
    assert ask_at(url, model="k:bo3").json()["scaffold"]["stop"] == "agreed"
    assert ask_at(url, seed=SEED + 3, max_tokens=3000, scaffold={"deadline_s": 5}).status_code == 200


def test_a_429_is_asked_again_when_the_endpoint_said_and_not_earlier(
    cerebras: Cerebras, start: Callable[..., str]
) -> None:
    cerebras.reset_s, cerebras.others = 1.0, 60_000
    asking, replies = later(lambda: ask_at(start(retries=1)))
    wait_for(lambda: len(cerebras.refusals) == 1)
    started = time.monotonic()
    cerebras.others = 0
    asking.join(10)
    assert replies[0].status_code == 200
    assert 0.9 <= time.monotonic() - started <= 2.0


def test_a_429_beyond_the_deadline_is_told_to_the_client(cerebras: Cerebras, post: Ask) -> None:
    cerebras.others = 60_000
    response = post(settings={"retries": 3, "deadline_s": 5})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "60"
    assert len(cerebras.refusals) == 1


# fields


def test_every_call_is_one_that_cerebras_takes(cerebras: Cerebras, post: Ask) -> None:
    cerebras.script = by_candidate(*[Script("<answer>4</answer>", reasoning="obvious")] * 3)
    response = post("k:plan+bo3", stop=["END"], top_k=-1, frequency_penalty=0)
    message = response.json()["choices"][0]["message"]
    assert message["content"] == "4"
    assert message["reasoning"] == message["reasoning_content"] == "obvious"
    assert cerebras.refusals == []
    assert [c["max_completion_tokens"] for c in cerebras.calls] == [512, 1000, 1000, 1000]
    assert {c["reasoning_format"] for c in cerebras.calls} == {"parsed"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("field", "value"),
    [("frequency_penalty", 1), ("logit_bias", {"1": 2}), ("temperature", 1.9), ("top_k", 5), ("min_p", 0.2)],
)
def test_a_field_that_cerebras_does_not_take_is_a_400_that_names_it(
    cerebras: Cerebras, start: Callable[..., str], field: str, value: Any, stream: bool
) -> None:
    client = openai.OpenAI(base_url=f"{start()}/v1", api_key="none", max_retries=0)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="k", messages=question(), stream=stream, extra_body={field: value})
    assert refused.value.param == field
    assert refused.value.code == "unsupported_parameter"
    assert cerebras.calls == []


def test_tools_pass_through_as_one_call(cerebras: Cerebras, post: Ask) -> None:
    response = post(tools=TOOLS, tool_choice="auto")
    assert response.headers["x-hexad-bypass"] == "tools"
    (call,) = cerebras.calls
    assert call["tools"] == TOOLS
    assert cerebras.refusals == []


# n


def test_n_choices_are_n_calls_merged_into_one_response(cerebras: Cerebras, post: Ask) -> None:
    cerebras.script = answers("7", "8", "9")
    body = post(n=3).json()
    assert [(c["index"], c["message"]["content"][-10:-9]) for c in body["choices"]] == [(0, "7"), (1, "8"), (2, "9")]
    assert body["usage"]["prompt_tokens"] == 30
    assert body["usage"]["total_tokens"] == 33
    assert body["usage"]["prompt_tokens_details"] == {"cached_tokens": 12}
    assert sorted(c["seed"] for c in cerebras.calls) == [SEED, SEED + 1, SEED + 2]


def test_n_choices_as_a_stream_share_one_id_and_one_usage(cerebras: Cerebras, post: Ask) -> None:
    cerebras.script = by_candidate(Script("a b"), Script("c d"))
    text = post(n=2, stream=True, stream_options={"include_usage": True}).text
    data = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert data.pop() == "[DONE]"
    chunks = [json.loads(d) for d in data]
    written = {0: "", 1: ""}
    for choice in (c for chunk in chunks for c in chunk["choices"]):
        written[choice["index"]] += choice["delta"].get("content") or ""
    assert written == {0: "a b", 1: "c d"}
    assert len({c["id"] for c in chunks}) == 1
    assert [c["usage"]["total_tokens"] for c in chunks if "usage" in c] == [24]


def test_when_one_of_n_fails_the_others_are_closed_and_the_cause_is_told(cerebras: Cerebras, post: Ask) -> None:
    cerebras.script = by_candidate(Script("a b", hang_after=1), Script(status=400, message="context length"))
    response = post(n=2, stream=True)
    assert "context length" in response.text
    assert wait_for(lambda: cerebras.open_streams == 0) < 1


# faults and time


def test_a_connection_that_closes_costs_one_candidate(cerebras: Cerebras, post: Ask) -> None:
    good = Script("<answer>1</answer>")
    cerebras.script = by_candidate(Script("a b c", break_after=1), good, good)
    body = post("k:bo3").json()
    assert body["choices"][0]["message"]["content"] == "1"
    assert body["scaffold"]["candidates"][0]["finish_reason"] == "error"


def test_a_call_slower_than_its_stated_floor_is_given_up(cerebras: Cerebras, post: Ask) -> None:
    cerebras.script = lambda _: Script("a b c", hang_after=1)
    response = post(settings={"floor_tokens_per_s": 1000, "engine_queue_s": 0.5}, max_tokens=100)
    assert response.status_code == 502
    assert "not done within 0.6 s" in response.json()["error"]["message"]
    assert wait_for(lambda: cerebras.open_streams == 0) < 1


def test_a_wrong_key_is_the_operators_fault_and_stays_out_of_the_answer(cerebras: Cerebras, post: Ask) -> None:
    response = post(settings={"engine_key": "csk-wrong"})
    assert response.status_code == 502
    assert "csk-wrong" not in response.text


def test_the_verifier_stays_on_our_own_node(cerebras: Cerebras, engine: Any, engine_url: str, post: Ask) -> None:
    cerebras.script = answers("1", "2", "3")
    engine.score = lambda text: 0.9 if ">2<" in text else 0.1
    body = post("k:bo3", settings={"scorer_url": engine_url}).json()
    assert body["choices"][0]["message"]["content"] == "2"
    assert len(engine.scored) == 1
    assert engine.headers == [], "the engine's key is not the verifier's"


def test_readiness_probes_do_not_use_up_the_account(cerebras: Cerebras, start: Callable[..., str]) -> None:
    url = start()
    assert [httpx.get(f"{url}/readyz").status_code for _ in range(5)] == [200] * 5
    assert cerebras.asked_for_models == 1
