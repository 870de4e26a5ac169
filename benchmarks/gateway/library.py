"""`python -m benchmarks.gateway.library NAME PORT ENGINE_URL`: a contestant that is a library, behind a plain server.

its_hub's own server offers self-consistency only, and the original has none. POST / {"question", "model"} answers
{"content"}, or 500 with what was raised.
"""

import logging
import sys
from collections.abc import Awaitable, Callable

import httpx
import uvicorn
from benchmarks.gateway import original
from benchmarks.gateway.settings import DEADLINE_S, ENGINE_MODELS, N
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Solve = Callable[[str], Awaitable[str]]


def its_hub_best_of_n(engine_url: str) -> Solve:
    from its_hub.core.algorithms.bon import BestOfN
    from its_hub.core.lms.openai_lm import OpenAICompatibleLanguageModel
    from its_hub.core.reward_models.llm_judge import LLMJudge

    model = ENGINE_MODELS["its_hub best of n"]
    lm = OpenAICompatibleLanguageModel(endpoint=f"{engine_url}/v1", api_key="none", model_name=model)
    chooser = BestOfN(LLMJudge(lm))

    async def solve(question: str) -> str:
        chosen = await chooser.ainfer(lm, question, N)
        assert isinstance(chosen, dict)
        return str(chosen["content"])

    return solve


def original_scaffold(engine_url: str) -> Solve:
    client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))
    model = ENGINE_MODELS["original's behaviour"]

    async def complete(messages: list[dict[str, str]]) -> str:
        body = {"model": model, "messages": messages, "temperature": 1.0}
        response = await client.post(f"{engine_url}/v1/chat/completions", json=body)
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])

    return lambda question: original.solve(question, N, DEADLINE_S, complete)


LIBRARIES = {"its_hub best of n": its_hub_best_of_n, "original's behaviour": original_scaffold}


def main(name: str, port: int, engine_url: str) -> None:
    logging.disable(logging.CRITICAL)
    solve = LIBRARIES[name](engine_url)

    async def answer(request: Request) -> Response:
        question = (await request.json())["question"]
        try:
            return JSONResponse({"content": await solve(question)})
        except Exception as error:  # noqa: BLE001 - what a contestant raises is counted, not mourned
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=500)

    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="critical")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
