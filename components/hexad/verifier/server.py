"""The verifier as a small HTTP service beside the engine: `python -m hexad.verifier.server --model DIR --port N`.

POST /score {"messages": [{role, content}], "responses": [text]} gives {"scores": [0..1]}. GET /health.
"""

import argparse

import anyio
import anyio.to_thread
import torch
import uvicorn
from pydantic import Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hexad.records import Message, Record
from hexad.stage.lifeline import die_with_parent
from hexad.verifier.scorer import Scorer


class ScoreRequest(Record):
    """Candidates of one conversation."""

    messages: list[Message] = Field(min_length=1)
    responses: list[str] = Field(min_length=1, max_length=64)


def create_app(scorer: Scorer) -> Starlette:
    # One scoring at a time: the model uses all threads it was given.
    turn = anyio.CapacityLimiter(1)

    async def score(request: Request) -> JSONResponse:
        try:
            wanted = ScoreRequest.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        questions = [wanted.messages] * len(wanted.responses)
        scores = await anyio.to_thread.run_sync(scorer.score, questions, wanted.responses, limiter=turn)
        return JSONResponse({"scores": scores})

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ready"})

    return Starlette(routes=[Route("/score", score, methods=["POST"]), Route("/health", health)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    die_with_parent()
    torch.set_num_threads(arguments.threads)
    uvicorn.run(create_app(Scorer(arguments.model)), host=arguments.host, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
