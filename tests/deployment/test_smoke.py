"""The smoke test passes where an endpoint answers under every alias, and says what came where it does not."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send
from tests.gateway.upstream import serve

from hexad.deployment.smoke import ALIASES, SmokeTestFailed, smoke_test

GOOD: dict[str, Any] = {"choices": [{"message": {"content": "42"}}], "usage": {"completion_tokens": 7}}


class Endpoint:
    """Gives one answer to every question."""

    def __init__(self, answer: Response) -> None:
        self.answer, self.asked = answer, list[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append((await Request(scope, receive).json())["model"])
            await self.answer(scope, receive, send)


def test_every_alias_is_asked_and_its_tokens_are_told() -> None:
    endpoint = Endpoint(JSONResponse(GOOD))
    with serve(endpoint) as url:
        spent = smoke_test(url, "k", 8)
    assert spent == {f"k{alias}": 7 for alias in ALIASES}
    assert endpoint.asked == list(spent)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (JSONResponse({"error": "no engine"}, 502), 'k: HTTP 502: {"error":"no engine"}'),
        (HTMLResponse("<h1>Sign in</h1>"), "k: HTTP 200: <h1>Sign in</h1>"),
        (JSONResponse(["k"]), 'k: HTTP 200: ["k"]'),
        (JSONResponse({"choices": []}), 'k: HTTP 200: {"choices":[]}'),
        (JSONResponse(GOOD | {"usage": {"completion_tokens": 0}}), "k: the answer has no token; see the engine's log"),
    ],
    ids=["an error", "a login page", "a list", "no usage", "no token"],
)
def test_what_is_no_answer_is_told_as_it_came(answer: Response, says: str) -> None:
    with serve(Endpoint(answer)) as url, pytest.raises(SmokeTestFailed) as failed:
        smoke_test(url, "k", 8)
    assert str(failed.value) == says


def test_an_endpoint_that_is_not_there_is_named() -> None:
    with pytest.raises(SmokeTestFailed, match=r"k: http://127\.0\.0\.1:9: ConnectError"):
        smoke_test("http://127.0.0.1:9", "k", 8)
