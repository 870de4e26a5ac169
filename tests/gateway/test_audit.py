"""One row per request in the store: what was asked and chosen, without the text, whatever became of the request."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hexad.gateway.audit_log import AuditLog
from hexad.gateway.config import GatewayConfig
from hexad.gateway.metrics import Metrics
from hexad.gateway.slots import Slots
from hexad.records import AuditRow
from hexad.storage import Store, StoreUnreachable

from .conftest import question
from .upstream import SEED, Engine, Script, answers, by_candidate, wait_for

Gateway = Callable[..., str]
Place = tuple[Store, str]
KEY_HASH = hashlib.sha256(b"sesame").hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def post(url: str, **fields: Any) -> httpx.Response:
    body = {"model": "k:bo3", "messages": question("privately"), "seed": SEED, **fields}
    headers = {"Authorization": "Bearer sesame", "x-request-id": "r-1"}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=20)


def rows(place: Place, count: int = 1) -> list[AuditRow]:
    store, uri = place
    wait_for(lambda: len(_read(store, uri)) >= count, 10)
    return [AuditRow.model_validate(json.loads(line)) for line in _read(store, uri)]


def _read(store: Store, uri: str) -> list[bytes]:
    return [line for part in store.list(f"{uri}/audit") for line in store.read_bytes(part).splitlines()]


def settings(place: Place, **more: Any) -> dict[str, Any]:
    return {"store": place[0], "audit_store": place[1], "audit_interval_s": 0.1, **more}


def test_a_row_tells_request_policy_candidates_and_choice_by_hashes(
    engine: Engine, engine_url: str, gateway: Gateway, place: Place
) -> None:
    engine.script = answers("9", "7", "7")
    engine.score = lambda text: 0.8 if ">9<" in text else 0.5
    url = gateway(**settings(place, api_key_hashes=[KEY_HASH], scorer_url=engine_url))
    body = post(url, temperature=0.7, stop=["privately"]).json()
    (row,) = rows(place)
    assert (row.request_id, row.model, row.caller, row.status, row.seed) == ("r-1", "k:bo3", KEY_HASH[:12], 200, SEED)
    assert (row.selected, row.selector, row.stop) == (body["scaffold"]["selected"], "hybrid", "complete")
    assert row.reason == body["scaffold"]["reason"]
    assert row.usage == body["usage"]
    assert row.sampling == {"temperature": 0.7, "top_p": 1.0, "max_tokens": 8192}
    assert row.policy["n"] == 3 and row.policy["plan"] == "off"
    assert row.messages_sha256 == sha256('[{"content":"privately","role":"user"}]')
    assert [c.seed for c in row.candidates] == [SEED, SEED + 1, SEED + 2]
    assert [c.score for c in row.candidates] == [0.8, 0.5, 0.5]
    assert [c.group for c in row.candidates] == [0, 1, 1]
    assert [c.answer_sha256 for c in row.candidates] == [sha256("9"), sha256("7"), sha256("7")]
    assert row.candidates[0].text_sha256 == sha256("<think>thought 0</think><answer>9</answer>")
    assert {(c.finish_reason, c.tokens) for c in row.candidates} == {("stop", 2)}
    assert abs(row.time - datetime.now(UTC)) < timedelta(minutes=1)


def test_parts_are_named_by_date_instance_and_number(engine: Engine, gateway: Gateway, place: Place) -> None:
    url = gateway(**settings(place, audit_rows=1, audit_interval_s=60))
    post(url)
    rows(place)
    post(url)
    found = rows(place, 2)
    prefix = f"{place[1]}/audit/{datetime.now(UTC):%Y-%m-%d}/{found[0].instance}"
    assert place[0].list(f"{place[1]}/audit") == [f"{prefix}-000000.jsonl", f"{prefix}-000001.jsonl"]


@pytest.mark.parametrize("kept", [False, True])
def test_text_is_kept_only_if_the_operator_says_so(engine: Engine, gateway: Gateway, place: Place, kept: bool) -> None:
    engine.script = lambda _: Script("<answer>confidential \ud800</answer>")
    post(gateway(**settings(place, audit_text=kept)), stop=["privately"])
    (row,) = rows(place)
    text = str(row)
    assert ("privately" in text, "confidential" in text) == (kept, kept)
    assert "sesame" not in text


@pytest.mark.parametrize(
    ("script", "fields", "status", "error"),
    [
        (Script(status=500, message="privately"), {}, 502, "upstream_error"),
        (Script(), {"temperature": 7}, 400, "invalid_request_error"),
        (Script(), {"model": "other"}, 404, "model_not_found"),
        (Script(status=500), {"stream": True}, 502, "upstream_error"),
        (Script(status=500), {"logprobs": True}, 502, "upstream_error"),
    ],
)
def test_a_request_that_fails_gives_a_row_too(
    engine: Engine, gateway: Gateway, place: Place, script: Script, fields: dict[str, Any], status: int, error: str
) -> None:
    engine.script = lambda _: script
    post(gateway(**settings(place)), **fields)
    (row,) = rows(place)
    assert (row.status, row.error) == (status, error)
    assert "privately" not in str(row)


def test_an_unknown_key_gives_a_row_without_a_caller(engine: Engine, gateway: Gateway, place: Place) -> None:
    assert post(gateway(**settings(place, api_key_hashes=["0" * 64]))).status_code == 401
    (row,) = rows(place)
    assert (row.status, row.error, row.caller, row.model) == (401, "invalid_api_key", None, None)


def test_a_client_that_left_is_a_row_with_what_was_spent(engine: Engine, gateway: Gateway, place: Place) -> None:
    engine.script = by_candidate(*[Script("a b c", hang_after=2)] * 3)
    body = {"model": "k:bo3", "messages": question(), "seed": SEED, "stream": True, "scaffold": {"events": True}}
    with httpx.stream("POST", f"{gateway(**settings(place))}/v1/chat/completions", json=body) as response:
        deltas = (line for line in response.iter_lines() if '"delta", "candidate"' in line)
        assert [next(deltas) for _ in range(6)]
    (row,) = rows(place)
    assert row.status == 499
    assert row.usage["completion_tokens"] == 6
    assert {c.finish_reason for c in row.candidates} == {"cancelled"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_bypassed_request_is_audited_from_the_engines_words(
    engine: Engine, gateway: Gateway, place: Place, stream: bool
) -> None:
    engine.script = lambda _: Script("hello you")
    post(gateway(**settings(place)), logprobs=True, stream=stream)
    (row,) = rows(place)
    assert (row.status, row.bypass) == (200, "logprobs")
    assert [c.text_sha256 for c in row.candidates] == [sha256("hello you")]
    assert row.usage["prompt_tokens"] == 10


class Failing:
    """A store that refuses `failures` writes, and hangs in each for `hang_s` seconds."""

    def __init__(self, failures: int, hang_s: float = 0.0) -> None:
        self.failures, self.hang_s, self.parts = failures, hang_s, dict[str, bytes]()
        self.tries = 0

    def write_bytes(self, uri: str, data: bytes) -> None:
        self.tries += 1
        time.sleep(self.hang_s)
        if self.tries <= self.failures:
            raise StoreUnreachable(f"{uri}: scripted")
        assert uri not in self.parts
        self.parts[uri] = data


def started(store: Any, **fields: Any) -> tuple[AuditLog, Metrics]:
    config = GatewayConfig.model_validate(
        {"model": "k", "engine_url": "http://e", "engine_model": "m", "audit_store": "file:///a", **fields}
    )
    metrics = Metrics(Slots(1, 1))
    log = AuditLog(store, config, "i", metrics)
    log.start()
    return log, metrics


def row(number: int) -> AuditRow:
    return AuditRow(request_id=str(number), instance="i", time=datetime.now(UTC), seconds=0.0, status=200)


def test_a_store_that_comes_back_gets_every_row_once_and_the_fault_is_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hexad.gateway.audit_log._FIRST_RETRY_S", 0.01)
    store = Failing(failures=3)
    log, metrics = started(store, audit_rows=2, audit_interval_s=60)
    for number in range(5):
        log.add(row(number))
    wait_for(lambda: b'outcome="written"' in metrics.text())
    log.close(5)
    lines = b"".join(store.parts[uri] for uri in sorted(store.parts)).splitlines()
    assert [json.loads(line)["request_id"] for line in lines] == ["0", "1", "2", "3", "4"]
    assert b"hexad_audit_failures_total 3.0" in metrics.text()
    assert b'hexad_audit_rows_total{outcome="written"} 5.0' in metrics.text()
    assert caplog.text.count("wait in memory") == 1


def test_memory_is_bounded_while_the_store_is_down_and_dropped_rows_are_counted() -> None:
    line = len(json.dumps(row(10).model_dump(mode="json"))) + 1
    log, metrics = started(Failing(failures=10**9), audit_rows=1, audit_buffer_bytes=4 * line)
    for number in range(10, 20):
        log.add(row(number))
    assert b'hexad_audit_rows_total{outcome="dropped"} 6.0' in metrics.text()
    log.close(5)
    assert b'hexad_audit_rows_total{outcome="dropped"} 10.0' in metrics.text()


def test_a_store_that_hangs_delays_neither_requests_nor_the_end(engine: Engine, gateway: Gateway) -> None:
    log, _ = started(Failing(0, hang_s=30), audit_rows=1)
    begun = time.monotonic()
    for number in range(100):
        log.add(row(number))
    log.close(0.2)
    assert time.monotonic() - begun < 1
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "audit")
