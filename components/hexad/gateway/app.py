"""The gateway as an ASGI application."""

import logging
import re
import time
import uuid
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hexad.gateway.auth import check_key
from hexad.gateway.bypass import pass_stream, pass_whole
from hexad.gateway.config import GatewayConfig
from hexad.gateway.connection import ClientGoneError, EventStream, Json, Write, read_body, until_disconnect
from hexad.gateway.errors import ApiError
from hexad.gateway.metrics import Metrics
from hexad.gateway.reply import Reply, data
from hexad.gateway.request import ChatRequest, aliases, read_request
from hexad.gateway.scaffold import Outcome, Scaffold
from hexad.gateway.scorer import Scorer
from hexad.gateway.select import Grouping
from hexad.gateway.slots import Slots, Ticket
from hexad.gateway.upstream import Upstream
from hexad.gateway.web_page import page_routes

_log = logging.getLogger("hexad.gateway")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_CLOSED = 499  # nginx's status for a client that left; nobody reads it but the metrics


def create_app(config: GatewayConfig, client: httpx.AsyncClient, group: Grouping) -> Starlette:
    """The application. `client` reaches engine and verifier; `group` tells which answers are equivalent.

    `group` is called in a thread, with the answers of one question.
    """
    gateway = _Gateway(config, client, group)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", gateway.chat, methods=["POST"]),
            Route("/v1/models", gateway.models),
            Route("/livez", gateway.live),
            Route("/readyz", gateway.ready),
            Route("/metrics", gateway.show_metrics),
            *page_routes(),
        ],
        exception_handlers={
            ApiError: gateway.on_api_error,
            HTTPException: gateway.on_http_error,
            ClientGoneError: gateway.on_client_gone,
            ClientDisconnect: gateway.on_client_gone,
            Exception: gateway.on_defect,
        },
    )


class _Gateway:
    def __init__(self, config: GatewayConfig, client: httpx.AsyncClient, group: Grouping) -> None:
        self._config = config
        self._slots = Slots(config.concurrency, config.queue)
        self._metrics = Metrics(self._slots)
        self._upstream = Upstream(client, config)
        scorer = Scorer(client, config.scorer_url, config.scorer_timeout_s) if config.scorer_url else None
        self._scaffold = Scaffold(config, self._upstream, scorer, group, self._metrics)
        self._started = int(time.time())

    async def chat(self, request: Request) -> Response:
        arrived = time.monotonic()
        check_key(request.headers.get("authorization"), self._config.api_key_hashes)
        raw = await read_body(request, self._config.max_body_bytes, self._config.body_timeout_s)
        chat = read_request(raw, self._config)
        self._upstream.check(chat.sampling | {"messages": chat.messages, "n": chat.samples})
        wished = request.headers.get("x-request-id", "")
        request_id = wished if _REQUEST_ID.fullmatch(wished) else uuid.uuid4().hex
        headers = {"x-request-id": request_id}
        if chat.bypass is not None:
            headers["x-hexad-bypass"] = chat.bypass
            self._metrics.bypassed.labels(chat.bypass).inc()
        ticket = self._slots.admit()
        reply = Reply(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), chat.model, chat.include_usage)

        async def produce(write: Write) -> None:
            status = _CLIENT_CLOSED
            try:
                await self._stream(chat, ticket, reply, request_id, write)
                status = 200
            except ApiError as error:
                status = error.status
                raise
            except Exception:
                status = 500
                raise
            finally:
                self._count(status, arrived)

        if chat.stream:
            return EventStream(produce, ticket.close, self._config.keepalive_s, headers)
        try:
            if chat.bypass is not None:
                body = await until_disconnect(request.receive, pass_whole(self._upstream, chat, ticket))
            else:
                solving = self._scaffold.solve(chat, ticket, _ignore)
                outcome = await until_disconnect(request.receive, solving)
                body = reply.whole(outcome)
                headers |= _summary(outcome)
                _log_outcome(request_id, outcome)
        finally:
            ticket.close()
        self._count(200, arrived)
        return Json(body, headers=headers)

    async def _stream(self, chat: ChatRequest, ticket: Ticket, reply: Reply, request_id: str, write: Write) -> None:
        if chat.bypass is not None:
            await pass_stream(self._upstream, chat, ticket, write)
            return

        def emit(event: dict[str, Any]) -> None:
            write(data(event, "scaffold"))

        write(reply.first())
        outcome = await self._scaffold.solve(chat, ticket, emit if chat.policy.events else _ignore)
        _log_outcome(request_id, outcome)
        for piece in reply.rest(outcome):
            write(piece)

    async def models(self, request: Request) -> Response:
        check_key(request.headers.get("authorization"), self._config.api_key_hashes)
        fields = {"object": "model", "created": self._started, "owned_by": "hexad"}
        return Json({"object": "list", "data": [{"id": name} | fields for name in aliases(self._config)]})

    async def live(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        ready = await self._upstream.ready()
        return PlainTextResponse("ok\n" if ready else "the engine is not ready\n", status_code=200 if ready else 503)

    async def show_metrics(self, _: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def on_api_error(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        self._count(error.status)
        return Json(error.body(), status_code=error.status, headers=error.headers())

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await self.on_api_error(request, ApiError(error.status_code, f"{request.url.path}: {error.detail}"))

    async def on_client_gone(self, _: Request, __: Exception) -> Response:
        self._count(_CLIENT_CLOSED)
        return Response(status_code=_CLIENT_CLOSED)

    async def on_defect(self, request: Request, error: Exception) -> Response:
        _log.error("%s failed", request.url.path, exc_info=error)
        return await self.on_api_error(request, ApiError(500, "internal error"))

    def _count(self, status: int, arrived: float | None = None) -> None:
        self._metrics.requests.labels(str(status)).inc()
        if arrived is not None:
            self._metrics.seconds.observe(time.monotonic() - arrived)


def _ignore(_: dict[str, Any]) -> None:
    return


def _summary(outcome: Outcome) -> dict[str, str]:
    report = outcome.report
    return {
        "x-hexad-n-launched": str(report.n_launched),
        "x-hexad-n-completed": str(report.n_completed),
        "x-hexad-selected": str(report.selected),
        "x-hexad-selector": report.selector,
        "x-hexad-stop": report.stop,
    }


def _log_outcome(request_id: str, outcome: Outcome) -> None:
    """Counts only: what people ask and what models answer stays out of logs."""
    report = outcome.report
    _log.info(
        "%s n=%d completed=%d selected=%d stop=%s tokens=%d seconds=%.2f",
        request_id, len(report.candidates), report.n_completed, report.selected, report.stop,
        outcome.usage.completion, report.seconds,
    )  # fmt: skip
