"""The official client against the gateway: synchronous, asynchronous, streaming, and its error classes."""

import asyncio
import hashlib
from collections.abc import Callable

import openai
import pytest

from .conftest import question
from .upstream import SEED, Engine, Script, answers


def client(url: str, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def test_a_completion(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = answers("42", "42", "41")
    done = client(gateway()).chat.completions.create(
        model="k:plan+bo3", messages=question(), seed=SEED, extra_body={"scaffold": {"early_stop": False}}
    )
    assert done.choices[0].message.content == "42"
    assert done.usage is not None
    assert done.usage.completion_tokens == 7 + 6
    assert done.model_extra is not None
    assert done.model_extra["scaffold"]["n_completed"] == 3


def test_a_stream(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = answers("42", "42", "42")
    stream = client(gateway()).chat.completions.create(
        model="k", messages=question(), seed=SEED, stream=True, stream_options={"include_usage": True}
    )
    got = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in got if c.choices) == "42"
    assert got[-1].usage is not None


def test_many_asynchronous_completions(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script("<answer>42</answer>")
    url = gateway(concurrency=4)

    async def ask_all() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as asynchronous:
            calls = [asynchronous.chat.completions.create(model="k:bo3", messages=question()) for _ in range(10)]
            return [done.choices[0].message.content for done in await asyncio.gather(*calls)]

    assert asyncio.run(ask_all()) == ["42"] * 10


def test_models_lists_the_cells(engine: Engine, gateway: Callable[..., str]) -> None:
    assert [m.id for m in client(gateway()).models.list()] == ["k", "k:bo1", "k:plan", "k:bo3", "k:plan+bo3"]


@pytest.mark.parametrize(
    ("model", "script", "raised"),
    [
        ("nobody", Script(), openai.NotFoundError),
        ("k:bo1", Script(status=400), openai.BadRequestError),
        ("k:bo1", Script(status=500), openai.InternalServerError),
    ],
)
def test_errors_raise_the_clients_own_classes(
    engine: Engine, gateway: Callable[..., str], model: str, script: Script, raised: type[openai.APIStatusError]
) -> None:
    engine.script = lambda _: script
    with pytest.raises(raised):
        client(gateway()).chat.completions.create(model=model, messages=question())


def test_an_error_inside_a_stream_raises(engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script(status=500)
    with pytest.raises(openai.APIError, match="scripted refusal"):
        list(client(gateway()).chat.completions.create(model="k:bo1", messages=question(), stream=True))


def test_a_wrong_key_is_an_authentication_error(engine: Engine, gateway: Callable[..., str]) -> None:
    url = gateway(api_key_hashes=[hashlib.sha256(b"right").hexdigest()])
    with pytest.raises(openai.AuthenticationError):
        client(url, "wrong").chat.completions.create(model="k", messages=question())
    assert client(url, "right").chat.completions.create(model="k:bo1", messages=question()).choices
