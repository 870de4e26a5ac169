"""The gateway as an ASGI application."""

import asyncio
import logging
import re
import secrets
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hexad.gateway.auth import check_key
from hexad.gateway.backends.upstream import Upstream
from hexad.gateway.bypass import Passed, pass_stream, pass_whole
from hexad.gateway.config import GatewayConfig
from hexad.gateway.connection import ClientGoneError, EventStream, Json, Write, read_body, until_disconnect
from hexad.gateway.errors import ApiError
from hexad.gateway.exchange import CLIENT_CLOSED, Exchange
from hexad.gateway.reply import Reply, data
from hexad.gateway.request import ChatRequest, aliases, read_request
from hexad.gateway.scaffold.live import LiveThinking
from hexad.gateway.scaffold.scaffold import Outcome, Scaffold
from hexad.gateway.scaffold.scoring import verifier_of
from hexad.gateway.scaffold.select import Grouping
from hexad.gateway.scaffold.work import Work
from hexad.gateway.slots import Slots, Ticket
from hexad.gateway.telemetry.audit_log import AuditLog
from hexad.gateway.telemetry.metrics import Metrics
from hexad.gateway.telemetry.observer import Observer
from hexad.gateway.telemetry.tracing import inside, request_span, traceparent
from hexad.gateway.web_page import page_routes
from hexad.storage import Store

_log = logging.getLogger("hexad.gateway")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_AUDIT_CLOSE_S = 10.0


def create_app(
    config: GatewayConfig,
    client: httpx.AsyncClient,
    group: Grouping,
    audit_store: Store | None = None,
    at_end: Callable[[], None] = lambda: None,
) -> Starlette:
    """The application. `client` reaches engine and verifier; `group` tells which answers are equivalent.

    `group` is called in a thread, with the answers of one question. `audit_store` serves `config.audit_store`.
    `at_end` is called in a thread after the last request: uvicorn ends the process with the signal that it got, so
    nothing after its `serve` would run.
    """
    gateway = _Gateway(config, client, group, audit_store, at_end)
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
            Exception: gateway.on_defect,
        },
        lifespan=gateway.lifespan,
    )


class _Gateway:
    def __init__(
        self,
        config: GatewayConfig,
        client: httpx.AsyncClient,
        group: Grouping,
        audit_store: Store | None,
        at_end: Callable[[], None],
    ) -> None:
        self._at_end = at_end
        self._config = config
        self._slots = Slots(config.concurrency, config.queue)
        self._metrics = Metrics(self._slots)
        self._upstream = Upstream(client, config)
        verifier = verifier_of(config, client)
        self._scaffold = Scaffold(config, self._upstream, verifier, group, self._metrics)
        # The random part: a container that starts again has the same host name and must not write over its own rows.
        instance = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        self._audit = AuditLog(audit_store, config, instance, self._metrics) if audit_store else None
        self._observer = Observer(self._metrics, self._audit, config.audit_text)
        self._started = int(time.time())

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Around all requests: at SIGTERM the end of this comes after the last of them."""
        if self._audit is not None:
            self._audit.start()
        yield
        if self._audit is not None:
            await asyncio.to_thread(self._audit.close, _AUDIT_CLOSE_S)
        await asyncio.to_thread(self._at_end)

    async def chat(self, request: Request) -> Response:
        wished = request.headers.get("x-request-id", "")
        request_id = wished if _REQUEST_ID.fullmatch(wished) else uuid.uuid4().hex
        exchange = Exchange(request_id, request_span(request.headers))
        response: Response | None = None
        try:
            with inside(exchange.span):
                response = await self._answer(request, exchange)
        except ApiError as error:
            _failed(exchange, error)
            response = Json(error.body(), status_code=error.status, headers=error.headers())
        except (ClientGoneError, ClientDisconnect):
            response = Response(status_code=CLIENT_CLOSED)
        except Exception as error:
            _failed(exchange, error)
            raise
        finally:
            if not isinstance(response, EventStream):
                self._observer.finish(exchange)
        response.headers.update({"x-request-id": request_id} | traceparent(exchange.span))
        return response

    async def _answer(self, request: Request, exchange: Exchange) -> Response:
        exchange.caller = check_key(request.headers.get("authorization"), self._config.api_key_hashes)
        raw = await read_body(request, self._config.max_body_bytes, self._config.body_timeout_s)
        exchange.chat = chat = read_request(raw, self._config)
        self._upstream.check(chat.sampling | {"messages": chat.messages, "n": chat.samples})
        headers: dict[str, str] = {}
        if chat.bypass is not None:
            headers["x-hexad-bypass"] = chat.bypass
            self._metrics.bypassed.labels(chat.bypass).inc()
        exchange.ticket = ticket = self._slots.admit(exchange.caller)
        reply = Reply(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), chat.model, chat.include_usage)

        async def produce(write: Write) -> None:
            try:
                with inside(exchange.span):
                    await self._stream(exchange, chat, ticket, reply, write)
                exchange.status = 200
            except Exception as error:
                _failed(exchange, error)
                raise

        def close() -> None:
            ticket.close()
            self._observer.finish(exchange)

        if chat.stream:
            return EventStream(produce, close, self._config.keepalive_s, headers)
        try:
            if chat.bypass is not None:
                exchange.passed = Passed()
                passing = pass_whole(self._upstream, chat, ticket, exchange.passed)
                body = await until_disconnect(request.receive, passing)
            else:
                exchange.work = Work.begin(chat, ticket, _ignore)
                outcome = await until_disconnect(request.receive, self._scaffold.solve(exchange.work))
                exchange.outcome = outcome
                body = reply.whole(outcome)
                headers |= _summary(outcome) | _server_timing(exchange, outcome)
        finally:
            ticket.close()
        exchange.status = 200
        exchange.watch.text_begins()
        return Json(body, headers=headers)

    async def _stream(self, exchange: Exchange, chat: ChatRequest, ticket: Ticket, reply: Reply, write: Write) -> None:
        watch = exchange.watch

        def counted(piece: bytes) -> None:
            watch.text_begins()
            write(piece)

        if chat.bypass is not None:
            exchange.passed = Passed()
            await pass_stream(self._upstream, chat, ticket, counted, exchange.passed)
            return

        live = LiveThinking()

        def emit(event: dict[str, Any]) -> None:
            if event["type"] == "delta" and chat.policy.n == 1 and (text := live.feed(event["field"], event["text"])):
                counted(reply.reasoning(text))
            if chat.policy.events:
                write(data(event, "scaffold"))

        write(reply.first())
        exchange.work = Work.begin(chat, ticket, emit if chat.policy.events or chat.policy.n == 1 else _ignore)
        exchange.outcome = await self._scaffold.solve(exchange.work)
        for piece in reply.rest(exchange.outcome, live.rest(exchange.outcome.reasoning)):
            counted(piece)

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
        return Json(error.body(), status_code=error.status, headers=error.headers())

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await self.on_api_error(request, ApiError(error.status_code, f"{request.url.path}: {error.detail}"))

    async def on_defect(self, request: Request, error: Exception) -> Response:
        _log.error("%s failed", request.url.path, exc_info=error)
        return await self.on_api_error(request, ApiError(500, "internal error"))


def _failed(exchange: Exchange, error: Exception) -> None:
    """An error's message may quote the request, so only its code or type is kept."""
    if isinstance(error, ApiError):
        exchange.status, exchange.error = error.status, error.code or error.body()["error"]["type"]
    else:
        exchange.status, exchange.error = 500, type(error).__name__


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


def _server_timing(exchange: Exchange, outcome: Outcome) -> dict[str, str]:
    """https://www.w3.org/TR/server-timing/, in milliseconds. A stream tells `stage_seconds` in its last chunk."""
    queued = exchange.ticket.queue_s if exchange.ticket else None
    stages = {"queue": queued or 0.0} | outcome.report.stage_seconds | {"total": exchange.watch.seconds()}
    return {"server-timing": ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in stages.items())}
